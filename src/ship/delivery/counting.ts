/** How far the answers of a test are counted, and the SQL that reads on from there. */
import type { RolloutOutcome } from './rollouts/measures.js';

/**
 * Numbers are given when an answer is settled and seen when its transaction has committed, which may be a moment later and out of
 * order. So the numbers just below the highest are looked at again; whoever commits later than after so many others is not there any more.
 */
export const OVERLAP = 1_000;

/**
 * Whether nobody who began to write before this row's writer is still at it. A batch of feedback takes as many numbers as it has pieces, and others may
 * take theirs and commit before it does: what waits for it can't be further behind than `OVERLAP` when it is seen.
 */
export const nothingBefore = (table: string): string =>
  `age(${table}.xmin) > age(pg_snapshot_xmin(pg_current_snapshot())::xid)`;

/** Answers, or pieces of what was said of them, that one look at a rollout counts. */
export const MOST_IN_A_LOOK = 2_000;

/** How far the answers of a test, or what was said of them, were counted. */
export interface Watermark {
  last: bigint;
  /** Those among the last `OVERLAP` numbers that were counted. */
  recent: readonly bigint[];
}

/**
 * Outcomes of the answers of a test: those that stand, and those of answers that failed and were asked again, which count as well. Of test $1.
 * @param columns what else is wanted of an answer; null of one that was asked again
 */
export const outcomesOfTest = (columns: readonly string[] = []): string => `
  SELECT assignment_sequence AS sequence, assignment_arm AS arm, assignment_stage AS stage, status, abstained,
         coalesce(latency_ms, 0) AS "latencyMs", confidence, unit_hash, id AS answer_id${columns.map((column) => `, ${column}`).join('')}
    FROM answer WHERE assignment_subject = $1 AND status IN ('COMPLETE', 'FAILED', 'CANCELLED') AND assignment_sequence IS NOT NULL
  UNION ALL
  SELECT sequence, arm, stage, status, false, coalesce(latency_ms, 0), NULL, unit_hash, answer_id${', NULL'.repeat(columns.length)}
    FROM answer_attempt WHERE subject = $1`;

/** Whether the unit had an answer of the arm in the same stage before. */
const EARLIER = `(EXISTS (
  SELECT 1 FROM answer before
   WHERE before.assignment_subject = $1 AND before.unit_hash = outcome.unit_hash
     AND before.assignment_stage = outcome.stage AND before.assignment_arm = outcome.arm
     AND before.assignment_sequence < outcome.sequence) OR EXISTS (
  SELECT 1 FROM answer_attempt before
   WHERE before.subject = $1 AND before.unit_hash = outcome.unit_hash AND before.stage = outcome.stage
     AND before.arm = outcome.arm AND before.sequence < outcome.sequence))`;

/** Outcomes of a test that were not counted yet, in the order of their numbers, as `RolloutOutcome`s: of test $1, behind $2, not $3, $4 at most. */
export const UNCOUNTED = `
  SELECT sequence, arm, stage, status, abstained, "latencyMs", confidence, NOT ${EARLIER} AS "newUnit"
    FROM (${outcomesOfTest()}) outcome
   WHERE sequence > $2 AND NOT sequence <@ $3::int8multirange
   ORDER BY sequence LIMIT $4`;

/** $2 and $3 of what reads on from where something was counted: behind a number, but none of these, as PostgreSQL writes a multirange. */
export type ReadPosition = readonly [from: bigint, but: string];

export const behind = (watermark: Watermark): ReadPosition => new Counting(watermark).behind;

/**
 * How far something was counted, as a watcher carries it along. Numbers that follow one another are one range, because there are many looks, each of
 * which says what it knows.
 */
export class Counting {
  #last: number;
  /** In order, apart from one another; both ends are counted. */
  readonly #ranges: { from: number; to: number }[] = [];

  constructor({ last, recent }: Watermark) {
    this.#last = Number(last);
    for (const sequence of recent.map(Number).sort((a, b) => a - b)) this.#add(sequence);
  }

  add(sequences: readonly bigint[]): void {
    for (const sequence of sequences) this.#add(Number(sequence));
    const from = this.#last - OVERLAP;
    while (this.#ranges.length > 0 && this.#ranges[0]!.to <= from) this.#ranges.shift();
    if (this.#ranges.length > 0) this.#ranges[0]!.from = Math.max(this.#ranges[0]!.from, from + 1);
  }

  #add(sequence: number): void {
    this.#last = Math.max(this.#last, sequence);
    const index = this.#ranges.findLastIndex(({ from }) => from <= sequence);
    const [lowerRange, upperRange] = [this.#ranges[index], this.#ranges[index + 1]];
    if (lowerRange && sequence <= lowerRange.to) return;
    const joined = lowerRange?.to === sequence - 1 ? lowerRange : undefined;
    const met = upperRange?.from === sequence + 1 ? upperRange : undefined;
    if (joined && met) {
      joined.to = met.to;
      this.#ranges.splice(index + 1, 1);
    } else if (joined) joined.to = sequence;
    else if (met) met.from = sequence;
    else this.#ranges.splice(index + 1, 0, { from: sequence, to: sequence });
  }

  get last(): bigint {
    return BigInt(this.#last);
  }

  get behind(): ReadPosition {
    return [this.last - BigInt(OVERLAP), `{${this.#ranges.map(({ from, to }) => `[${from},${to}]`).join(',')}}`];
  }

  /** As PostgreSQL writes an array. */
  get recent(): string {
    const sequences = this.#ranges.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, n) => from + n));
    return `{${sequences.join(',')}}`;
  }
}

/** What was said of a test’s answers and wasn’t counted yet, in the order of its numbers; of each answer only what was said first. Parameters as above. */
export const UNCOUNTED_VERDICTS = `
  SELECT sequence, arm, stage, good, NOT EXISTS (
           SELECT 1 FROM answer_verdict before
            WHERE before.subject = $1 AND before.unit_hash = verdict.unit_hash AND before.stage = verdict.stage
              AND before.arm = verdict.arm AND before.sequence < verdict.sequence) AS "newUnit"
    FROM answer_verdict verdict WHERE subject = $1 AND sequence > $2 AND NOT sequence <@ $3::int8multirange
     AND ${nothingBefore('verdict')}
   ORDER BY sequence LIMIT $4`;

/** What is counted after these, too. */
export function countedWith(
  { last, recent }: Watermark,
  outcomes: readonly Pick<RolloutOutcome, 'sequence'>[],
): Watermark {
  const sequences = outcomes.map(({ sequence }) => sequence);
  const highest = sequences.reduce((a, b) => (a > b ? a : b), last);
  const from = highest - BigInt(OVERLAP);
  return { last: highest, recent: [...recent, ...sequences].filter((sequence) => sequence > from) };
}
