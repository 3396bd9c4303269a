import type { LlamaContext, LlamaContextSequence, LlamaModel } from 'node-llama-cpp';
import type { ThreadChoice } from '../../../src/worker-protocol/index.js';
import type { SpreadThreads } from './spread-threads.js';

/** The methods of node-llama-cpp 3.22.1's native context that are called for each batch, in this order. */
interface NativeContext {
  initBatch(tokens: number): void;
  addToBatch(sequence: number, ...rest: unknown[]): unknown;
  setThreads(threads: number): void;
  decodeBatch(): Promise<void>;
  setLoras(adapters: NativeAdapter[], scales: number[]): void;
}

/** An adapter in memory; after `dispose` it may not be set any more. */
export interface NativeAdapter {
  dispose(): Promise<void>;
}

/** What of node-llama-cpp 3.22.1's model knows adapters: it keeps each for the model's life, by its path. */
interface AdapterKeeper {
  _getOrLoadLora(path: string): Promise<NativeAdapter>;
  _loraAdapters: Map<string, NativeAdapter>;
}

const nativeOf = (context: LlamaContext): NativeContext => (context as unknown as { _ctx: NativeContext })._ctx;

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
 * This file is the only place that touches private members; the package's version is pinned and tests check the effects.
 * @param beforeDecode gets the numbers of the sequences in a batch, and throws if it must not be decoded as things stand
 * @returns a function that changes the choice
 */
export function chooseThreads(
  context: LlamaContext,
  first: AppliedThreads,
  cores: Cores,
  beforeDecode: (sequences: ReadonlySet<number>) => void = () => undefined,
): (choice: AppliedThreads) => void {
  const native = nativeOf(context);
  const initBatch = native.initBatch.bind(native);
  const addToBatch = native.addToBatch.bind(native);
  const setThreads = native.setThreads.bind(native);
  const decodeBatch = native.decodeBatch.bind(native);
  let choice = first;
  let isPrompt = false;
  let threads = 1;
  const inBatch = new Set<number>();
  const override = <K extends keyof NativeContext>(name: K, value: NativeContext[K]): void => {
    // Its own property, because the class's methods are read-only.
    Object.defineProperty(native, name, { value });
  };
  override('initBatch', (tokens) => {
    isPrompt = tokens > context.totalSequences;
    inBatch.clear();
    initBatch(tokens);
  });
  override('addToBatch', (sequence, ...rest) => {
    inBatch.add(sequence);
    return addToBatch(sequence, ...rest);
  });
  override('setThreads', () => {
    const count = isPrompt ? choice.prefill : choice.decode;
    threads = choice.exact === true || count === 1 ? count : Math.min(count, cores.free());
    setThreads(threads);
  });
  // A single token is decoded before its threads could be sorted out.
  override('decodeBatch', () => {
    beforeDecode(inBatch);
    return isPrompt ? cores.spread(threads, decodeBatch) : decodeBatch();
  });
  return (next) => {
    choice = next;
  };
}

/** The number by which a sequence is known in a batch. */
export const numberOf = (sequence: LlamaContextSequence): number =>
  (sequence as unknown as { _sequenceId: number })._sequenceId;

/** Reads an adapter into memory; the file is not needed afterwards. @throws when llama.cpp refuses it */
export async function loadAdapter(model: LlamaModel, path: string): Promise<NativeAdapter> {
  const keeper = model as unknown as AdapterKeeper;
  const adapter = await keeper._getOrLoadLora(path);
  // Whoever loads it keeps it, and gives it back.
  keeper._loraAdapters.delete(path);
  return adapter;
}

/**
 * The adapters that act on every sequence of the context from its next batch on. What sequences hold was computed with others and stays:
 * who sets adapters answers for what is reused. `_setLoras` of the context would count uses that it never takes back.
 */
export function setAdapters(context: LlamaContext, adapters: readonly (readonly [NativeAdapter, number])[]): void {
  nativeOf(context).setLoras(
    adapters.map(([adapter]) => adapter),
    adapters.map(([, scale]) => scale),
  );
}
