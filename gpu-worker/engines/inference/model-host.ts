import { access } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Llama, LlamaContext, LlamaModel, Token } from 'node-llama-cpp';
import { GraftError } from '../../../src/kernel/errors.js';
import type { ActingAdapter, ModelFile, ThreadChoice } from '../../../src/worker-protocol/index.js';
import { timed } from '../../call-trace.js';
import { errorFields, log } from '../../log.js';
import { Turns } from '../../turns.js';
import { Adapters, keyOf } from './adapters.js';
import { SequenceLease, type Slot, type LeaseRequest } from './lease.js';
import { chooseThreads, numberOf, type AppliedThreads, type Cores } from './native-context.js';
import { NoNumbers, withoutNumbers } from './no-numbers.js';
import { Pace } from './pace.js';
import { servedForm } from './served-form.js';
import { reusable, slicesFor, type Slices } from './slices.js';

interface HostOptions {
  sequences: number;
  contextTokens: number;
  batchTokens: number;
  models: number;
  adapterBytes: number;
}

/** Until a model is calibrated: all cores for prompts, half of them (which is one of two) for single tokens. */
export function defaultThreads(cores = availableParallelism()): ThreadChoice {
  return { prefill: cores, decode: Math.max(1, Math.floor(cores / 2)) };
}

/** A model in memory with its one context, whose sequences are lent to generations. */
export class HostedModel {
  /** How long it takes to read. */
  readonly pace: Pace;
  private readonly slots: Slot[];
  private useCount = 0;
  /** Sets of adapters under which it has computed numbers, as `keyOf` says them. */
  readonly computedUnder = new Set<string>(['']);
  private sliced: Slices | undefined;

  constructor(
    readonly model: LlamaModel,
    readonly context: LlamaContext,
    readonly adapters: Adapters,
    readonly setThreads: (choice: AppliedThreads) => void,
  ) {
    this.pace = Pace.of(model);
    this.slots = Array.from({ length: context.totalSequences }, () => ({
      sequence: context.getSequence(),
      busy: false,
      lastUsed: 0,
      filledUnder: '',
      read: 0,
    }));
  }

  get busy(): boolean {
    return this.slots.some((slot) => slot.busy);
  }

  /** How prompts are sliced: decided when the first is read, and kept, because what is reused was read so. */
  get slices(): Slices {
    return (this.sliced ??= slicesFor(this.pace.speed, this.context.batchSize));
  }

  /** Tokens of a prompt that a free sequence holds already, computed under the same adapters. */
  shared(prompt: readonly Token[], adapters: readonly ActingAdapter[]): number {
    const key = keyOf(adapters);
    const free = this.slots.filter((slot) => !slot.busy && slot.filledUnder === key);
    return Math.max(0, ...free.map((slot) => this.sharedBy(slot, prompt)));
  }

  /** The same of one sequence: never the last two tokens, because one alone is computed in another way. */
  sharedBy({ sequence, read }: Slot, prompt: readonly Token[]): number {
    const commonTokens = sequence.compareContextTokens([...prompt]).firstDifferentIndex;
    return reusable(Math.max(0, Math.min(commonTokens, read, prompt.length - 2)), this.slices);
  }

  /**
   * Lends the free sequence that shares the longest beginning with `tokens`, computed under the same adapters; of equals the one unused
   * for longest.
   * @throws what `Adapters.hold` throws; ADAPTER_NOT_FINITE, MODEL_FILE_INVALID when the model computes no numbers
   */
  async withSequence<T>(
    tokens: readonly Token[],
    request: LeaseRequest,
    work: (lease: SequenceLease) => Promise<T>,
  ): Promise<T> {
    const holdAdapters = () => this.adapters.hold(request.adapters);
    const release = await (request.adapters.length === 0
      ? holdAdapters()
      : timed(request.trace, 'hold_adapter', holdAdapters));
    try {
      return await this.lend(tokens, request, work);
    } catch (error) {
      throw error instanceof NoNumbers ? withoutNumbers(request.adapters) : error;
    } finally {
      await release();
    }
  }

  private async lend<T>(
    tokens: readonly Token[],
    request: LeaseRequest,
    work: (lease: SequenceLease) => Promise<T>,
  ): Promise<T> {
    const key = keyOf(request.adapters);
    const shared = (slot: Slot): number => (slot.filledUnder === key ? this.sharedBy(slot, tokens) : 0);
    const free = this.slots
      .filter((slot) => !slot.busy)
      .map((slot) => ({ slot, shared: shared(slot) }))
      .sort((a, b) => b.shared - a.shared || a.slot.lastUsed - b.slot.lastUsed);
    const slot = free[0]?.slot;
    if (slot === undefined) throw new Error('more generations were started than there are sequences');
    slot.busy = true;
    const lease = new SequenceLease(this, slot, request);
    try {
      if (slot.filledUnder !== key) await lease.clear();
      slot.filledUnder = key;
      return await work(lease);
    } catch (error) {
      // After a failed batch nobody knows what the sequence holds.
      if (!(error instanceof GraftError)) await lease.clear().catch(() => undefined);
      throw error;
    } finally {
      slot.busy = false;
      slot.lastUsed = ++this.useCount;
    }
  }

