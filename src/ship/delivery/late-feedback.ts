import type { LateMetricName } from '../../answer/ask/index.js';
import { kindsThatMeasure } from '../../learn/feedback/index.js';
import type { Database } from '../../platform/database/index.js';
import { behind, nothingBefore, type Watermark } from './counting.js';

/** What is said by now of an answer that counts for a test. */
export interface StandingFeedback {
  /** Its number; whoever says something else gives the answer a new one. */
  sequence: bigint;
  answerId: string;
  arm: string;
  stage: number;
  unitHash: string | null;
  /** Whether most of the opinions that stand find it right; null where there are none, or as many for as against. */
  opinion: boolean | null;
  /** Whether it is what most of those expected who showed the right answer; null likewise. */
  expected: boolean | null;
}

/** What most feedback that stands says, of the kinds that measure this. */
const majority = (metric: LateMetricName<'experiment'>): string =>
  `(SELECT CASE sign(sum(CASE WHEN agrees THEN 1 WHEN NOT agrees THEN -1 ELSE 0 END)) WHEN 1 THEN true WHEN -1 THEN false END
      FROM feedback WHERE feedback.answer_id = answer.id AND superseded_at IS NULL AND kind IN ${kindsThatMeasure(metric)})`;

/** Feedback comes after its answer, sometimes days after, and may be replaced: it is read by numbers of its own. */
export class LateFeedback {
  constructor(private readonly database: Database) {}

  /** Answers of a test of which something was said that was not counted yet, in the order of their numbers. */
  async since(subjectId: string, watermark: Watermark, limit: number): Promise<StandingFeedback[]> {
    const { rows } = await this.database.pool.query<Omit<StandingFeedback, 'sequence'> & { sequence: string }>({
      name: 'delivery-late-feedback',
      text: `SELECT feedback_sequence AS sequence, id AS "answerId", assignment_arm AS arm, assignment_stage AS stage,
                    unit_hash AS "unitHash", ${majority('FEEDBACK')} AS opinion, ${majority('AGREEMENT')} AS expected
               FROM answer
              WHERE assignment_subject = $1 AND feedback_sequence > $2 AND NOT feedback_sequence <@ $3::int8multirange
                AND NOT assignment_forced AND ${nothingBefore('answer')}
              ORDER BY feedback_sequence LIMIT $4`,
      values: [subjectId, ...behind(watermark), limit],
    });
    return rows.map((row) => ({ ...row, sequence: BigInt(row.sequence) }));
  }
}
