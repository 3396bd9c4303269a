import { randomNumber } from '../../../answer/ask/index.js';
import { newId, type WorkspaceId } from '../../../kernel/ids.js';
import { Prisma, type Database, type Transaction } from '../../../platform/database/index.js';
import type { DrawnClass, QualityScope } from './quality.js';

/** 0 to below 1: an answer keeps its number, so that a draw with a higher probability has those of the lower among its own. */
const NUMBER = Prisma.raw(`(${randomNumber('a.id', "'reviews'")} / 4294967296.0::float8)`);
const STEP = 2 ** -32;

/** How probable it is that an answer is right, by what it said of itself. That of a refusal is that there is no answer. */
const PREDICTED = Prisma.raw(`(CASE WHEN a.abstained THEN 1 - a.confidence ELSE a.confidence END)::float8`);

/** The draws that an answer was in, and the highest of their probabilities; null where it was in none. */
const DRAWS = Prisma.sql`CROSS JOIN LATERAL (
  SELECT string_agg(d.id::text, ' ' ORDER BY d.id) AS draws, max(d.probability) AS probability FROM review_draw d
   WHERE d.workspace_id = a.workspace_id AND a.created_at >= d.from_at AND a.finished_at < d.to_at
     AND (d.adapter_version_id IS NULL OR d.adapter_version_id = a.adapter_version_id)) AS d`;

const inScope = (workspaceId: WorkspaceId, { from, to, adapterVersionId }: QualityScope) => Prisma.sql`
  a.workspace_id = ${workspaceId}::uuid AND a.status = 'COMPLETE' AND a.created_at >= ${from} AND a.created_at < ${to}
  AND (${adapterVersionId}::uuid IS NULL OR a.adapter_version_id = ${adapterVersionId}::uuid)`;

/** All SQL of the table `review_draw`. */
export class QualityStore {
  constructor(private readonly database: Database) {}

  /** Draws answers that were not drawn before, each with the same probability. @returns their ids in the order of the draw */
  async draw(tx: Transaction, workspaceId: WorkspaceId, scope: QualityScope, limit: number): Promise<string[]> {
    const { from, to, adapterVersionId } = scope;
    const rows = await tx.$queryRaw<{ id: string; number: number }[]>`
      SELECT a.id, ${NUMBER} AS number FROM answer a ${DRAWS}
       WHERE ${inScope(workspaceId, scope)} AND a.finished_at < least(${to}, now()) AND ${NUMBER} >= coalesce(d.probability, 0)
       ORDER BY number LIMIT ${limit}`;
    const last = rows.at(-1);
    if (last)
      await tx.$executeRaw`
        INSERT INTO review_draw (id, workspace_id, adapter_version_id, from_at, to_at, probability)
        VALUES (${newId()}::uuid, ${workspaceId}::uuid, ${adapterVersionId}::uuid, ${from}, least(${to}, now()), ${last.number + STEP})`;
    return rows.map(({ id }) => id);
  }

  /** Answers by the draws that they were in. An answer that predicts nothing of itself counts as the mean of the others. */
  classes(workspaceId: WorkspaceId, scope: QualityScope): Promise<DrawnClass[]> {
    return this.database.prisma.$queryRaw`
      WITH population AS (
        SELECT a.id, coalesce(${PREDICTED}, avg(${PREDICTED}) OVER (), 0.5) AS predicted, d.draws, d.probability
          FROM answer a ${DRAWS} WHERE ${inScope(workspaceId, scope)}),
      drawn AS (
        SELECT a.draws, json_agg(json_build_object(
                 'number', ${NUMBER}, 'predicted', a.predicted, 'reviewed', i.done > 0, 'right', said.right)) AS answers
          FROM population a JOIN review_item i ON i.workspace_id = ${workspaceId}::uuid AND i.subject = a.id::text
          CROSS JOIN LATERAL (
            SELECT coalesce(avg(f.agrees::int) FILTER (WHERE f.kind = 'FEEDBACK'), avg(f.agrees::int))::float8 AS right FROM review r JOIN feedback f ON f.id = ANY(r.feedback_ids)
             WHERE r.item_id = i.id AND r.done_at IS NOT NULL) AS said
         WHERE ${NUMBER} < a.probability GROUP BY a.draws)
      SELECT p.draws IS NOT NULL AS "drawnFrom", count(*)::int AS answers, sum(p.predicted) AS sum, sum(p.predicted ^ 2) AS "sumSquares",
             coalesce((SELECT d.answers FROM drawn d WHERE d.draws = p.draws), '[]'::json) AS drawn
        FROM population p GROUP BY p.draws`;
  }
}
