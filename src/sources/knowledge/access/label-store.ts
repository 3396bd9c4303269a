import type { Groups } from '../../../kernel/caller.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { Database, Transaction } from '../../../platform/database/index.js';
import { sourceOf } from './label.js';
import { ALL_SEEN, sightBy, type Sight } from './sight.js';

/** A document's name where it stands. */
export interface NameIn {
  collectionId: string;
  name: string;
}

/**
 * All queries of the table `document_label`, but for the conditions that others join it by. A label belongs to a name in a collection,
 * whatever stands under it: a new version of a document has it from the beginning. It is read anew by each request, so a change holds at
 * once on every gateway.
 */
export class LabelStore {
  constructor(private readonly database: Database) {}

  /** Labels documents of these names, whether or not there are any yet; without groups everybody reads them. */
  async set(
    workspaceId: WorkspaceId,
    collection: { id: string; name: string },
    { names, access, changedBy }: { names: readonly string[]; access: readonly string[]; changedBy: string },
  ): Promise<void> {
    const { pool } = this.database;
    if (access.length === 0) {
      await pool.query('DELETE FROM document_label WHERE workspace_id = $1 AND collection_id = $2 AND name = ANY($3)', [
        workspaceId,
        collection.id,
        names,
      ]);
      return;
    }
    await pool.query(
      `INSERT INTO document_label (workspace_id, collection_id, name, source, access, changed_by)
       SELECT $1, $2, name, source, $5, $6 FROM unnest($3::text[], $4::text[]) AS u(name, source)
       ON CONFLICT (collection_id, name) DO UPDATE
         SET access = excluded.access, changed_by = excluded.changed_by, changed_at = now()`,
      [workspaceId, collection.id, names, names.map((name) => sourceOf(collection.name, name)), access, changedBy],
    );
  }

  /** Whether such a reader lacks the label of a name, for each of these; one without a label is seen by all. */
  async areUnseen(workspaceId: WorkspaceId, names: readonly NameIn[], groups: Groups): Promise<boolean[]> {
    if (groups === null || names.length === 0) return names.map(() => false);
    const { rows } = await this.database.pool.query<{ unseen: boolean }>(
      `SELECT l.name IS NOT NULL AS unseen
         FROM unnest($2::uuid[], $3::text[]) WITH ORDINALITY AS asked (collection_id, name, place)
         LEFT JOIN document_label l ON l.workspace_id = $1 AND l.collection_id = asked.collection_id AND l.name = asked.name
               AND NOT l.access && $4::text[]
        ORDER BY place`,
      [workspaceId, names.map(({ collectionId }) => collectionId), names.map(({ name }) => name), groups],
    );
    return rows.map(({ unseen }) => unseen);
  }

  /**
   * Names of live documents of a collection that such a reader doesn't see: those among these, or one where all are asked about.
   * @param tx which holds the collection's lock, where nothing may go live behind the answer
   */
  async hiddenIn(
    workspaceId: WorkspaceId,
    collectionId: string,
    names: readonly string[] | null,
    groups: Groups,
    tx: Transaction = this.database.prisma,
  ): Promise<string[]> {
    if (groups === null) return [];
    const among = names === null ? null : [...names];
    const rows = await tx.$queryRaw<{ name: string }[]>`
      SELECT l.name FROM document_label l
        JOIN document d ON d.collection_id = l.collection_id AND d.live_name = l.name AND d.workspace_id = ${workspaceId}::uuid
       WHERE l.workspace_id = ${workspaceId}::uuid AND l.collection_id = ${collectionId}::uuid
         AND (${among}::text[] IS NULL OR l.name = ANY(${among}::text[])) AND NOT l.access && ${[...groups]}::text[]
       ORDER BY l.name LIMIT ${names?.length ?? 1}`;
    return rows.map(({ name }) => name);
  }

  /** Which live documents of these collections such a reader sees. */
  async sightOf(
    workspaceId: WorkspaceId,
    collections: readonly { id: string; documents: number }[],
    groups: Groups,
  ): Promise<Sight> {
    if (groups === null) return ALL_SEEN;
    const documents = collections.reduce((sum, collection) => sum + collection.documents, 0);
    const { rows } = await this.database.pool.query<{ listed: Sight['listed']; of: Sight['of'] | null }>({
      name: 'knowledge-sight-of',
      text: `WITH hidden AS MATERIALIZED (
          SELECT d.id, d.collection_id FROM document_label l
            JOIN document d ON d.collection_id = l.collection_id AND d.live_name = l.name AND d.workspace_id = $1
           WHERE l.workspace_id = $1 AND l.collection_id = ANY($2) AND NOT l.access && $3::text[]
        ), seen AS (
          SELECT id, collection_id FROM document WHERE workspace_id = $1 AND collection_id = ANY($2) AND live_name IS NOT NULL
             AND id NOT IN (SELECT id FROM hidden)
        ), few AS MATERIALIZED (SELECT 2 * count(*) > $4 AS are_seen FROM hidden)
        SELECT CASE WHEN are_seen THEN 'SEEN' ELSE 'HIDDEN' END AS listed,
               CASE WHEN are_seen THEN (SELECT json_object_agg(collection_id, ids) FROM
                                         (SELECT collection_id, json_agg(id) AS ids FROM seen GROUP BY 1) AS by_collection)
                                  ELSE (SELECT json_object_agg(collection_id, ids) FROM
                                         (SELECT collection_id, json_agg(id) AS ids FROM hidden GROUP BY 1) AS by_collection)
                 END AS of
          FROM few`,
      values: [workspaceId, collections.map(({ id }) => id), groups, documents],
    });
    const { listed, of } = rows[0]!;
    return sightBy(listed, of ?? {});
  }

  /** Those of these documents, live or not, that such a reader doesn't see. */
  async hiddenOf(workspaceId: WorkspaceId, documentIds: readonly string[], groups: Groups): Promise<Set<string>> {
    if (groups === null || documentIds.length === 0) return new Set();
    const { rows } = await this.database.pool.query<{ id: string }>({
      name: 'knowledge-hidden-of',
      text: `SELECT d.id FROM document d JOIN document_label l ON l.collection_id = d.collection_id AND l.name = d.name
              WHERE d.workspace_id = $1 AND d.id = ANY($2::uuid[]) AND NOT l.access && $3::text[]`,
      values: [workspaceId, documentIds, groups],
    });
    return new Set(rows.map(({ id }) => id));
  }

  /** The different sets of groups that documents of these names have, as text; of those that everybody sees nothing. */
  async accessNamed(workspaceId: WorkspaceId, collectionId: string, names: readonly string[]): Promise<string[]> {
    const { rows } = await this.database.pool.query<{ access: string }>(
      `SELECT DISTINCT array_to_string(access, ', ') AS access FROM document_label
        WHERE workspace_id = $1 AND collection_id = $2 AND name = ANY($3) ORDER BY 1`,
      [workspaceId, collectionId, names],
    );
    return rows.map(({ access }) => access);
  }

  /** The groups of documents, by their ids; of those that everybody sees there are none. */
  async accessOf(workspaceId: WorkspaceId, documentIds: readonly string[]): Promise<Map<string, string[]>> {
    const { rows } = await this.database.pool.query<{ id: string; access: string[] }>(
      `SELECT d.id, l.access FROM document d JOIN document_label l ON l.collection_id = d.collection_id AND l.name = d.name
        WHERE d.workspace_id = $1 AND d.id = ANY($2::uuid[])`,
      [workspaceId, documentIds],
    );
    return new Map(rows.map(({ id, access }) => [id, access]));
  }
}
