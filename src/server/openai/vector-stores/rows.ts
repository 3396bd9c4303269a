import { z } from 'zod';
import type { Groups } from '../../../kernel/caller.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { storedJson } from '../../../kernel/stored-json.js';
import type { StoredFileRow } from '../../../platform/artifacts/index.js';
import { asColumn, type Database } from '../../../platform/database/index.js';
import type { Span } from '../lists.js';

/** Where a document's metadata say which file it was made of; what else stands there are the file's attributes. */
export const FILE_KEY = 'graft.file';

/** What the names of a file's documents begin with: only these are its own, whatever metadata say. */
export const namePrefix = (fileId: string): string => `${fileId.slice(-12)}/`;

const prefixOf = (fileId: string) => `right(${fileId}, 12) || '/'`;
/** The file that a document was made of, in SQL; null for one that came in another way. */
const fileIn = (metadata: string, name: string) =>
  `CASE WHEN starts_with(${name}, ${prefixOf(`${metadata}->>'${FILE_KEY}'`)}) THEN ${metadata}->>'${FILE_KEY}' END`;

export const storedNotes = storedJson(z.record(z.string(), z.string()));
type StoreMetadata = z.infer<typeof storedNotes.schema>;

export interface StoreRow {
  /** The collection's. */
  id: string;
  collection: string;
  createdAt: Date;
  name: string;
  metadata: StoreMetadata;
}

export const FILE_STATUSES = ['in_progress', 'completed', 'failed', 'cancelled'] as const;
export type FileStatus = (typeof FILE_STATUSES)[number];

/** A file of a store: what its last ingestion came to, or a document that came in another way. */
export interface StoreFileRow {
  id: string;
  /** Lists are in its order, which is that of time. */
  key: string;
  collectionId: string;
  /** Of its document. */
  name: string;
  status: FileStatus;
  error: { code: string; message: string } | null;
  bytes: number;
  metadata: Record<string, unknown>;
  /** Whether an ingestion of it has not ended. */
  hasOpenRun: boolean;
  /** Of the live document; null where there is none. */
  documentId: string | null;
  createdAt: Date;
}

/** A live document with the content of a file. */
export interface FileDocument {
  collection: string;
  name: string;
  /** Whether a store made it of this file. */
  isOwn: boolean;
  isSeen: boolean;
}

export interface FileCounts {
  byStatus: Record<FileStatus, number>;
  bytes: number;
}

/** Which files, as a reader of these groups sees them; with a run, those that it brought. */
export interface FileSelection {
  workspaceId: WorkspaceId;
  collectionIds: readonly string[];
  groups: Groups;
  run?: string | undefined;
  /** null: any. */
  ids?: readonly string[] | null;
}

const keyOf = (run: string, place: string) => `${run} || '.' || lpad(${place}::text, 4, '0')`;

/**
 * `file`: the newest ingestion of each file of the collections `$2`, or that of the run `$4`, beside the live documents. Of the files `$5`
 * alone, unless it is null: the documents with their names, and ingestions with the names of their documents, come along.
 */
