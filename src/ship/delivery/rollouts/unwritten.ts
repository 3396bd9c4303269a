import { Counting } from '../counting.js';
import { count, countVerdicts, evaluate } from './evaluate.js';
import type { RolloutOutcome, FirstVerdict } from './measures.js';
import { listens, type RolloutPlan } from './plan.js';
import { storedPlan, storedState, type KeptState, type RolloutRow } from './rollout.js';
import type { RolloutCounts } from './rollout-store.js';

/**
 * What has come since a rollout's row was written, counted in memory as the row will be: nearly every look finds that nothing follows yet,
 * and writing that down costs more than all else of a look. A gateway that is killed loses nothing by it, as the next one reads the same
 * answers again, from the row on.
 */
export class Unwritten {
  outcomes: RolloutOutcome[] = [];
  verdicts: FirstVerdict[] = [];
  watchedMs = 0;
  /** How far answers, and what was said of them, are counted, these among them. */
  readonly counted: Counting;
  readonly heard: Counting;
  /** Whether anything that is said of answers is compared. */
  readonly listens: boolean;
  #row: RolloutRow;
  readonly #plan: RolloutPlan;
  readonly #kept: KeptState;

  constructor(row: RolloutRow) {
    this.#row = row;
    this.#plan = storedPlan.decode(row.plan);
    this.#kept = storedState.decode(structuredClone(row.state));
    this.counted = new Counting({ last: row.lastSequence, recent: row.recentSequences });
    this.heard = new Counting({ last: row.lastVerdict, recent: row.recentVerdicts });
    this.listens = listens(this.#plan);
  }

  /** As it was read last, or written. */
  get row(): RolloutRow {
    return this.#row;
  }

  get size(): number {
    return this.outcomes.length + this.verdicts.length;
  }

  /** Takes what a look found. @returns whether something follows from it, which is to be decided and written at once */
  take(outcomes: readonly RolloutOutcome[], verdicts: readonly FirstVerdict[], watchedMs: number): boolean {
    this.outcomes.push(...outcomes);
    this.verdicts.push(...verdicts);
    this.watchedMs += watchedMs;
    this.counted.add(outcomes.map(({ sequence }) => sequence));
    this.heard.add(verdicts.map(({ sequence }) => sequence));
    const now = this.#row.watchedMs + this.watchedMs;
    count(this.#plan, this.#kept, outcomes, now);
    countVerdicts(this.#plan, this.#kept, verdicts);
    const { decisions, last } = evaluate(this.#plan, this.#kept, now);
    return decisions.length > 0 || (last.action === 'AWAIT_APPROVAL') !== this.#row.awaitsApproval;
  }

  /** What is to be written while nothing follows. */
  get columns(): RolloutCounts {
    const { counted, heard } = this;
    return {
      kept: this.#kept,
      watchedMs: this.#row.watchedMs + this.watchedMs,
      lastSequence: counted.last,
      recentSequences: counted.recent,
      lastVerdict: heard.last,
      recentVerdicts: heard.recent,
    };
  }

  /** It was written: counting goes on from there, without reading it again. */
  written(): void {
    const { watchedMs, revision } = this.#row;
    this.#row = { ...this.#row, watchedMs: watchedMs + this.watchedMs, revision: revision + 1 };
    this.outcomes = [];
    this.verdicts = [];
    this.watchedMs = 0;
  }
}
