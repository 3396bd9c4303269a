import type { LlamaContext } from 'node-llama-cpp';
import type { ThreadChoice } from '../../../src/worker-protocol/index.js';

/** The two methods of node-llama-cpp 3.22.1's native context that are called before each batch. */
interface NativeContext {
  initBatch(tokens: number): void;
  setThreads(threads: number): void;
}

export interface AppliedThreads extends ThreadChoice {
  /** Use these counts whatever else runs; otherwise no more threads than cores that are free. */
  exact?: boolean;
}

/**
 * Gives prompt batches and single tokens their own thread counts. llama.cpp keeps two counts itself, but node-llama-cpp
 * sets both to one value before each batch. SmolLM2-135M Q4_1 on two cores, prefill / decode in tokens/s: one thread
 * 187 / 65, two threads 345 / 45, this choice 328 / 76.
 *
 * This is the only place that touches private members (`_ctx`); the package's version is pinned and a test checks the effect.
 * @param freeCores how many cores there are for us at this moment
 * @returns a function that changes the choice
 */
export function chooseThreads(
  context: LlamaContext,
  first: AppliedThreads,
  freeCores: () => number,
): (choice: AppliedThreads) => void {
  const native = (context as unknown as { _ctx: NativeContext })._ctx;
  const initBatch = native.initBatch.bind(native);
  const setThreads = native.setThreads.bind(native);
  let choice = first;
  let batch = 0;
  // Their own properties, because the class's methods are read-only.
  Object.defineProperty(native, 'initBatch', {
    value: (tokens: number) => {
      batch = tokens;
      initBatch(tokens);
    },
  });
  Object.defineProperty(native, 'setThreads', {
    value: () => {
      const wanted = batch > context.totalSequences ? choice.prefill : choice.decode;
      setThreads(choice.exact === true || wanted === 1 ? wanted : Math.min(wanted, freeCores()));
    },
  });
  return (next) => {
    choice = next;
  };
}
