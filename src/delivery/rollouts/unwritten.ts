import { countedWith, type Counted } from '../outcome-store.js';
import { count, hear, look } from './look.js';
import type { Outcome, Verdict } from './measures.js';
import type { RolloutPlan } from './plan.js';
import { storedPlan, storedState, type KeptState, type RolloutRow } from './rollout.js';

/**
 * What has come since a rollout's row was written, counted in memory as the row will be: nearly every look finds that nothing follows yet,
 * and writing that down costs more than all else of a look. A gateway that is killed loses nothing by it, as the next one reads the same
 * answers again, from the row on.
 */
export class Unwritten {
  readonly outcomes: Outcome[] = [];
  readonly verdicts: Verdict[] = [];
  watchedMs = 0;
  /** How far what was said of answers is counted, these among them. */
  heard: Counted;
  counted: Counted;
  readonly #plan: RolloutPlan;
  readonly #kept: KeptState;

  constructor(private readonly row: RolloutRow) {
    this.#plan = storedPlan.decode(row.plan);
    this.#kept = storedState.decode(structuredClone(row.state));
    this.counted = { last: row.lastSequence, recent: row.recentSequences };
    this.heard = { last: row.lastVerdict, recent: row.recentVerdicts };
  }

  /** Whether anything that is said of answers is compared. */
  get listens(): boolean {
    return [...this.#plan.guardrails, ...this.#plan.signals].some(({ name }) => name === 'FEEDBACK');
  }

  get size(): number {
    return this.outcomes.length + this.verdicts.length;
  }

  /** Takes what a look found. @returns whether something follows from it, which is to be written at once */
  take(outcomes: readonly Outcome[], verdicts: readonly Verdict[], watchedMs: number): boolean {
    this.outcomes.push(...outcomes);
    this.verdicts.push(...verdicts);
    this.watchedMs += watchedMs;
    if (outcomes.length > 0) this.counted = countedWith(this.counted, outcomes);
    if (verdicts.length > 0) this.heard = countedWith(this.heard, verdicts);
    const now = this.row.watchedMs + this.watchedMs;
    count(this.#plan, this.#kept, outcomes, now);
    hear(this.#plan, this.#kept, verdicts);
    const { decisions, last } = look(this.#plan, this.#kept, now);
    return decisions.length > 0 || (last.action === 'AWAIT_APPROVAL') !== this.row.awaitsApproval;
  }
}
