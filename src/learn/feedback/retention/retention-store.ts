import type { WorkspaceId } from '../../../kernel/ids.js';
import { Prisma, type Database } from '../../../platform/database/index.js';
import type { FeedbackStore } from '../feedback-store.js';

/** What age took. */
interface Expired {
  /** Feedback that is gone. */
  deleted: number;
  /** Feedback that taught rows: its words are gone, and that it was given stays. */
  blanked: number;
  /** Reviews that were done. */
  reviews: number;
}

/** Rows that one transaction takes. */
const BATCH = 5_000;

/** All SQL of the table `feedback_retention`, and what becomes of feedback that is older than it says. */
export class RetentionStore {
  constructor(
    private readonly database: Database,
    private readonly feedback: Pick<FeedbackStore, 'recount'>,
  ) {}

  /** Days; null: feedback is kept. */
  async days(workspaceId: WorkspaceId): Promise<number | null> {
    return (await this.database.prisma.feedbackRetention.findFirst({ where: { workspaceId } }))?.days ?? null;
  }

  async setDays(workspaceId: WorkspaceId, days: number | null): Promise<void> {
    const { feedbackRetention: table } = this.database.prisma;
    if (days === null) await table.deleteMany({ where: { workspaceId } });
    else await table.upsert({ where: { workspaceId }, create: { workspaceId, days }, update: { days } });
  }

  async rules(): Promise<{ workspaceId: string; days: number }[]> {
    return this.database.prisma.feedbackRetention.findMany();
  }

  /** Deletes what is older, by the database's clock. What taught rows of datasets keeps its row, so that these still lead to it. */
  async expire(workspaceId: WorkspaceId, days: number): Promise<Expired> {
    const old = Prisma.sql`f.workspace_id = ${workspaceId}::uuid AND f.created_at < now() - make_interval(days => ${days})`;
    const taught = Prisma.sql`EXISTS (
      SELECT 1 FROM curated_row c WHERE c.answer_id = f.answer_id AND f.id = ANY(c.feedback_ids))`;
    const blanked = await this.database.prisma.$executeRaw`
      UPDATE feedback f SET comment = NULL, expectation = NULL, erased_at = now()
       WHERE ${old} AND erased_at IS NULL AND ${taught} AND (comment IS NOT NULL OR expectation IS NOT NULL)`;
    let deleted = 0;
    for (let last = BATCH; last === BATCH; deleted += last)
      last = await this.database.prisma.$transaction(async (tx) => {
        const next = await tx.$queryRaw<{ id: string; answerId: string | null }[]>`
          SELECT f.id, f.answer_id AS "answerId" FROM feedback f WHERE ${old} AND NOT ${taught} ORDER BY f.id LIMIT ${BATCH}`;
        // Answers before what was said of them, as whoever says something locks them.
        await tx.$executeRaw`
          SELECT 1 FROM answer WHERE id = ANY(${next.flatMap(({ answerId }) => answerId ?? [])}::uuid[])
           ORDER BY id FOR NO KEY UPDATE`;
        const deletedRows = await tx.$queryRaw<{ answerId: string | null }[]>`
          DELETE FROM feedback f WHERE f.id = ANY(${next.map(({ id }) => id)}::uuid[]) AND NOT ${taught} RETURNING answer_id AS "answerId"`;
        await this.feedback.recount(
          tx,
          deletedRows.flatMap(({ answerId }) => answerId ?? []),
        );
        return deletedRows.length;
      });
    const reviews = await this.database.prisma.$executeRaw`
      DELETE FROM review_item f WHERE ${old} AND done >= wanted`;
    return { deleted, blanked, reviews };
  }
}
