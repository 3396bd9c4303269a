import type { Outcome } from './rollouts/measures.js';

/**
 * Numbers are given when an answer is settled and seen when its transaction has committed, which may be a moment later and out of
 * order. So the numbers just below the highest are looked at again; whoever commits later than after so many others is not there any more.
 */
export const OVERLAP = 1_000;

/** How far the answers of a test, or what was said of them, were counted. */
export interface Counted {
  last: bigint;
  /** Those among the last `OVERLAP` numbers that were counted. */
  recent: readonly bigint[];
}

/** Whether the unit had an answer of the same, or of another, arm in the same stage before. */
const earlier = (arm: '=' | '<>'): string => `EXISTS (
  SELECT 1 FROM answer before
   WHERE before.assignment_subject = $1 AND before.unit_hash = answer.unit_hash
     AND before.assignment_stage = answer.assignment_stage AND before.assignment_arm ${arm} answer.assignment_arm
     AND before.assignment_sequence < answer.assignment_sequence)`;

/** Answers of a test that were not counted yet, in the order of their numbers, as `Outcome`s: of test $1, behind $2, not $3, $4 at most. */
export const UNCOUNTED = `
  SELECT answer.assignment_sequence AS sequence, assignment_arm AS arm, assignment_stage AS stage, status, abstained,
         coalesce(latency_ms, 0) AS "latencyMs", confidence,
         NOT ${earlier('=')} AS "newUnit", NOT ${earlier('=')} AND ${earlier('<>')} AS "inBoth"
    FROM answer
   WHERE assignment_subject = $1 AND answer.assignment_sequence > $2
     AND answer.assignment_sequence <> ALL($3::bigint[]) AND status IN ('COMPLETE', 'FAILED', 'CANCELLED')
   ORDER BY answer.assignment_sequence LIMIT $4`;

/** $2 and $3 of what reads on from where something was counted. */
export type Place = readonly [from: bigint, but: string];

export const behind = ({ last, recent }: Counted): Place => [last - BigInt(OVERLAP), `{${recent.join(',')}}`];

/** Numbers that may be kept beyond those that are looked at again, before they are sorted out. */
const SLACK = 200;

/** How far something was counted, as a watcher carries it along: numbers stay the text that a look finds and sends, because there are many looks. */
export class Counting {
  #last: bigint;
  #recent: string[];

  constructor({ last, recent }: Counted) {
    this.#last = last;
    this.#recent = recent.map(String);
  }

  add(sequences: readonly bigint[]): void {
    for (const sequence of sequences) {
      if (sequence > this.#last) this.#last = sequence;
      this.#recent.push(String(sequence));
    }
    if (this.#recent.length <= OVERLAP + SLACK) return;
    const from = Number(this.#last) - OVERLAP;
    this.#recent = this.#recent.filter((sequence) => Number(sequence) > from);
  }

  get last(): bigint {
    return this.#last;
  }

  get behind(): Place {
    return [this.#last - BigInt(OVERLAP), this.recent];
  }

  /** As PostgreSQL writes an array. */
  get recent(): string {
    return `{${this.#recent.join(',')}}`;
  }
}

/** What was said of a test’s answers and wasn’t counted yet, in the order of its numbers; of each answer only what was said first. Parameters as above. */
export const UNHEARD = `
  SELECT sequence, arm, stage, good, NOT EXISTS (
           SELECT 1 FROM answer_verdict before
            WHERE before.subject = $1 AND before.unit_hash = verdict.unit_hash AND before.stage = verdict.stage
              AND before.arm = verdict.arm AND before.sequence < verdict.sequence) AS "newUnit"
    FROM answer_verdict verdict WHERE subject = $1 AND sequence > $2 AND sequence <> ALL($3::bigint[])
   ORDER BY sequence LIMIT $4`;

/** What is counted after these, too. */
export function countedWith({ last, recent }: Counted, outcomes: readonly Pick<Outcome, 'sequence'>[]): Counted {
  const sequences = outcomes.map(({ sequence }) => sequence);
  const highest = sequences.reduce((a, b) => (a > b ? a : b), last);
  const from = highest - BigInt(OVERLAP);
  return { last: highest, recent: [...recent, ...sequences].filter((sequence) => sequence > from) };
}