const FILES = `
  WITH live AS (
    SELECT id, collection_id, live_name, metadata, bytes, created_at,
           coalesce(${fileIn('metadata', 'live_name')}, 'file-' || id) AS file_id
      FROM document
     WHERE workspace_id = $1 AND collection_id = ANY($2) AND live_name IS NOT NULL
       AND ($5::text[] IS NULL OR 'file-' || id = ANY($5)
         OR EXISTS (SELECT 1 FROM unnest($5::text[]) AS asked WHERE starts_with(live_name, ${prefixOf('asked')})))
  ), job AS (
    SELECT DISTINCT ON (r.subject_id, file_id)
           r.subject_id AS collection_id, r.id AS run_id, r.status, r.error_code, r.error_message, r.created_at, j.place, file_id,
           bool_or(r.finished_at IS NULL) OVER (PARTITION BY r.subject_id, file_id) AS has_open_run,
           coalesce(r.output, r.checkpoint)->'documents' AS reports, j.document->>'name' AS name, j.document->'metadata' AS metadata
      FROM run r, jsonb_array_elements(r.input->'documents') WITH ORDINALITY AS j (document, place),
           LATERAL (SELECT ${fileIn("j.document->'metadata'", "j.document->>'name'")} AS file_id) AS made_of
     WHERE r.workspace_id = $1 AND r.kind = 'INGESTION' AND r.subject_id = ANY($2) AND ($4::uuid IS NULL OR r.id = $4)
       AND file_id IS NOT NULL AND ($5 IS NULL OR file_id = ANY($5) OR j.document->>'name' IN (SELECT live_name FROM live))
     ORDER BY r.subject_id, file_id, r.id DESC
  ), reported AS (
    SELECT job.*, (SELECT e FROM jsonb_array_elements(reports) AS e WHERE e->>'name' = job.name LIMIT 1) AS report FROM job
  ), entry AS (
    SELECT coalesce(j.file_id, live.file_id) AS id,
           coalesce(${keyOf('j.run_id', 'j.place')}, live.id::text) COLLATE "C" AS key,
           coalesce(j.collection_id, live.collection_id) AS "collectionId",
           coalesce(j.name, live.live_name) AS name,
           coalesce(j.metadata, live.metadata) AS metadata,
           coalesce(j.created_at, live.created_at) AS "createdAt",
           coalesce(live.bytes, 0)::float8 AS bytes,
           live.id AS "documentId",
           coalesce(j.has_open_run, false) AS "hasOpenRun",
           coalesce(j.report->'error', jsonb_build_object('code', j.error_code, 'message', coalesce(j.error_message, ''))) AS error,
           CASE WHEN j.report->>'outcome' = 'FAILED' THEN 'failed'
                WHEN j.run_id IS NULL OR j.report IS NOT NULL THEN 'completed'
                WHEN j.status IN ('QUEUED', 'RUNNING', 'PAUSED') THEN 'in_progress'
                WHEN j.status = 'FAILED' THEN 'failed'
                WHEN live.id IS NOT NULL THEN 'completed'
                WHEN j.status = 'CANCELLED' THEN 'cancelled' END AS status
      FROM reported j FULL JOIN live ON live.collection_id = j.collection_id AND live.live_name = j.name
     WHERE $4::uuid IS NULL OR j.run_id IS NOT NULL
  ), file AS (
    SELECT * FROM entry e WHERE status IS NOT NULL AND (status <> 'completed' OR "documentId" IS NOT NULL)
       AND ($5 IS NULL OR id = ANY($5)) AND ($3::text[] IS NULL OR NOT EXISTS (
         SELECT 1 FROM document_label l WHERE l.collection_id = e."collectionId" AND l.name = e.name AND NOT l.access && $3))
  )`;

const parametersOf = ({ workspaceId, collectionIds, groups, run, ids = null }: FileSelection) => [
  workspaceId,
  collectionIds,
  groups,
  run ?? null,
  ids,
];

/** All queries of the table `vector_store`, and what runs and documents tell of the files of a store. */
export class StoreRows {
  constructor(private readonly database: Database) {}

  async stores(
    workspaceId: WorkspaceId,
    { ids = null, lower, upper, limit, descending }: Omit<Span, 'backwards'> & { ids?: readonly string[] | null },
  ): Promise<StoreRow[]> {
    const { rows } = await this.database.pool.query<StoreRow>(
      `SELECT c.id, c.name AS collection, c.created_at AS "createdAt", coalesce(s.name, c.name) AS name, coalesce(s.metadata, '{}') AS metadata
         FROM collection c LEFT JOIN vector_store s ON s.collection_id = c.id
        WHERE c.workspace_id = $1 AND ($2::uuid[] IS NULL OR c.id = ANY($2))
          AND ($3::uuid IS NULL OR c.id > $3) AND ($4::uuid IS NULL OR c.id < $4)
        ORDER BY c.id ${descending ? 'DESC' : 'ASC'} LIMIT $5`,
      [workspaceId, ids, lower, upper, limit + 1],
    );
    return rows.map((row) => ({ ...row, metadata: storedNotes.decode(row.metadata) }));
  }

  /** What a client calls a collection, and notes with it. */
  async describe(
    workspaceId: WorkspaceId,
    collectionId: string,
    { name, metadata }: Pick<StoreRow, 'name' | 'metadata'>,
  ): Promise<void> {
    const data = { name, metadata: asColumn(storedNotes.encode(metadata)) };
    await this.database.prisma.vectorStore.upsert({
      where: { collectionId },
      create: { collectionId, workspaceId, ...data },
      update: data,
    });
  }

  /** Files by the key of their order. */
  async files(
    selection: FileSelection,
    { status = null, span }: { status?: FileStatus | null; span?: Span } = {},
  ): Promise<StoreFileRow[]> {
    const { lower = null, upper = null, limit = null, descending = false } = span ?? {};
    const { rows } = await this.database.pool.query<StoreFileRow>(
      `${FILES} SELECT * FROM file
        WHERE ($6::text IS NULL OR status = $6)
          AND ($7::text IS NULL OR key > $7) AND ($8::text IS NULL OR key < $8)
        ORDER BY key ${descending ? 'DESC' : 'ASC'} LIMIT $9`,
      [...parametersOf(selection), status, lower, upper, limit === null ? null : limit + 1],
    );
    return rows.map((row) => (row.status === 'failed' ? row : { ...row, error: null }));
  }

