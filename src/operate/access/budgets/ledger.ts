import { LRUCache } from 'lru-cache';
import type { Spends } from '../../../kit/graphql/index.js';
import type { Caller } from '../../../kernel/caller.js';
import type { Clock } from '../../../kernel/clock.js';
import { newId, type WorkspaceId } from '../../../kernel/ids.js';
import { onAccount, type Account } from '../../../platform/spending/index.js';
import type { AroundRun, RunRow } from '../../../platform/runs/index.js';
import type { Logger } from '../../../platform/telemetry/index.js';
import { exceeded, isClose, RESERVED_TOKENS, spentOne, type BudgetState } from './budget.js';
import type { BudgetStore, Payer } from './budget-store.js';
import { ALWAYS, ASK_BY_REQUEST, TRAININGS, WATCHES } from './kinds.js';
import { Settlements } from './settlements.js';

/** For how long it is remembered who has a budget, in ms. */
const FRESH_MS = 500;
/** How long work may hold a reservation whose gateway is not heard of again, in seconds; then it counts as spent. */
const RESERVATION_SECONDS = 900;
/** How often a run's tokens are added to what was spent, in ms. */
const CHARGE_MS = 10_000;

const deletes = ({ kind, input }: Pick<RunRow, 'kind' | 'input'>): boolean =>
  ALWAYS.has(kind) || (kind === 'IMPORT' && (input as { operation?: string }).operation === 'delete');

/** Paid work that was let in. */
export interface Reservation {
  /** What was left before it; the caller's own budgets first. */
  readonly before: readonly BudgetState[];
  /**
   * Says what it came to, in tokens. Returns at once while plenty is left; near the end of a budget (`isClose`) once the reservation is settled,
   * so that nobody is refused for tokens that are only reserved.
   */
  settle(tokens: number): Promise<void>;
}

const payerOf = ({ workspaceId, key }: Pick<Caller, 'workspaceId'> & { key: { lineId: string } | null }): Payer => ({
  workspaceId,
  lineId: key?.lineId ?? null,
});

/** Keeps what callers and workspaces spend below their budgets. Who has none isn't looked at beyond that. */
export class Ledger {
  readonly #settlements: Settlements;
  readonly #known = new LRUCache<WorkspaceId, { subjects: ReadonlySet<string>; readAt: number }>({ max: 10_000 });

  constructor(private readonly parts: { store: BudgetStore; clock: Clock; log: Logger }) {
    this.#settlements = new Settlements(parts);
  }

  /**
   * @returns null for who has no budget
   * @throws BUDGET_EXCEEDED, OVERLOADED
   */
  async reserve(caller: Caller, work: Spends): Promise<Reservation | null> {
    const payer = payerOf(caller);
    if (!(await this.#hasBudget(payer))) return null;
    const { workspaceId } = payer;
    this.#settlements.sweep();
    await this.#settlements.firstTriesOf(workspaceId);
    const id = newId();
    const tokens = RESERVED_TOKENS[work];
    const training = work === 'TRAINING';
    const reservation = { id, tokens, seconds: RESERVATION_SECONDS, training };
    const { states, admitted } = await this.parts.store.reserve(payer, reservation);
    if (!admitted) throw exceeded(spentOne(states, work)!, workspaceId, this.parts.clock.now());
    const settle = async (cameTo: number): Promise<void> => {
      const settled = this.#settlements.settle(workspaceId, id, cameTo);
      if (isClose(states, tokens)) await settled;
    };
    return { before: states, settle };
  }

  /** Asks the budget before each attempt at a run and adds what it spent, so that waiting in the queue is no way around it. */
  readonly aroundRun: AroundRun = async (run, work) => {
    const caller = { workspaceId: run.workspaceId as WorkspaceId, key: run.askedBy ? { lineId: run.askedBy } : null };
    const account: Account = { caller, tokens: 0 };
    const payer = payerOf(caller);
    if (deletes(run) || !(await this.#hasBudget(payer))) return onAccount(account, work);
    if (!WATCHES.has(run.kind) && !ASK_BY_REQUEST.has(run.kind))
      this.#refuse(await this.states(payer), TRAININGS.has(run.kind) ? 'TRAINING' : 'WORK', payer);
    let charged = 0;
    const charge = async (): Promise<void> => {
      const tokens = account.tokens - charged;
      charged = account.tokens;
      if (tokens > 0) await this.parts.store.charge(payer, tokens);
    };
    const log = (err: unknown) => this.parts.log.warn({ err, runId: run.id }, 'tokens of a run not charged');
    const timer = setInterval(() => void charge().catch(log), CHARGE_MS);
    try {
      return await onAccount(account, work);
    } finally {
      clearInterval(timer);
      await charge().catch(log);
    }
  };

  async states(payer: Payer): Promise<BudgetState[]> {
    await this.#settlements.firstTriesOf(payer.workspaceId);
    return this.parts.store.states(payer);
  }

  /** Once nothing is reserved any more: all that was is settled, or was tried often enough. */
  close(): Promise<void> {
    return this.#settlements.drained();
  }

  /** Budgets of this workspace changed here: they hold for the next request. */
  forget(workspaceId: WorkspaceId): void {
    this.#known.delete(workspaceId);
  }

  async #hasBudget({ workspaceId, lineId }: Payer): Promise<boolean> {
    const { clock, store } = this.parts;
    const now = clock.monotonic();
    let entry = this.#known.get(workspaceId);
    if (!entry || now - entry.readAt >= FRESH_MS) {
      entry = { subjects: new Set(await store.subjects(workspaceId)), readAt: now };
      this.#known.set(workspaceId, entry);
    }
    return entry.subjects.has(workspaceId) || (lineId !== null && entry.subjects.has(lineId));
  }

  #refuse(states: readonly BudgetState[], work: 'TRAINING' | 'WORK', { workspaceId }: Payer): void {
    const spentBudget = spentOne(states, work);
    if (spentBudget) throw exceeded(spentBudget, workspaceId, this.parts.clock.now());
  }
}
