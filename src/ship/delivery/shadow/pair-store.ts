import { AS_ANSWERED, kindsThatMeasure } from '../../../learn/feedback/index.js';
import { mcnemarOf } from '../../../prove/index.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { idCursor, toPage, type Page, type PageRequest } from '../../../kernel/pagination.js';
import type { ErasedAnswers } from '../../../answer/ask/index.js';
import type { Database, Transaction } from '../../../platform/database/index.js';
import { MOST_CHANGES, type PairComparison, type ShadowPairRow, type SkipReason } from './shadow.js';
import type { ShadowFigures, Truth } from './shadow-report.js';

/** What the pairs of one shadow say together. */
type PairFigures = Omit<ShadowFigures, 'answered' | 'erased' | 'skipped'>;

/** The sums of a shadow without pairs. */
const NOTHING = {
  ...{ waiting: 0, compared: 0, failed: 0, same: 0, servedAbstained: 0, candidateAbstained: 0, sure: 0 },
  similarity: null as number | null,
  servedConfidence: null as number | null,
  candidateConfidence: null as number | null,
  servedMs: null as number | null,
  candidateMs: null as number | null,
  servedComputeMs: null as number | null,
  candidateComputeMs: null as number | null,
};
const NOTHING_TOLD = { known: 0, differing: 0, servedRight: 0, candidateRight: 0, onlyServed: 0, onlyCandidate: 0 };

const BOTH_SURE = `status = 'COMPARED' AND served_confidence IS NOT NULL AND candidate_confidence IS NOT NULL`;
const medianOf = (column: string) =>
  `percentile_cont(0.5) WITHIN GROUP (ORDER BY ${column}) FILTER (WHERE status = 'COMPARED')`;

const SUMS = `SELECT shadow_id AS id, (count(*) FILTER (WHERE status = 'WAITING'))::int AS waiting,
  (count(*) FILTER (WHERE status = 'COMPARED'))::int AS compared, (count(*) FILTER (WHERE status = 'FAILED'))::int AS failed,
  (count(*) FILTER (WHERE same))::int AS same, avg(similarity) AS similarity,
  (count(*) FILTER (WHERE served_abstained))::int AS "servedAbstained",
  (count(*) FILTER (WHERE candidate_abstained))::int AS "candidateAbstained",
  (count(*) FILTER (WHERE ${BOTH_SURE}))::int AS sure,
  avg(served_confidence) FILTER (WHERE ${BOTH_SURE}) AS "servedConfidence",
  avg(candidate_confidence) FILTER (WHERE ${BOTH_SURE}) AS "candidateConfidence",
  ${medianOf('served_ms')} AS "servedMs", ${medianOf('candidate_ms')} AS "candidateMs",
  ${medianOf('served_compute_ms')} AS "servedComputeMs", ${medianOf('candidate_compute_ms')} AS "candidateComputeMs"
  FROM shadow_pair WHERE workspace_id = $1 AND shadow_id = ANY($2::uuid[]) GROUP BY shadow_id`;

const CHANGES = `SELECT id, "from", "to", count FROM (
  SELECT shadow_id AS id, served_label AS "from", candidate_label AS "to", count(*)::int AS count,
         row_number() OVER (PARTITION BY shadow_id ORDER BY count(*) DESC, served_label, candidate_label) AS place
    FROM shadow_pair WHERE workspace_id = $1 AND shadow_id = ANY($2::uuid[]) AND status = 'COMPARED' AND NOT same
     AND (served_label IS NOT NULL OR candidate_label IS NOT NULL)
   GROUP BY shadow_id, served_label, candidate_label) AS changed WHERE place <= ${MOST_CHANGES} ORDER BY id, place`;

const FAILURES = `SELECT shadow_id AS id, why AS code, count(*)::int AS count FROM shadow_pair
  WHERE workspace_id = $1 AND shadow_id = ANY($2::uuid[]) AND status = 'FAILED' GROUP BY shadow_id, why
  ORDER BY shadow_id, count(*) DESC, why`;

/**
 * What feedback says of both answers of a pair, whenever it came. What somebody expects says more than how the served answer was judged;
 * sources that contradict each other say nothing. A judgement says nothing of another answer: where what was served is right the candidate's would be
 * wrong, but where it is wrong nobody knows, so that pairs in which they differ could only ever speak against the candidate.
 */
