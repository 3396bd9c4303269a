import type {
  ControlledEvaluateIndexOutput,
  ControlledEvaluateInputItem,
  LlamaContextSequence,
  Token,
} from 'node-llama-cpp';
import type { ActingAdapter, AdapterFile } from '../../../src/worker-protocol/index.js';
import type { CallTrace } from '../../call-trace.js';
import type { Turn } from '../../turns.js';
import type { Adapters } from './adapters.js';
import type { AppliedThreads } from './native-context.js';
import type { Pace } from './pace.js';
import { reusable, sliceEnd, type Slices } from './slices.js';

/** What a call wants its sequence for. */
export interface LeaseRequest {
  adapters: readonly AdapterFile[];
  threads: AppliedThreads;
  turn: Turn;
  /** Is told when adapters change. */
  trace?: CallTrace;
}

/** A sequence of a model in memory, lent or free. */
export interface Slot {
  sequence: LlamaContextSequence;
  busy: boolean;
  lastUsed: number;
  /** What acted when it was filled, as `keyOf` says it: keys and values computed under one adapter are wrong under another. */
  filledUnder: string;
  /** So many of its tokens were read as a prompt reads them; what was generated after them is not reused. */
  read: number;
}

/** What a lease needs of the model that lends it. */
interface Lender {
  readonly adapters: Adapters;
  readonly pace: Pace;
  readonly setThreads: (choice: AppliedThreads) => void;
  readonly slices: Slices;
  /** Tokens of a prompt that the slot's sequence holds already. */
  sharedBy(slot: Slot, prompt: readonly Token[]): number;
}

/** Told between slices of a prompt: tokens that are read, of how many. */
export type OnRead = (read: number, of: number) => void;

type Results = (ControlledEvaluateIndexOutput | undefined)[];

/** A sequence that is lent to one call: each of its batches waits for its turn, and is computed under the call's adapters. */
export class SequenceLease {
  /** The last slice of a prompt, until it is evaluated by whoever wants its result. */
  private unread: { from: number; to: number } | null = null;
  private acted: ActingAdapter[] = [];

  constructor(
    private readonly hosted: Lender,
    private readonly slot: Slot,
    private readonly wanted: LeaseRequest,
  ) {}

  get sequence(): LlamaContextSequence {
    return this.slot.sequence;
  }

  /** What acted on its last batch, read back from the context. */
  get acting(): ActingAdapter[] {
    return this.acted;
  }

  /** Forgets what it holds. */
  async clear(): Promise<void> {
    this.slot.read = 0;
    await this.slot.sequence.clearHistory();
  }

  /** Trims it to what it has in common with a prompt, but for the last two tokens: one alone is computed in another way. @returns tokens kept */
  async reuse(prompt: readonly Token[]): Promise<number> {
    const reusedTokens = this.hosted.sharedBy(this.slot, prompt);
    this.slot.read = reusedTokens;
    await this.slot.sequence.adaptStateToTokens(prompt.slice(0, reusedTokens), false);
    return this.slot.sequence.nextTokenIndex;
  }

  /** Reads a prompt from a place on, slice by slice, but for the last slice, whose result is wanted. @returns the tokens of that */
  async read(prompt: readonly Token[], from: number, onRead: OnRead): Promise<Token[]> {
    const { slices } = this.hosted;
    let position = from;
    for (;;) {
      const end = sliceEnd(position, prompt.length, slices);
      this.slot.read = reusable(position, slices);
      if (end === prompt.length) {
        this.unread = { from: position, to: end };
        return prompt.slice(position);
      }
      await this.batch(position, end, () =>
        this.sequence.evaluateWithoutGeneratingNewTokens(prompt.slice(position, end)),
      );
      position = end;
      onRead(position, prompt.length);
    }
  }

  /** Evaluates tokens of which some ask for a result. */
  evaluate(input: ControlledEvaluateInputItem[]): Promise<Results> {
    const evaluated = (): Promise<Results> => this.sequence.controlledEvaluate(input);
    return input.length === 1 && this.unread === null ? this.together(evaluated) : this.alone(evaluated);
  }

  /** Evaluates a text whose tokens ask for results, slice by slice from the start. */
  async evaluateAll(input: readonly ControlledEvaluateInputItem[], onRead: OnRead): Promise<Results> {
    const results: Results = [];
    for (let position = 0; position < input.length;) {
      const end = sliceEnd(position, input.length, this.hosted.slices);
      const slice = input.slice(position, end);
      const outputs = await this.batch(position, end, () => this.sequence.controlledEvaluate(slice));
      for (let place = 0; place < slice.length; place += 1) results.push(outputs[place]);
      position = end;
      if (position < input.length) onRead(position, input.length);
    }
    return results;
  }

  /** Tokens as they are generated, each in a turn: the first with the last slice of the prompt, the others with those of other calls. */
  async *steps(tokens: AsyncGenerator<Token, void>): AsyncGenerator<Token, void> {
    try {
      for (let first = true; ; first = false) {
        const next = await (first ? this.alone(() => tokens.next()) : this.together(() => tokens.next()));
        if (next.done) return;
        yield next.value;
      }
    } finally {
      await tokens.return();
    }
  }

  /** A batch of its own. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const { unread } = this;
    this.unread = null;
    if (unread === null) return this.wanted.turn.alone(() => this.prepared(work));
    return this.batch(unread.from, unread.to, work);
  }

  private together<T>(work: () => Promise<T>): Promise<T> {
    return this.wanted.turn.together(() => this.prepared(work));
  }

  private batch<T>(from: number, to: number, work: () => Promise<T>): Promise<T> {
    return this.wanted.turn.alone(async () => {
      const began = performance.now();
      const result = await this.prepared(work);
      this.hosted.pace.learn(from, to, performance.now() - began);
      this.slot.read = reusable(to, this.hosted.slices);
      return result;
    });
  }

  /** Adapters and threads belong to the context, whose last user was another one. */
  private prepared<T>(work: () => Promise<T>): Promise<T> {
    const { adapters, trace } = this.wanted;
    const from = performance.now();
    if (this.hosted.adapters.apply(adapters)) trace?.add('switch_adapter', from, performance.now());
    this.hosted.setThreads(this.wanted.threads);
    this.acted = this.hosted.adapters.acting;
    return work();
  }
}
