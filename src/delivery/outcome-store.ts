import type { Database } from '../platform/database/index.js';
import type { Outcome, Verdict } from './rollouts/measures.js';

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

type Row<T> = Omit<T, 'sequence'> & { sequence: string };

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
export const behind = ({ last, recent }: Counted): [from: bigint, but: string] => [
  last - BigInt(OVERLAP),
  `{${recent.join(',')}}`,
];

/** What is said of the answers of tests. */
export class OutcomeStore {
  constructor(private readonly database: Database) {}

  /** What was said of a test’s answers and wasn’t counted yet, in the order of its numbers; of each answer only what was said first. */
  async unheard(subjectId: string, heard: Counted, most: number): Promise<Verdict[]> {
    const { rows } = await this.database.pool.query<Row<Verdict>>({
      name: 'delivery-unheard',
      text: `SELECT sequence, arm, stage, good, NOT EXISTS (
               SELECT 1 FROM answer_verdict before
                WHERE before.subject = $1 AND before.unit_hash = verdict.unit_hash AND before.stage = verdict.stage
                  AND before.arm = verdict.arm AND before.sequence < verdict.sequence) AS "newUnit"
               FROM answer_verdict verdict WHERE subject = $1 AND sequence > $2 AND sequence <> ALL($3::bigint[])
              ORDER BY sequence LIMIT $4`,
      values: [subjectId, ...behind(heard), most],
    });
    return rows.map((row) => ({ ...row, sequence: BigInt(row.sequence) }));
  }
}

/** What is counted after these, too. */
export function countedWith({ last, recent }: Counted, outcomes: readonly Pick<Outcome, 'sequence'>[]): Counted {
  const sequences = outcomes.map(({ sequence }) => sequence);
  const highest = sequences.reduce((a, b) => (a > b ? a : b), last);
  const from = highest - BigInt(OVERLAP);
  return { last: highest, recent: [...recent, ...sequences].filter((sequence) => sequence > from) };
}