const TRUTHS = `WITH told AS (
  SELECT pair.shadow_id, pair.same, pair.verdict,
         (SELECT CASE WHEN count(DISTINCT f.verdict) = 1 THEN min(f.verdict) END FROM feedback f
           WHERE f.answer_id = pair.answer_id AND f.superseded_at IS NULL AND f.kind IN ${kindsThatMeasure('AGREEMENT')} AND f.erased_at IS NULL
             AND NOT (f.expectation->>'kind' = 'TEXT' AND f.expectation->>'text' IS NULL)) AS expected,
         (SELECT CASE WHEN bool_and(f.agrees) THEN true WHEN NOT bool_or(f.agrees) THEN false END FROM feedback f
           WHERE f.answer_id = pair.answer_id AND f.superseded_at IS NULL AND f.kind IN ${kindsThatMeasure('FEEDBACK')} AND f.agrees IS NOT NULL) AS agrees
    FROM shadow_pair pair WHERE pair.workspace_id = $1 AND pair.shadow_id = ANY($2::uuid[]) AND pair.status = 'COMPARED'),
judged AS (
  SELECT shadow_id, same, CASE WHEN expected IS NULL THEN agrees ELSE expected = '${AS_ANSWERED}' END AS served,
         CASE WHEN expected = '${AS_ANSWERED}' THEN same
              WHEN expected IS NOT NULL THEN coalesce(verdict = expected, false)
              WHEN same THEN agrees END AS candidate
    FROM told)
SELECT shadow_id AS id, count(*)::int AS known, (count(*) FILTER (WHERE NOT same))::int AS differing, (count(*) FILTER (WHERE served))::int AS "servedRight",
       (count(*) FILTER (WHERE candidate))::int AS "candidateRight",
       (count(*) FILTER (WHERE served AND NOT candidate))::int AS "onlyServed",
       (count(*) FILTER (WHERE candidate AND NOT served))::int AS "onlyCandidate"
  FROM judged WHERE served IS NOT NULL AND candidate IS NOT NULL GROUP BY shadow_id`;

/** All SQL of `shadow_pair`; its rows are made by the trigger that samples. */
export class PairStore {
  constructor(private readonly database: Database) {}

  /** The oldest sampled answer that waits; null when none does. */
  async next(shadowId: string): Promise<{ answerId: string; latencyMs: number | null } | null> {
    const { rows } = await this.database.pool.query<{ answerId: string; latencyMs: number | null }>({
      name: 'shadow-next',
      text: `SELECT answer_id AS "answerId", answer.latency_ms AS "latencyMs" FROM shadow_pair JOIN answer ON answer.id = answer_id
              WHERE shadow_id = $1 AND shadow_pair.status = 'WAITING' ORDER BY answer_id LIMIT 1`,
      values: [shadowId],
    });
    return rows[0] ?? null;
  }

  /** @returns whether it was still waiting: erased answers take their pairs with them */
  async settle(
    tx: Transaction,
    pair: { shadowId: string; answerId: string },
    outcome: { status: 'COMPARED'; candidateMs: number; servedMs: number | null; compared: PairComparison } | Failed,
  ): Promise<boolean> {
    const { status } = outcome;
    const { count } = await tx.shadowPair.updateMany({
      where: { ...pair, status: 'WAITING' },
      data: {
        status,
        ...(outcome.status === 'COMPARED'
          ? { ...outcome.compared, candidateMs: outcome.candidateMs, servedMs: outcome.servedMs }
          : { why: outcome.code }),
      },
    });
    if (count === 0) return false;
    // By the database's clock, as the bound per hour is.
    await tx.$executeRaw`UPDATE shadow_pair SET asked_at = now()
                          WHERE shadow_id = ${pair.shadowId}::uuid AND answer_id = ${pair.answerId}::uuid`;
    return true;
  }

  /** Lets what waits be skipped: one answer, or all of a shadow. */
  async skip(tx: Transaction, shadowId: string, reason: SkipReason, answerId: string | null = null): Promise<void> {
    await tx.shadowPair.updateMany({
      where: { shadowId, status: 'WAITING', ...(answerId !== null && { answerId }) },
      data: { status: 'SKIPPED', why: reason },
    });
  }

