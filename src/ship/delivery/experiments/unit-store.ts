import { KIND_TABLE } from '../../../learn/feedback/index.js';
import type { Database, Transaction } from '../../../platform/database/index.js';
import { behind, outcomesOfTest, type Watermark } from '../counting.js';
import type { CountedFeedback, BatchEffects, Unit } from './count.js';
import { kindOf, METRICS, type ExperimentOutcome, type Measure } from './metrics.js';

interface UnitRow {
  hash: string;
  phase: number;
  taken: string[];
  beforeMetrics: string[];
  beforeCounts: number[];
  beforeSums: number[];
}

const MEASURED = Object.values(METRICS);
/** What `lately` says of each metric, as `valueOf` does; feedback tells of the others. */
const VALUES = MEASURED.filter(({ sql }) => sql)
  .map(
    ({ name, kind, sql }) =>
      `SELECT '${name}' AS metric, (${sql})::float8 AS x FROM lately${kind === 'RATE' ? '' : ` WHERE status = 'COMPLETE'`}`,
  )
  .join(' UNION ALL ');

/** Answers of experiments as their columns tell them, and all SQL of `experiment_unit` and `experiment_feedback`. */
export class UnitStore {
  constructor(private readonly database: Database) {}

  /** Answers that were not counted yet, in the order of their numbers. @param tokens whether what they cost is wanted, which is read of their bodies */
  async uncounted(
    experimentId: string,
    watermark: Watermark,
    { tokens, most }: { tokens: boolean; most: number },
  ): Promise<ExperimentOutcome[]> {
    const { rows } = await this.database.pool.query<Omit<ExperimentOutcome, 'sequence'> & { sequence: string }>({
      name: `experiment-uncounted-${tokens}`,
      text: `SELECT sequence, arm, stage, outcome.status, outcome.abstained, "latencyMs", outcome.confidence,
                    outcome.unit_hash AS "unitHash",
                    ${tokens ? 'outcome.tokens' : 'NULL'} AS tokens
               FROM (${outcomesOfTest(tokens ? [`(body->'cost'->>'computedTokens')::float8 AS tokens`] : [])}) outcome
              WHERE sequence > $2 AND NOT sequence <@ $3::int8multirange
              ORDER BY sequence LIMIT $4`,
      values: [experimentId, ...behind(watermark), most],
    });
    return rows.map((row) => ({ ...row, sequence: BigInt(row.sequence) }));
  }

  /** What is known of these units and of the feedback on these answers. */
  async touched(
    experimentId: string,
    { hashes, answerIds }: { hashes: readonly string[]; answerIds: readonly string[] },
    tx: Transaction,
  ): Promise<BatchEffects> {
    const units = new Map<string, Unit>();
    if (hashes.length > 0) {
      const rows = await tx.experimentUnit.findMany({ where: { experimentId, unitHash: { in: [...hashes] } } });
      for (const { unitHash, phase, taken, beforeMetrics, beforeCounts, beforeSums } of rows)
        units.set(unitHash, {
          phase,
          taken: new Set(taken),
          before: new Map(beforeMetrics.map((name, i) => [name, { n: beforeCounts[i]!, sum: beforeSums[i]! }])),
        });
    }
    const feedback = new Map<string, CountedFeedback>();
    if (answerIds.length > 0) {
      const rows = await tx.experimentFeedback.findMany({ where: { experimentId, answerId: { in: [...answerIds] } } });
      for (const { answerId, opinion, expected } of rows) feedback.set(answerId, { opinion, expected });
    }
    return { units, feedback };
  }

