import { availableParallelism } from 'node:os';
import type { Token } from 'node-llama-cpp';
import { GraftError } from '../../../src/kernel/errors.js';
import type {
  AdapterFile,
  AgreeInput,
  AgreeOutput,
  CompareInput,
  CompareOutput,
  ModelFile,
} from '../../../src/worker-protocol/index.js';
import { calibrate } from '../inference/calibrate.js';
import { openLlama } from '../inference/llama.js';
import type { SequenceLease } from '../inference/lease.js';
import { defaultThreads, ModelHost, type HostedModel } from '../inference/model-host.js';
import { tokenizePrompt, tokenizeText } from '../inference/prompt.js';
import { openThreadSpreader } from '../inference/spread-threads.js';
import type { Turn } from '../../turns.js';
import { Agreement } from './agreement.js';

/** Tokens whose logits llama.cpp hands over at once: a table of the vocabulary each. Those of a window are held. */
const TOKENS_AT_ONCE = 16;
/** As answers are read and written; a window of text is shorter. */
const CONTEXT_TOKENS = 1_024;

/** A sampler that keeps every token shows every logit; its defaults hide most of them. */
const EVERY_LOGIT = {
  generateNext: { options: { temperature: 1, topK: 0, topP: 1, minP: 0 }, logits: true },
} as const;

/**
 * Holds one form of a model against another, both as llama.cpp serves them: what they say of the next token at every place of the texts,
 * and how fast they read and write on this machine. Run it in a throw-away process: both are in memory then.
 * @param onFraction 0..1
 * @throws MODEL_FILE_INVALID, MODEL_UNAVAILABLE, BAD_USER_INPUT when their vocabularies differ
 */
export const compareModels = (
  { reference, model, ...probes }: CompareInput,
  onFraction: (fraction: number) => void,
): Promise<CompareOutput> =>
  withHost(async (host) => {
    const speed = { reference: await speedOf(host, reference), model: await speedOf(host, model) };
    return { ...(await agreementOf(host, { reference, model, ...probes }, onFraction)), speed };
  });

/** The same without speed. Adapters act where a model's file names some. @throws as `compareModels`, and what `Adapters.apply` throws */
export const agreeModels = (input: AgreeInput, onFraction: (fraction: number) => void): Promise<AgreeOutput> =>
  withHost((host) => agreementOf(host, input, onFraction));

/** The process has nothing else to do. */
const NOBODY_ELSE = { priority: 'bulk', group: '' } as const;

async function withHost<T>(work: (host: ModelHost) => Promise<T>): Promise<T> {
  const llama = await openLlama(false);
  try {
    const host = new ModelHost(
      llama,
      { sequences: 1, contextTokens: CONTEXT_TOKENS, batchTokens: 256, models: 2, adapterBytes: 0 },
      { free: () => availableParallelism(), spread: await openThreadSpreader() },
    );
    return await work(host);
  } finally {
    await llama.dispose();
  }
}

/** The beginning of each text, as tokens: the first of a window is only read. */
function windowsOf({ model }: HostedModel, texts: AgreeInput['texts'], size: number): Token[][] {
  const tokens = (text: AgreeInput['texts'][number]): Token[] =>
    typeof text === 'string' ? tokenizeText(model, text) : tokenizePrompt(model, text);
  return texts.map((text) => tokens(text).slice(0, size)).filter((window) => window.length > 1);
}

const agreementOf = (
  host: ModelHost,
  { reference, model, texts, windowTokens }: AgreeInput,
  onFraction: (fraction: number) => void,
): Promise<AgreeOutput> =>
  host.use(reference, (first) =>
    host.use(model, (second) =>
      agreementOn(
        windowsOf(first, texts, windowTokens),
        [first, reference.adapters ?? []],
        [second, model.adapters ?? []],
        host.turns.join(NOBODY_ELSE),
        onFraction,
      ),
    ),
  );

type Adapted = readonly [model: HostedModel, adapters: readonly AdapterFile[]];

async function agreementOn(
  windows: readonly Token[][],
  [reference, referenceAdapters]: Adapted,
  [model, modelAdapters]: Adapted,
  turn: Turn,
  onFraction: (fraction: number) => void,
): Promise<AgreeOutput> {
  const vocabulary = vocabularyOf(reference);
  if (vocabularyOf(model) !== vocabulary)
    throw new GraftError('BAD_USER_INPUT', 'The two forms have vocabularies of different sizes.');
  const agreement = new Agreement();
  const total = windows.reduce((sum, window) => sum + window.length, 0);
  let read = 0;
  for (const window of windows) {
    // One after the other: both may be the same model, under other adapters.
    const expected = await withFresh(reference, referenceAdapters, turn, (lease) =>
      logitsOf(lease, window, vocabulary),
    );
    await withFresh(model, modelAdapters, turn, async (lease) => {
      const actualLogits = await logitsOf(lease, window, vocabulary);
      actualLogits.forEach((logits, place) => agreement.add(expected[place]!, logits, window[place + 1]!));
    });
    read += window.length;
    onFraction(read / total);
  }
  return agreement.result();
}

const vocabularyOf = ({ model }: HostedModel): number => model.fileInfo.metadata.tokenizer.ggml.tokens.length;

function withFresh<T>(
  hostedModel: HostedModel,
  adapters: readonly AdapterFile[],
  turn: Turn,
  work: (lease: SequenceLease) => Promise<T>,
): Promise<T> {
  return hostedModel.withSequence([], { adapters, threads: defaultThreads(), turn }, async (lease) => {
    await lease.clear();
    return work(lease);
  });
}

/** The logits after each token of a window but the last. @returns [tokens - 1] of [vocabulary] */
async function logitsOf(lease: SequenceLease, window: readonly Token[], vocabulary: number): Promise<Float32Array[]> {
  const logitRows: Float32Array[] = [];
  for (let from = 0; from < window.length - 1; from += TOKENS_AT_ONCE) {
    const piece = window.slice(from, Math.min(from + TOKENS_AT_ONCE, window.length - 1));
    const results = await lease.evaluate(piece.map((token) => [token, EVERY_LOGIT]));
    for (const result of results) {
      const logits = new Float32Array(vocabulary).fill(-Infinity);
      for (const [token, logit] of result?.next.logits ?? []) logits[token] = logit;
      logitRows.push(logits);
    }
  }
  return logitRows;
}

/** Each with the thread counts that are fastest for it, in tokens/s. */
async function speedOf(host: ModelHost, file: ModelFile): Promise<CompareOutput['speed']['model']> {
  const { threads, measurements, quiet } = await host.use(file, (hostedModel) =>
    calibrate(hostedModel, host.turns.join(NOBODY_ELSE), new AbortController().signal),
  );
  const measurementFor = (count: number) => measurements.find((measurement) => measurement.threads === count)!;
  return {
    prefill: measurementFor(threads.prefill).prefillTokensPerSecond,
    decode: measurementFor(threads.decode).decodeTokensPerSecond,
    threads,
    quiet,
  };
}