  /** Takes the skipped ones away. @returns how many, by reason */
  async takeSkipped(tx: Transaction, shadowId: string): Promise<Map<SkipReason, number>> {
    const rows = await tx.$queryRaw<{ why: SkipReason; count: number }[]>`
      WITH gone AS (DELETE FROM shadow_pair WHERE shadow_id = ${shadowId}::uuid AND status = 'SKIPPED' RETURNING why)
      SELECT why, count(*)::int AS count FROM gone GROUP BY why`;
    return new Map(rows.map(({ why, count }) => [why, count]));
  }

  /** Deletes what hangs on answers that are being erased. */
  async erase(tx: Transaction, { ids }: ErasedAnswers): Promise<void> {
    await tx.$executeRaw`DELETE FROM shadow_pair WHERE answer_id = ANY(${[...ids]}::uuid[])`;
  }

  /** The figures of several shadows; of one without pairs all are 0 or null. */
  async figures(workspaceId: WorkspaceId, ids: readonly string[]): Promise<Map<string, PairFigures>> {
    const { pool } = this.database;
    const values = [workspaceId, ids];
    const [sums, changes, failures, truths] = await Promise.all([
      pool.query<Of<typeof NOTHING>>({ name: 'shadow-sums', text: SUMS, values }),
      pool.query<Of<PairFigures['changes'][number]>>({ name: 'shadow-changes', text: CHANGES, values }),
      pool.query<Of<PairFigures['failures'][number]>>({ name: 'shadow-failures', text: FAILURES, values }),
      pool.query<Of<Omit<Truth, 'p'>>>({ name: 'shadow-truths', text: TRUTHS, values }),
    ]);
    const rowsOf = <Row extends { id: string }>({ rows }: { rows: Row[] }, id: string) =>
      rows.filter((row) => row.id === id);
    return new Map(
      ids.map((id) => {
        const [sum = NOTHING] = rowsOf(sums, id);
        const [{ id: _, ...truth } = { id, ...NOTHING_TOLD }] = rowsOf(truths, id);
        const { compared, sure, servedAbstained, candidateAbstained } = sum;
        return [
          id,
          {
            waiting: sum.waiting,
            compared,
            failed: sum.failed,
            same: sum.same,
            similarity: sum.similarity,
            changes: rowsOf(changes, id).map(({ id: _, ...change }) => change),
            failures: rowsOf(failures, id).map(({ id: _, ...failure }) => failure),
            abstained: { served: servedAbstained, candidate: candidateAbstained },
            confidence: { pairs: sure, served: sum.servedConfidence, candidate: sum.candidateConfidence },
            latencyMs: { pairs: compared, served: sum.servedMs, candidate: sum.candidateMs },
            computeMs: { pairs: compared, served: sum.servedComputeMs, candidate: sum.candidateComputeMs },
            truth: { ...truth, p: mcnemarOf(truth.onlyServed, truth.onlyCandidate) },
          },
        ];
      }),
    );
  }

  /** Row ids of the answers that a candidate differs from, oldest first. */
  async differing(workspaceId: WorkspaceId, shadowId: string): Promise<string[]> {
    const where = { workspaceId, shadowId, status: 'COMPARED', same: false };
    const rows = await this.database.prisma.shadowPair.findMany({ where, orderBy: { answerId: 'asc' } });
    return rows.map(({ answerId }) => answerId);
  }

  /** Newest first; the cursor is `encodeCursor([pair.answerId])`. */
  async list(
    workspaceId: WorkspaceId,
    shadowId: string,
    differing: boolean | null,
    page: PageRequest,
  ): Promise<Page<ShadowPairRow>> {
    const cursor = page.after === null ? undefined : idCursor(page.after);
    const rows = await this.database.prisma.shadowPair.findMany({
      where: {
        workspaceId,
        shadowId,
        status: differing === null ? { in: ['COMPARED', 'FAILED'] } : 'COMPARED',
        ...(differing !== null && { same: !differing }),
        ...(cursor !== undefined && { answerId: { lt: cursor } }),
      },
      orderBy: { answerId: 'desc' },
      take: page.first + 1,
    });
    return toPage(rows, page.first);
  }
}

type Of<T> = T & { id: string };

interface Failed {
  status: 'FAILED';
  code: string;
}