  /** Writes them as they are now: one statement each. */
  async persist(experimentId: string, { units, feedback }: BatchEffects, tx: Transaction): Promise<void> {
    const rows = [...units].map(([hash, { phase, taken, before }]): UnitRow => ({
      hash,
      phase,
      taken: [...taken],
      beforeMetrics: [...before.keys()],
      beforeCounts: [...before.values()].map(({ n }) => n),
      beforeSums: [...before.values()].map(({ sum }) => sum),
    }));
    if (rows.length > 0)
      await tx.$executeRaw`
        INSERT INTO experiment_unit (experiment_id, unit_hash, phase, taken, before_metrics, before_counts, before_sums)
        SELECT ${experimentId}::uuid, hash, phase, taken, "beforeMetrics", "beforeCounts", "beforeSums"
          FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS told (
            hash text, phase int, taken text[], "beforeMetrics" text[], "beforeCounts" float8[],
            "beforeSums" float8[])
        ON CONFLICT (experiment_id, unit_hash) DO UPDATE SET
          (phase, taken, before_metrics, before_counts, before_sums) =
          (EXCLUDED.phase, EXCLUDED.taken, EXCLUDED.before_metrics, EXCLUDED.before_counts,
           EXCLUDED.before_sums)`;
    const feedbackRows = [...feedback].map(([id, entry]) => ({ id, ...entry }));
    if (feedbackRows.length > 0)
      await tx.$executeRaw`
        INSERT INTO experiment_feedback (experiment_id, answer_id, opinion, expected)
        SELECT ${experimentId}::uuid, id, opinion, expected
          FROM jsonb_to_recordset(${JSON.stringify(feedbackRows)}::jsonb) AS told (id uuid, opinion boolean, expected boolean)
        ON CONFLICT (experiment_id, answer_id) DO UPDATE SET (opinion, expected) = (EXCLUDED.opinion, EXCLUDED.expected)`;
  }

  /** Units and answers are forgotten with the experiment’s end: its sums stay. */
  async delete(experimentId: string, tx: Transaction): Promise<void> {
    await tx.experimentUnit.deleteMany({ where: { experimentId } });
    await tx.experimentFeedback.deleteMany({ where: { experimentId } });
  }

  /**
   * How the answers were lately that an experiment would be made of: those of a version, or of questions that left the choice open.
   * @param versionId the version that answered; null: whatever strategy Graft chose
   * @returns null where no answer says anything of the metric
   */
  async traffic(workspaceId: string, versionId: string | null, measure: Measure): Promise<Traffic | null> {
    const { rows } = await this.database.pool.query<Traffic>({
      name: 'experiment-traffic',
      text: `WITH lately AS (
               SELECT id, created_at, status, abstained, latency_ms, confidence, feedback_count, body FROM answer
                WHERE workspace_id = $1 AND status IN ('COMPLETE', 'FAILED')
                  AND ($2::uuid IS NULL OR adapter_version_id = $2) ORDER BY id DESC LIMIT ${LOOKED_AT}),
             days AS (SELECT greatest(extract(epoch FROM now() - min(created_at)) / 86400, 1e-3) AS n FROM lately),
             said AS (
               SELECT f.answer_id, f.kind, sum(CASE WHEN f.agrees THEN 1 ELSE -1 END) AS votes
                 FROM lately JOIN feedback f ON f.answer_id = lately.id
                WHERE lately.feedback_count > 0 AND f.superseded_at IS NULL AND f.agrees IS NOT NULL GROUP BY 1, 2),
             value AS (${VALUES}
               UNION ALL SELECT kinds.metric, (votes > 0)::int FROM said JOIN ${KIND_TABLE} USING (kind) WHERE votes <> 0),
             taken AS (
               SELECT CASE WHEN $4::float8 IS NULL THEN x ELSE (x > $4)::int END AS x FROM value
                WHERE metric = $3 AND x IS NOT NULL)
             SELECT count(x)::int AS n,
                    CASE WHEN $5::boolean THEN exp(avg(ln(greatest(x, 1)))) ELSE avg(x) END::float8 AS mean,
                    coalesce(CASE WHEN $5::boolean
                      THEN exp(2 * avg(ln(greatest(x, 1)))) * var_samp(ln(greatest(x, 1))) ELSE var_samp(x) END, 0)::float8 AS variance,
                    (count(x) / min(days.n))::float8 AS "perDay"
               FROM taken, days HAVING count(x) > 0`,
      values: [workspaceId, versionId, measure.name, measure.beyond, kindOf(measure) === 'GEOMETRIC'],
    });
    return rows[0] ?? null;
  }
}

/** How many answers say how the next ones will be. */
export const LOOKED_AT = 5_000;

/** What recent answers say of a metric. */
interface Traffic {
  n: number;
  mean: number;
  variance: number;
  perDay: number;
}