  /** The last look before a batch is decoded. @throws when a sequence in it was filled under other adapters than those that act */
  checkBatch(inBatch: ReadonlySet<number>): void {
    const { key } = this.adapters;
    if (this.slots.some(({ sequence, filledUnder }) => inBatch.has(numberOf(sequence)) && filledUnder !== key))
      throw new Error('a batch holds a sequence of another adapter than the one that acts');
  }

  /** Empties every sequence that is free: nothing of earlier prompts is reused. */
  async forget(): Promise<void> {
    for (const slot of this.slots) {
      if (slot.busy) continue;
      slot.read = 0;
      await slot.sequence.clearHistory();
    }
  }
}

interface Entry {
  hosted: Promise<HostedModel>;
  users: number;
  lastUsed: number;
}

/** Loads models when they are first asked for and keeps the last few; more only while more are in use at once, which the lanes bound. */
export class ModelHost {
  /** Who works with the cores, of all models. */
  readonly turns = new Turns();
  private readonly entries = new Map<string, Entry>();
  private useCount = 0;

  constructor(
    private readonly llama: Llama,
    private readonly options: HostOptions,
    private readonly cores: Cores,
  ) {}

  /** Digests of the models in memory. */
  get loaded(): string[] {
    return [...this.entries.keys()];
  }

  /** @throws MODEL_UNAVAILABLE when the file is gone, MODEL_FILE_INVALID when it can't be loaded */
  async use<T>(file: ModelFile, work: (model: HostedModel) => Promise<T>): Promise<T> {
    let entry = this.entries.get(file.sha256);
    if (entry === undefined) {
      await this.keep(this.options.models - 1);
      // Another request may have loaded it while room was made.
      entry = this.entries.get(file.sha256) ?? { hosted: this.load(file), users: 0, lastUsed: 0 };
      this.entries.set(file.sha256, entry);
    }
    entry.users += 1;
    entry.lastUsed = ++this.useCount;
    try {
      return await work(await entry.hosted);
    } finally {
      entry.users -= 1;
    }
  }

  /**
   * Gives up what is kept beyond the limit: where all were in use, more was loaded. To be called behind an answer, not behind a look at its tokens: the
   * model that was read for that is asked next.
   */
  async trim(): Promise<void> {
    await this.keep(this.options.models).catch((error: unknown) =>
      log('error', 'a model could not be given up', errorFields(error)),
    );
  }

  /** Gives up models that nobody uses until so many are left, the one unused for longest first. */
  private async keep(models: number): Promise<void> {
    while (this.entries.size > models) {
      const idle = [...this.entries].filter(([, entry]) => entry.users === 0);
      const oldest = idle.sort(([, a], [, b]) => a.lastUsed - b.lastUsed)[0];
      if (oldest === undefined) return;
      this.entries.delete(oldest[0]);
      const hostedModel = await oldest[1].hosted.catch(() => null);
      await hostedModel?.model.dispose();
    }
  }

  private async load(file: ModelFile): Promise<HostedModel> {
    const began = performance.now();
    let model: LlamaModel | undefined;
    try {
      await access(file.path);
      const onGpu = this.llama.gpu !== false;
      const modelPath = onGpu ? file.path : await servedForm(file);
      model = await this.llama.loadModel({ modelPath, gpuLayers: onGpu ? 'auto' : 0 });
      const contextSize = Math.min(file.contextLength, this.options.contextTokens, model.trainContextSize);
      const threads = defaultThreads();
      const context = await model.createContext({
        contextSize,
        sequences: this.options.sequences,
        batchSize: Math.min(this.options.batchTokens, contextSize),
        threads: threads.prefill,
      });
      log('info', 'model loaded', { sha256: file.sha256, contextSize, ms: Math.round(performance.now() - began) });
      const adapters = new Adapters(model, context, file.path, this.options.adapterBytes);
      const setThreads = chooseThreads(context, threads, this.cores, (sequences) => hostedModel.checkBatch(sequences));
      const hostedModel = new HostedModel(model, context, adapters, setThreads);
      return hostedModel;
    } catch (error) {
      this.entries.delete(file.sha256);
      await model?.dispose();
      log('error', 'a model could not be loaded', { sha256: file.sha256, ...errorFields(error) });
      if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        throw new GraftError('MODEL_UNAVAILABLE', 'The model’s file is gone from the models folder.', { cause: error });
      throw new GraftError('MODEL_FILE_INVALID', 'The model’s file could not be loaded.', { cause: error });
    }
  }
}
