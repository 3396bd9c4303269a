import { availableParallelism } from 'node:os';
import type { LlamaContextSequence, Token } from 'node-llama-cpp';
import type { ThreadCalibration } from '../../../src/worker-protocol/index.js';
import { watchOthers } from '../../cores.js';
import type { Turn } from '../../turns.js';
import type { HostedModel } from './model-host.js';

const PROMPT_TOKENS = 96;
const ANSWER_TOKENS = 16;
/**
 * Rounds are interleaved and the median of each counts. Not the best: two threads that wait for each other on two virtual cores
 * write a third to two thirds of what one thread writes, most of the time, and once in a while more.
 */
const ROUNDS = 3;
/** A decode that is this slow has shown it: on busy cores two threads were seen to take a second a token. */
const LONGEST_DECODE_MS = 1_000;
/** A thread count this far behind the best in the first round isn't measured again. */
const HOPELESS = 0.6;
/** Other programs' share of the processors above which the figures are not worth keeping. */
const QUIET = 0.15;
const TEXT =
  'A lighthouse keeper wrote down the weather every hour, and the ships that passed, and what they carried. ';

/** Thread counts worth trying: powers of two, and all cores. */
export function candidates(cores: number): number[] {
  const powers = [1, 2, 4, 8, 16, 32].filter((count) => count < cores);
  return [...powers, Math.min(cores, 64)];
}

/** Tokens/s. */
export interface ThreadSpeeds {
  prefill: number;
  decode: number;
}

/** Rounds of each thread count. */
type ThreadRounds = ReadonlyMap<number, readonly ThreadSpeeds[]>;

const typical = (rounds: ThreadRounds, threads: number, phase: keyof ThreadSpeeds): number =>
  median((rounds.get(threads) ?? []).map((figures) => figures[phase]));

/** The thread count with the best median; of equals the first. */
export const fastest = (rounds: ThreadRounds, phase: keyof ThreadSpeeds): number =>
  [...rounds.keys()].reduce((a, b) => (typical(rounds, b, phase) > typical(rounds, a, phase) ? b : a));

/** Measures prefill and decode at each thread count, in some three seconds; needs the sequences of the model for itself. @throws the signal's reason */
export async function calibrate(
  hostedModel: HostedModel,
  turn: Turn,
  signal: AbortSignal,
  cores = availableParallelism(),
): Promise<ThreadCalibration> {
  const { model } = hostedModel;
  const tokens = model.tokenize(TEXT, false);
  const prompt = Array.from(
    { length: PROMPT_TOKENS },
    (_, index) => tokens[index % tokens.length] ?? 0,
  ) as typeof tokens;
  const counts = candidates(cores);
  const rounds = new Map(counts.map((count): [number, ThreadSpeeds[]] => [count, []]));
  await measure(hostedModel, turn, prompt, counts[0] ?? 1); // the first run also reads the weights from disk
  const otherLoad = watchOthers();
  for (let round = 0; round < ROUNDS; round++)
    for (const threads of counts) {
      signal.throwIfAborted();
      const hopeless = (phase: keyof ThreadSpeeds): boolean =>
        typical(rounds, threads, phase) < HOPELESS * typical(rounds, fastest(rounds, phase), phase);
      if (round > 0 && hopeless('prefill') && hopeless('decode')) continue;
      rounds.get(threads)?.push(await measure(hostedModel, turn, prompt, threads));
    }
  await hostedModel.forget();
  const prefill = fastest(rounds, 'prefill');
  hostedModel.pace.calibrated(typical(rounds, prefill, 'prefill'));
  return {
    threads: { prefill, decode: fastest(rounds, 'decode') },
    quiet: otherLoad() < QUIET,
    measurements: counts.map((threads) => ({
      threads,
      prefillTokensPerSecond: typical(rounds, threads, 'prefill'),
      decodeTokensPerSecond: typical(rounds, threads, 'decode'),
    })),
  };
}

/** The middle value, the lower one of two; 0 of none. */
function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;
}

/** One measurement is one turn: nothing else is computed meanwhile. */
async function measure(hostedModel: HostedModel, turn: Turn, prompt: Token[], threads: number): Promise<ThreadSpeeds> {
  const request = { adapters: [], threads: { prefill: threads, decode: threads, exact: true }, turn };
  return hostedModel.withSequence(prompt, request, async (lease) => {
    await lease.clear();
    return lease.alone(() => timed(lease.sequence, prompt));
  });
}

async function timed(sequence: LlamaContextSequence, prompt: Token[]): Promise<ThreadSpeeds> {
  const began = performance.now();
  let prefilled = 0;
  let endedAt = 0;
  let tokens = 0;
  // An end-of-text token is taken like any other, so that it can't cut the measurement short.
  for await (const _ of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    endedAt = performance.now();
    if (tokens === 0) prefilled = endedAt;
    if (tokens === ANSWER_TOKENS || (tokens > 0 && endedAt - prefilled > LONGEST_DECODE_MS)) break;
    tokens += 1;
  }
  return {
    prefill: (prompt.length / (prefilled - began)) * 1000,
    decode: (tokens / (endedAt - prefilled)) * 1000,
  };
}
