import type { WorkspaceId } from '../../../kernel/ids.js';
import { groupBy } from '../../../kernel/group-by.js';
import { idCursor, toPage, type Page, type PageRequest } from '../../../kernel/pagination.js';
import type { Database, Transaction } from '../../../platform/database/index.js';
import type { Basis } from './lesson.js';

/** Which answer a row of a dataset was made of, and on whose word. */
export interface CuratedRow {
  answerId: string;
  basis: Basis;
  feedbackIds: string[];
}

export interface NewCuratedRow extends CuratedRow {
  documentIds: string[];
  /** Of the record: equal rows need not be taught twice. */
  digest: string;
}

/** A version and those whose rows it carries over: what their rows were made of, its rows were made of. */
const CARRIED = `WITH RECURSIVE carried (root, id) AS (
    SELECT id, id FROM dataset_version WHERE id = ANY($1::uuid[])
    UNION
    SELECT root, parent_id FROM carried JOIN dataset_version v USING (id) JOIN dataset_parent p ON p.version_id = v.id
     WHERE jsonb_typeof(v.manifest->'base') = 'object')`;

/** All SQL of the table `curated_row`: the edges between dataset versions and the answers that their rows were made of. */
export class CurationStore {
  constructor(private readonly database: Database) {}

  /**
   * Digests of the rows that a version and those that it carries over were made of, by answer.
   * @param adapterId the adapter of which a version answered; null: whatever did
   */
  async taught(versionId: string, adapterId: string | null = null): Promise<Map<string, string>> {
    const { rows } = await this.database.pool.query<{ answerId: string; digest: string }>(
      `${CARRIED} SELECT DISTINCT ON (answer_id) answer_id AS "answerId", digest FROM curated_row JOIN carried ON carried.id = version_id
        WHERE erased_at IS NULL AND ($2::uuid IS NULL OR answer_id IN (
                SELECT answer.id FROM answer JOIN adapter_version v ON v.id = adapter_version_id AND v.adapter_id = $2))
        ORDER BY answer_id, curated_row.created_at DESC`,
      [[versionId], adapterId],
    );
    return new Map(rows.map(({ answerId, digest }) => [answerId, digest]));
  }

  /**
   * Notes what a run is about to teach, before there is a version: who erases an answer from now on finds it here.
   * @returns the answers that are still there
   */
  async add(
    tx: Transaction,
    { workspaceId, datasetId, runId }: { workspaceId: WorkspaceId; datasetId: string; runId: string },
    rows: readonly NewCuratedRow[],
  ): Promise<Set<string>> {
    const records = rows.map(({ answerId, basis, feedbackIds, documentIds, digest }) => ({
      answer_id: answerId,
      basis,
      digest,
      feedback_ids: feedbackIds,
      document_ids: documentIds,
    }));
    const added = await tx.$queryRaw<{ id: string }[]>`
      WITH told AS (
        SELECT * FROM jsonb_to_recordset(${JSON.stringify(records)}::jsonb)
          AS t (answer_id uuid, basis text, digest text, feedback_ids uuid[], document_ids uuid[])
      ), there AS (
        SELECT id FROM answer WHERE workspace_id = ${workspaceId}::uuid AND id IN (SELECT answer_id FROM told)
         ORDER BY id FOR KEY SHARE)
      INSERT INTO curated_row (run_id, answer_id, workspace_id, dataset_id, basis, digest, feedback_ids, document_ids)
      SELECT ${runId}::uuid, answer_id, ${workspaceId}::uuid, ${datasetId}::uuid, basis, digest, feedback_ids, document_ids
        FROM told JOIN there ON there.id = answer_id
      RETURNING answer_id AS id`;
    return new Set(added.map(({ id }) => id));
  }

  /** Forgets what a run was about to teach. */
  async drop(tx: Transaction, runId: string): Promise<void> {
    await tx.$executeRaw`DELETE FROM curated_row WHERE run_id = ${runId}::uuid AND version_id IS NULL`;
  }

