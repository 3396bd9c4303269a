/** What vLLM and SGLang have in common: `/v1/models` and streamed `/v1/completions`. */
import { z } from 'zod';
import { SAMPLING } from '../../../worker-protocol/index.js';
import { faultOf, type EngineHttp } from '../engine-http.js';
import { EngineFault } from '../fault.js';
import type { EngineModel, AnswerPiece, GenerationRequest } from './dialect.js';

const modelList = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      root: z.string().nullish(),
      parent: z.string().nullish(),
      max_model_len: z.number().int().positive().nullish(),
    }),
  ),
});

export async function listModels(http: EngineHttp, signal: AbortSignal): Promise<EngineModel[]> {
  const { data } = readAs(modelList, await http.json('GET', '/v1/models', undefined, { signal }));
  return data.map(({ id, root, parent, max_model_len }) => ({
    id,
    root: root ?? null,
    parent: parent ?? null,
    contextTokens: max_model_len ?? null,
  }));
}

const usage = z.object({
  completion_tokens: z.number().int().nonnegative(),
  prompt_tokens_details: z.object({ cached_tokens: z.number().int().nullish() }).nullish(),
});
const chunk = z.object({
  model: z.string(),
  choices: z
    .array(
      z.object({
        text: z.string(),
        token_ids: z.array(z.number().int()).nullish(),
        finish_reason: z.string().nullish(),
        /** vLLM: the stop text, or a token's id. */
        stop_reason: z.union([z.string(), z.number()]).nullish(),
        /** SGLang's name of it. */
        matched_stop: z.union([z.string(), z.number()]).nullish(),
      }),
    )
    .max(1),
  usage: usage.nullish(),
});

/**
 * Stated, because engines have other defaults than the worker, and vLLM fills in what a request leaves out from the model's
 * `generation_config.json`: its `repetition_penalty` changes answers at temperature 0 as well.
 */
const NO_PENALTIES = { repetition_penalty: 1, presence_penalty: 0, frequency_penalty: 0 };
/** Every token as probable as the model holds it. */
export const AS_THE_MODEL = { ...NO_PENALTIES, top_p: 1, top_k: -1, min_p: 0 };
const AS_THE_WORKER = { ...NO_PENALTIES, top_p: SAMPLING.topP, top_k: SAMPLING.topK, min_p: SAMPLING.minP };

/** Engines refuse a share of 0, by which the worker takes the most probable token. */
const LEAST_TOP_P = 1e-6;

const drawnAs = ({ topP, frequencyPenalty, presencePenalty }: NonNullable<GenerationRequest['sampling']> = {}) => ({
  ...(topP !== undefined && { top_p: Math.max(topP, LEAST_TOP_P) }),
  ...(frequencyPenalty !== undefined && { frequency_penalty: frequencyPenalty }),
  ...(presencePenalty !== undefined && { presence_penalty: presencePenalty }),
});

/**
 * An answer, piece by piece. The model that each piece names has to be the one that was asked.
 * @param extras what the dialect asks for besides
 */
export async function* streamCompletion(
  http: EngineHttp,
  model: string,
  { tokens, maxTokens, temperature, seed, sampling, stop }: GenerationRequest,
  extras: object,
  signal: AbortSignal,
): AsyncGenerator<AnswerPiece, void> {
  const body = {
    model,
    prompt: tokens,
    max_tokens: maxTokens,
    temperature,
    ...AS_THE_WORKER,
    ...drawnAs(sampling),
    stream: true,
    ...(seed === undefined ? {} : { seed }),
    ...(stop.length === 0 ? {} : { stop }),
    stream_options: { include_usage: true },
    ...extras,
  };
  let hasEnded = false;
  for await (const event of http.events('/v1/completions', body, signal)) {
    if (isErrorEvent(event)) throw faultOf(event.error.code ?? 500, event.error.message);
    const read = readAs(chunk, event);
    if (read.model !== model) throw new EngineFault('BROKEN', `it answers as ${read.model}, not as ${model}`);
    const piece = pieceOf(read);
    hasEnded ||= piece.reason !== null;
    yield piece;
  }
  if (!hasEnded) throw new EngineFault('BROKEN', 'it broke off in the middle of an answer');
}

function pieceOf({ choices: [choice], usage }: z.infer<typeof chunk>): AnswerPiece {
  const reason = choice?.finish_reason ?? null;
  return {
    text: choice?.text ?? '',
    tokens: choice?.token_ids ?? [],
    reason: reason === null ? null : reasonOf(reason, choice?.stop_reason ?? choice?.matched_stop ?? null),
    usage: usage
      ? {
          generatedTokens: usage.completion_tokens,
          reusedTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
        }
      : null,
  };
}

const errorEvent = z.object({ error: z.object({ message: z.string(), code: z.number().int().nullish() }) });

/** What a server refuses once its stream is open it tells in the stream. */
const isErrorEvent = (event: unknown): event is z.infer<typeof errorEvent> => errorEvent.safeParse(event).success;

function reasonOf(reason: string, stopped: string | number | null): NonNullable<AnswerPiece['reason']> {
  if (reason === 'length') return 'length';
  if (reason === 'stop') return typeof stopped === 'string' ? 'stop' : 'eos';
  throw new EngineFault('BROKEN', `its answer ended with ${JSON.stringify(reason)}`);
}

/** @throws EngineFault BROKEN when it isn't that */
export function readAs<T>(schema: z.ZodType<T>, value: unknown): T {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new EngineFault('BROKEN', `its answer can’t be read: ${issue?.path.join('.')} ${issue?.message}`);
}

/** The one base model that it serves. @throws EngineFault REFUSED when it serves none or several */
export function onlyBase(models: readonly EngineModel[]): EngineModel {
  const bases = models.filter(({ parent }) => parent === null);
  if (bases.length === 1) return bases[0]!;
  throw new EngineFault('REFUSED', `it serves ${bases.length} base models; an engine here serves one`);
}
