import { choice } from '../../../kernel/record.js';
import type { Sampling } from '../../../worker-protocol/index.js';
import type { Capabilities } from '../engine.js';
import type { EngineHttp } from '../engine-http.js';

/** An adapter, or a base model, that an engine says it has. */
export interface EngineModel {
  id: string;
  /** Folder or name that it was loaded from, where the engine tells. */
  root: string | null;
  /** The base of an adapter; null for a base model. */
  parent: string | null;
  /** Of a base model, where the engine tells. */
  contextTokens: number | null;
}

/** A prompt for one of an engine's models. */
export interface Prompted {
  base: string;
  /** The adapter's name on the engine; null: the base alone. */
  adapter: string | null;
  tokens: readonly number[];
}

/** A prompt to be answered in words. */
export interface GenerationRequest extends Prompted {
  maxTokens: number;
  temperature: number;
  seed?: number;
  sampling?: Omit<Sampling, 'logitBias'>;
  stop: readonly string[];
}

export interface ScoreRequest extends Prompted {
  candidates: readonly number[];
  /** Computed anew, whatever the engine has kept of the prompt, and kept for nobody else, where it can be told so. */
  fresh?: boolean;
}

/** A piece of an answer; the last one says why it ended. */
export interface AnswerPiece {
  text: string;
  /** Ids of its tokens, where the engine tells. */
  tokens: readonly number[];
  reason: 'eos' | 'stop' | 'length' | null;
  usage: { generatedTokens: number; reusedTokens: number } | null;
}

/** How a kind of engines is spoken to. */
export interface Dialect {
  readonly name: DialectName;
  /** What it is. @returns null when it speaks another dialect @throws EngineFault when it can't be told, or can't be used */
  probe(http: EngineHttp, signal: AbortSignal): Promise<Capabilities | null>;
  models(http: EngineHttp, signal: AbortSignal): Promise<EngineModel[]>;
  /** @throws EngineFault REFUSED with the engine's reason */
  load(http: EngineHttp, adapter: { name: string; path: string }, signal: AbortSignal): Promise<void>;
  unload(http: EngineHttp, name: string, signal: AbortSignal): Promise<void>;
  stream(http: EngineHttp, request: GenerationRequest, signal: AbortSignal): AsyncGenerator<AnswerPiece, void>;
  /** Log-probabilities (natural) of candidates as the next token, on one scale for all of them. */
  score(
    http: EngineHttp,
    request: ScoreRequest,
    scoring: Capabilities['scoring'],
    signal: AbortSignal,
  ): Promise<number[]>;
}

export const DialectName = choice('EngineDialect', 'Which server an engine is.', {
  VLLM: 'vLLM.',
  SGLANG: 'SGLang.',
});
export type DialectName = keyof typeof DialectName;