  /** Says which version a run's rows are in. @returns answers that were erased meanwhile */
  async settle(tx: Transaction, runId: string, versionId: string): Promise<string[]> {
    const rows = await tx.$queryRaw<{ id: string; erased: boolean }[]>`
      UPDATE curated_row SET version_id = ${versionId}::uuid WHERE run_id = ${runId}::uuid
      RETURNING answer_id AS id, erased_at IS NOT NULL AS erased`;
    return rows.filter(({ erased }) => erased).map(({ id }) => id);
  }

  /** Marks rows of erased answers. @returns the answers by dataset, as far as rows of them are left anywhere */
  async erase(tx: Transaction, workspaceId: WorkspaceId, answerIds: readonly string[]): Promise<Map<string, string[]>> {
    const rows = await tx.$queryRaw<{ datasetId: string; answerId: string }[]>`
      UPDATE curated_row SET erased_at = now()
       WHERE workspace_id = ${workspaceId}::uuid AND answer_id = ANY(${[...answerIds]}::uuid[]) AND erased_at IS NULL
      RETURNING dataset_id AS "datasetId", answer_id AS "answerId"`;
    const byDataset = groupBy(rows, ({ datasetId }) => datasetId);
    return new Map(
      [...byDataset].map(([id, group]) => [id, [...new Set(group.map(({ answerId }) => answerId))].sort()]),
    );
  }

  /** Answers whose rows hold text of one of these documents. */
  async showing(tx: Transaction, workspaceId: WorkspaceId, documentIds: readonly string[]): Promise<string[]> {
    const rows = await tx.$queryRaw<{ id: string }[]>`
      SELECT DISTINCT answer_id AS id FROM curated_row
       WHERE workspace_id = ${workspaceId}::uuid AND erased_at IS NULL AND document_ids && ${[...documentIds]}::uuid[]`;
    return rows.map(({ id }) => id);
  }

  /** A page of what each version’s rows were made of, newest answer first; the cursor is the answer's id. One statement for all. */
  async rowsOf(versionIds: readonly string[], page: PageRequest): Promise<Map<string, Page<CuratedRow>>> {
    const { rows } = await this.database.pool.query<CuratedRow & { root: string }>(
      `${CARRIED} SELECT root, answer_id AS "answerId", basis, feedback_ids AS "feedbackIds" FROM (
         SELECT *, row_number() OVER (PARTITION BY root ORDER BY answer_id DESC) AS place FROM (
           SELECT DISTINCT ON (root, answer_id) root, answer_id, basis, feedback_ids
             FROM curated_row JOIN carried ON carried.id = version_id
            WHERE erased_at IS NULL AND ($2::uuid IS NULL OR answer_id < $2)
            ORDER BY root, answer_id, curated_row.created_at DESC) AS latest) AS placed
        WHERE place <= $3 ORDER BY root, answer_id DESC`,
      [versionIds, page.after === null ? null : idCursor(page.after), page.first + 1],
    );
    const byVersion = groupBy(rows, ({ root }) => root);
    const lessons = (id: string) => (byVersion.get(id) ?? []).map(({ root: _, ...row }) => row);
    return new Map(versionIds.map((id) => [id, toPage(lessons(id), page.first)]));
  }

  /** Versions that have rows of these answers, also carried over, newest first, at most `limit` of each. One statement for all. */
  async versionsOf(answerIds: readonly string[], limit: number): Promise<Map<string, string[]>> {
    const { rows } = await this.database.pool.query<{ answerId: string; id: string }>(
      `WITH RECURSIVE holding (answer_id, id) AS (
         SELECT answer_id, version_id FROM curated_row WHERE answer_id = ANY($1::uuid[]) AND version_id IS NOT NULL AND erased_at IS NULL
         UNION
         SELECT answer_id, v.id FROM holding JOIN dataset_parent p ON p.parent_id = holding.id JOIN dataset_version v ON v.id = p.version_id
          WHERE jsonb_typeof(v.manifest->'base') = 'object')
       SELECT answer_id AS "answerId", id FROM (
         SELECT *, row_number() OVER (PARTITION BY answer_id ORDER BY id DESC) AS place FROM holding) AS placed
        WHERE place <= $2 ORDER BY id DESC`,
      [answerIds, limit],
    );
    const byAnswer = groupBy(rows, ({ answerId }) => answerId);
    return new Map(answerIds.map((id) => [id, (byAnswer.get(id) ?? []).map((row) => row.id)]));
  }
}
