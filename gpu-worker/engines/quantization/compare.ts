import { availableParallelism } from 'node:os';
import type { LlamaContextSequence, Token } from 'node-llama-cpp';
import { GraftError } from '../../../src/kernel/errors.js';
import type { CompareInput, CompareOutput, ModelFile } from '../../../src/worker-protocol/index.js';
import { calibrate } from '../inference/calibrate.js';
import { openLlama } from '../inference/llama.js';
import { ModelHost, type HostedModel } from '../inference/model-host.js';
import { openThreadSpreader } from '../inference/spread-threads.js';
import { Agreement } from './agreement.js';

/** Tokens whose logits are held at once, of each of the two models: a table of the vocabulary each. */
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
export async function compareModels(
  { reference, model, texts, windowTokens }: CompareInput,
  onFraction: (fraction: number) => void,
): Promise<CompareOutput> {
  const llama = await openLlama(false);
  const host = new ModelHost(
    llama,
    { sequences: 1, contextTokens: CONTEXT_TOKENS, batchTokens: 256, models: 2, adapterBytes: 0 },
    { free: () => availableParallelism(), spread: await openThreadSpreader() },
  );
  try {
    const windows = await host.use(reference, async (hosted) => windowsOf(hosted, texts, windowTokens));
    const speed = { reference: await speedOf(host, reference), model: await speedOf(host, model) };
    const agreement = await host.use(reference, (first) =>
      host.use(model, (second) => agreementOf(first, second, windows, onFraction)),
    );
    return { ...agreement, speed };
  } finally {
    await llama.dispose();
  }
}

/** The beginning of each text, as tokens: the first of a window is only read. */
function windowsOf({ model }: HostedModel, texts: readonly string[], size: number): Token[][] {
  return texts.map((text) => model.tokenize(text, false).slice(0, size)).filter((window) => window.length > 1);
}

async function agreementOf(
  reference: HostedModel,
  model: HostedModel,
  windows: readonly Token[][],
  onFraction: (fraction: number) => void,
): Promise<Omit<CompareOutput, 'speed'>> {
  const vocabulary = vocabularyOf(reference);
  if (vocabularyOf(model) !== vocabulary)
    throw new GraftError('BAD_USER_INPUT', 'The two forms have vocabularies of different sizes.');
  const agreement = new Agreement();
  const total = windows.reduce((sum, window) => sum + window.length, 0);
  let read = 0;
  for (const window of windows)
    await withFresh(reference, (first) =>
      withFresh(model, async (second) => {
        for (let from = 0; from < window.length - 1; from += TOKENS_AT_ONCE) {
          const piece = window.slice(from, Math.min(from + TOKENS_AT_ONCE, window.length - 1));
          const [expected, found] = [
            await logitsOf(first, piece, vocabulary),
            await logitsOf(second, piece, vocabulary),
          ];
          piece.forEach((_, place) => agreement.add(expected[place]!, found[place]!, window[from + place + 1]!));
          read += piece.length;
          onFraction(read / total);
        }
      }),
    );
  return agreement.result();
}

const vocabularyOf = ({ model }: HostedModel): number => model.fileInfo.metadata.tokenizer.ggml.tokens.length;

function withFresh<T>(hosted: HostedModel, work: (sequence: LlamaContextSequence) => Promise<T>): Promise<T> {
  return hosted.withSequence([], [], async (sequence) => {
    await sequence.clearHistory();
    return work(sequence);
  });
}

/** The logits after each of the tokens, which go on where the sequence is. @returns [tokens] of [vocabulary] */
async function logitsOf(sequence: LlamaContextSequence, tokens: Token[], vocabulary: number): Promise<Float32Array[]> {
  const results = await sequence.controlledEvaluate(tokens.map((token) => [token, EVERY_LOGIT]));
  return results.map((result) => {
    const logits = new Float32Array(vocabulary).fill(-Infinity);
    for (const [token, logit] of result?.next.logits ?? []) logits[token] = logit;
    return logits;
  });
}

/** Each with the thread counts that are fastest for it, in tokens/s. */
async function speedOf(host: ModelHost, file: ModelFile): Promise<CompareOutput['speed']['model']> {
  const { threads, measurements, quiet } = await host.use(file, (hosted) =>
    calibrate(hosted, new AbortController().signal),
  );
  const at = (count: number) => measurements.find((measured) => measured.threads === count)!;
  return {
    prefill: at(threads.prefill).prefillTokensPerSecond,
    decode: at(threads.decode).decodeTokensPerSecond,
    threads,
    quiet,
  };
}
