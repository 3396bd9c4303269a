import DataLoader from 'dataloader';
import type { Caller } from '../../kernel/caller.js';
import type { WorkspaceId } from '../../kernel/ids.js';

/** What an operation may cost and does, in units of one plain field; stands in the `extensions.cost` of its answer. */
export interface OperationCost {
  readonly requested: number;
  readonly limit: number;
}

/** What a mutation changed, in plain values that may be kept for ever: states, numbers and names, no text of documents, no secret. */
export interface Change {
  /** Global id of what was changed, where the payload's first object isn't it. */
  subject?: string;
  before?: Readonly<Record<string, ChangeValue>>;
  after?: Readonly<Record<string, ChangeValue>>;
}
export type ChangeValue = string | number | boolean | null;

/** The plain values of an object, as a change may tell them. */
export const plainValues = (value: object): Record<string, ChangeValue> =>
  Object.fromEntries(
    Object.entries(value).filter(
      (entry): entry is [string, ChangeValue] =>
        entry[1] === null || ['string', 'number', 'boolean'].includes(typeof entry[1]),
    ),
  );

/** What one budget has left; null where it has no limit of the kind. */
export interface BudgetLeft {
  readonly of: 'KEY' | 'WORKSPACE';
  readonly window: string;
  readonly resetsAt: string;
  readonly requestsLeft: number | null;
  readonly tokensLeft: number | null;
  readonly concurrentLeft: number | null;
}

/** What every resolver gets as its context: who asks, under which request id, and whether they are still there. */
export interface GraphContext {
  readonly workspaceId: WorkspaceId;
  /** Whose workspace it is, and with which role. */
  readonly caller: Caller;
  /** Stands in the log lines and in masked errors of this request. */
  readonly requestId: string;
  /** Undefined for an operation that will be refused. */
  readonly cost: OperationCost | undefined;
  /** What a mutation says of its change for the audit log, beside its input. */
  readonly change: Change;
  /** What budgets have left after this operation; stands in the `extensions.budget` of its answer. */
  budget: readonly BudgetLeft[] | undefined;
  /** Aborts when the client disconnects, cancels its subscription, or the gateway gives up draining. */
  readonly signal: AbortSignal;
  /**
   * The request's one DataLoader for `key` (a string, or the service that owns the batch function), made at first use.
   * `batch` answers in the order of its keys; `null` means not found.
   */
  loader<K, V>(key: object | string, batch: BatchFunction<K, V>): DataLoader<K, V | null>;
}

type BatchFunction<K, V> = (keys: readonly K[]) => Promise<readonly (V | Error | null)[]>;

/** Anything whose `signal` can be read; read only when somebody asks, so that a quick request makes none. */
export interface SignalSource {
  readonly signal: AbortSignal;
}

/** Plain properties only: Apollo copies the object (`Object.assign`), and private fields don't survive that. */
class RequestContext implements GraphContext {
  loaders: Map<object | string, unknown> | undefined = undefined;
  readonly workspaceId: WorkspaceId;
  readonly change: Change = {};
  budget: readonly BudgetLeft[] | undefined = undefined;

  constructor(
    readonly caller: Caller,
    readonly requestId: string,
    readonly source: SignalSource,
    readonly cost: OperationCost | undefined,
  ) {
    this.workspaceId = caller.workspaceId;
  }

  get signal(): AbortSignal {
    return this.source.signal;
  }

  loader<K, V>(key: object | string, batch: BatchFunction<K, V>): DataLoader<K, V | null> {
    this.loaders ??= new Map();
    const cachedLoader = this.loaders.get(key);
    if (cachedLoader) return cachedLoader as DataLoader<K, V | null>;
    const newLoader = new DataLoader<K, V | null>(batch);
    this.loaders.set(key, newLoader);
    return newLoader;
  }
}

/** The context of one operation; a subscription gets one too, for as long as it lives. An `AbortController` is a `SignalSource`. */
export const createGraphContext = (
  caller: Caller,
  requestId: string,
  source: SignalSource,
  cost?: OperationCost,
): GraphContext => new RequestContext(caller, requestId, source, cost);
