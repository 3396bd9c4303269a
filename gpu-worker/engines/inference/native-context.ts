import type { LlamaContext } from 'node-llama-cpp';
import type { ThreadChoice } from '../../../src/worker-protocol/index.js';
import type { SpreadThreads } from './spread-threads.js';

/** The methods of node-llama-cpp 3.22.1's native context that are called for each batch, in this order. */
interface NativeContext {
  initBatch(tokens: number): void;
  setThreads(threads: number): void;
  decodeBatch(): Promise<void>;
}

export interface AppliedThreads extends ThreadChoice {
  /** Use these counts whatever else runs; otherwise no more threads than cores that are free. */
  exact?: boolean;
}

export interface Cores {
  /** How many there are for us at this moment. */
  free: () => number;
  spread: SpreadThreads;
}

/**
 * Gives prompt batches and single tokens their own thread counts, and the threads of a prompt cores of their own. llama.cpp keeps two
 * counts itself, but node-llama-cpp sets both to one value before each batch. SmolLM2-135M Q4_1 on two cores, prefill / decode in
 * tokens/s: one thread 187 / 65, two threads 345 / 45, this choice 328 / 76.
 *
 * This is the only place that touches private members (`_ctx`); the package's version is pinned and a test checks the effect.
 * @returns a function that changes the choice
 */
export function chooseThreads(
  context: LlamaContext,
  first: AppliedThreads,
  cores: Cores,
): (choice: AppliedThreads) => void {
  const native = (context as unknown as { _ctx: NativeContext })._ctx;
  const initBatch = native.initBatch.bind(native);
  const setThreads = native.setThreads.bind(native);
  const decodeBatch = native.decodeBatch.bind(native);
  let choice = first;
  let isPrompt = false;
  let threads = 1;
  const override = <K extends keyof NativeContext>(name: K, value: NativeContext[K]): void => {
    // Its own property, because the class's methods are read-only.
    Object.defineProperty(native, name, { value });
  };
  override('initBatch', (tokens) => {
    isPrompt = tokens > context.totalSequences;
    initBatch(tokens);
  });
  override('setThreads', () => {
    const wanted = isPrompt ? choice.prefill : choice.decode;
    threads = choice.exact === true || wanted === 1 ? wanted : Math.min(wanted, cores.free());
    setThreads(threads);
  });
  // A single token is decoded before its threads could be sorted out.
  override('decodeBatch', () => (isPrompt ? cores.spread(threads, decodeBatch) : decodeBatch()));
  return (next) => {
    choice = next;
  };
}