  /** The key in lists of a file that was taken out of a store: the ingestions that brought it still say its name. */
  async formerKey(
    { workspaceId, collectionIds, groups, run }: FileSelection,
    fileId: string,
  ): Promise<string | undefined> {
    const { rows } = await this.database.pool.query<{ key: string }>(
      `SELECT ${keyOf('r.id', 'place')} AS key
         FROM run r, jsonb_array_elements(r.input->'documents') WITH ORDINALITY AS j (document, place)
        WHERE r.workspace_id = $1 AND r.kind = 'INGESTION' AND r.subject_id = ANY($2) AND ($4::uuid IS NULL OR r.id = $4)
          AND starts_with(j.document->>'name', $5) AND ($3::text[] IS NULL OR NOT EXISTS (
            SELECT 1 FROM document_label l
             WHERE l.collection_id = r.subject_id AND l.name = j.document->>'name' AND NOT l.access && $3))
        ORDER BY r.id DESC LIMIT 1`,
      [workspaceId, collectionIds, groups, run ?? null, namePrefix(fileId)],
    );
    return rows[0]?.key;
  }

  /** How many files of each status there are, by collection, and the bytes of their documents. */
  async counts(selection: FileSelection): Promise<Map<string, FileCounts>> {
    const { rows } = await this.database.pool.query<{ id: string; status: FileStatus; count: number; bytes: number }>(
      `${FILES} SELECT "collectionId" AS id, status, count(*)::int AS count, sum(bytes) AS bytes FROM file GROUP BY 1, 2`,
      parametersOf(selection),
    );
    const counts = new Map<string, FileCounts>(selection.collectionIds.map((id) => [id, noFiles()]));
    for (const { id, status, count, bytes } of rows) {
      const total = counts.get(id)!;
      total.byStatus[status] = count;
      total.bytes += bytes;
    }
    return counts;
  }

  /**
   * Row ids of files with a purpose, by age. Hidden are those whose document has a label that hides it: its name begins with the end of the
   * file's id.
   * @param purpose null: any
   */
  async fileIds(
    { workspaceId, groups }: Pick<FileSelection, 'workspaceId' | 'groups'>,
    { id = null, purpose = null, span }: { id?: string | null; purpose?: string | null; span?: Span },
  ): Promise<string[]> {
    const { lower = null, upper = null, limit = 0, descending = false } = span ?? {};
    const { rows } = await this.database.pool.query<{ id: string }>(
      `SELECT f.id FROM stored_file f
        WHERE f.workspace_id = $1 AND f.purpose IS NOT NULL AND ($3::uuid IS NULL OR f.id = $3) AND ($4::text IS NULL OR f.purpose = $4)
          AND ($5::uuid IS NULL OR f.id > $5) AND ($6::uuid IS NULL OR f.id < $6)
          AND ($2::text[] IS NULL OR right(f.id::text, 12) NOT IN (
            SELECT split_part(l.name, '/', 1) FROM document_label l WHERE l.workspace_id = $1 AND NOT l.access && $2))
        ORDER BY f.id ${descending ? 'DESC' : 'ASC'} LIMIT $7`,
      [workspaceId, groups, id, purpose, lower, upper, limit + 1],
    );
    return rows.map((row) => row.id);
  }

  /** Documents of a file's content, as a reader of these groups sees them. */
  async documentsOf(
    { id, workspaceId, sha256 }: Pick<StoredFileRow, 'id' | 'workspaceId' | 'sha256'>,
    groups: Groups,
  ): Promise<FileDocument[]> {
    const { rows } = await this.database.pool.query<FileDocument>(
      `SELECT c.name AS collection, d.name, coalesce(${fileIn('d.metadata', 'd.name')} = 'file-' || $2, false) AS "isOwn", $3::text[] IS NULL OR NOT EXISTS (
                SELECT 1 FROM document_label l WHERE l.collection_id = c.id AND l.name = d.name AND NOT l.access && $3) AS "isSeen"
         FROM document d JOIN collection c ON c.id = d.collection_id
        WHERE d.workspace_id = $1 AND d.live_name IS NOT NULL AND d.sha256 = $4`,
      [workspaceId, id, groups, sha256],
    );
    return rows;
  }

  /** Ids of at most `limit` live documents of a collection whose metadata fulfil a condition on `d.metadata`, with parameters from `$4` on. */
  async matching(
    workspaceId: WorkspaceId,
    collectionId: string,
    { condition, values, limit }: { condition: string; values: readonly string[]; limit: number },
  ): Promise<string[]> {
    const { rows } = await this.database.pool.query<{ id: string }>(
      `SELECT d.id FROM document d WHERE d.workspace_id = $1 AND d.collection_id = $2 AND d.live_name IS NOT NULL AND ${condition}
        LIMIT $3`,
      [workspaceId, collectionId, limit, ...values],
    );
    return rows.map(({ id }) => id);
  }
}

const noFiles = (): FileCounts => ({
  byStatus: { in_progress: 0, completed: 0, failed: 0, cancelled: 0 },
  bytes: 0,
});
