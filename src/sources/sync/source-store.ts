import type { Groups } from '../../kernel/caller.js';
import { notFound } from '../../kernel/errors.js';
import { newId, type WorkspaceId } from '../../kernel/ids.js';
import { nameCursor, toPage, type Page, type PageRequest } from '../../kernel/pagination.js';
import { mapNameTaken, type Database, type Transaction } from '../../platform/database/index.js';
import { sourceOf } from '../knowledge/index.js';
import { storedManifest, type Item, type KnownItem } from './manifest.js';
import { NO_TEXT, type SourceCounts, type SourceRow } from './source.js';

/** What an ingestion said of a document. */
export interface IngestedItem {
  name: string;
  sha256: string;
  outcome: string;
  code: string | null;
  message: string | null;
}

/** What a commit writes of an item. */
export interface CommittedItem {
  path: string;
  sha256: string | null;
  etag: string | null;
  modifiedAt: string | null;
  failure: string | null;
  /** Whether the same version fails again. */
  lasting: boolean;
}

interface Failure {
  path: string;
  reason: string;
  modifiedAt: Date | null;
}

const REPLACED = 'Its document was replaced or deleted since the last sync. The next sync brings it back.';

/** The items of sources, and why one is no document now. One with neither digest nor reason was only asked for. */
const STATED = `
  SELECT i.source_id, i.collection_id, i.path, i.sha256, i.modified_at, CASE
      WHEN i.failure IS NOT NULL THEN i.failure
      WHEN i.sha256 IS NOT NULL AND (d.id IS NULL OR (d.sha256 <> i.sha256 AND NOT s.is_open)) THEN '${REPLACED}'
    END AS reason
    FROM source_item i JOIN source s ON s.id = i.source_id
    LEFT JOIN document d ON d.collection_id = i.collection_id AND d.live_name = i.path
   WHERE i.workspace_id = $1 AND i.source_id = ANY($2::uuid[])`;

const WITHOUT_MANIFEST = { manifest: true } as const;

/** All queries of the tables `source` and `source_item`, and what a sync writes to `document_label` in its transaction. */
export class SourceStore {
  constructor(private readonly database: Database) {}

  /** @throws ALREADY_EXISTS */
  async create(
    row: Pick<
      SourceRow,
      'workspaceId' | 'collectionId' | 'name' | 'kind' | 'labelled' | 'folder' | 'everyMinutes' | 'nextSyncAt'
    >,
  ): Promise<SourceRow> {
    try {
      const data = { id: newId(), ...row };
      return await this.database.prisma.source.create({ data, omit: WITHOUT_MANIFEST });
    } catch (error) {
      throw mapNameTaken(error, 'A source', row.name);
    }
  }

  /** @throws NOT_FOUND */
  async require(workspaceId: WorkspaceId, name: string): Promise<SourceRow> {
    const row = await this.get(workspaceId, name);
    if (row === null) throw notFound('The source', name, 'input.source');
    return row;
  }

  async get(workspaceId: WorkspaceId, name: string): Promise<SourceRow | null> {
    if (name.includes('\0')) return null;
    return this.database.prisma.source.findFirst({ where: { workspaceId, name }, omit: WITHOUT_MANIFEST });
  }

  byIds(workspaceId: WorkspaceId, ids: readonly string[]): Promise<SourceRow[]> {
    const where = { workspaceId, id: { in: [...ids] } };
    return this.database.prisma.source.findMany({ where, omit: WITHOUT_MANIFEST });
  }

  /** The source whose last sync has this id. */
  bySync(workspaceId: WorkspaceId, syncId: string): Promise<SourceRow | null> {
    return this.database.prisma.source.findFirst({ where: { workspaceId, syncId }, omit: WITHOUT_MANIFEST });
  }

  /** By name; the cursor is the name. */
  async list(workspaceId: WorkspaceId, page: PageRequest): Promise<Page<SourceRow>> {
    const cursor = page.after === null ? null : nameCursor(page.after);
    const rows = await this.database.prisma.source.findMany({
      where: { workspaceId, ...(cursor === null ? {} : { name: { gt: cursor } }) },
      omit: WITHOUT_MANIFEST,
      orderBy: { name: 'asc' },
      take: page.first + 1,
    });
    return toPage(rows, page.first);
  }

  /** Those whose next sync is due. */
  due(now: Date): Promise<SourceRow[]> {
    return this.database.prisma.source.findMany({ where: { nextSyncAt: { lte: now } }, omit: WITHOUT_MANIFEST });
  }

  /** Those that have an interval. */
  withInterval(): Promise<SourceRow[]> {
    return this.database.prisma.source.findMany({ where: { everyMinutes: { not: null } }, omit: WITHOUT_MANIFEST });
  }

  async remove(id: string): Promise<void> {
    await this.database.prisma.source.deleteMany({ where: { id } });
  }

  /** Says which run reads the folder, and when it is read next. */
  async setRun(tx: Transaction, { id, everyMinutes }: SourceRow, runId: string): Promise<void> {
    await tx.$executeRaw`
      UPDATE source SET run_id = ${runId}::uuid, next_sync_at = now() + make_interval(mins => ${everyMinutes}::int) WHERE id = ${id}::uuid`;
  }

  /** The manifest of the open sync of this id; null where it is another, or none is open. */
  async manifest(tx: Transaction, id: string, syncId: string): Promise<Item[] | null> {
    const row = await tx.source.findFirst({ where: { id, syncId, isOpen: true }, select: { manifest: true } });
    return row && storedManifest.decode(row.manifest);
  }

  /** Makes a manifest that of the source's open sync, which replaces an earlier one. @returns its id */
  async open(tx: Transaction, { id }: SourceRow, items: Item[]): Promise<string> {
    const syncId = newId();
    const manifest = JSON.stringify(storedManifest.encode(items));
    await tx.$executeRaw`
      UPDATE source SET sync_id = ${syncId}::uuid, opened_at = now(), is_open = true, manifest = ${manifest}::jsonb
       WHERE id = ${id}::uuid`;
    return syncId;
  }

  /** Takes paths for a source. @returns one that another source has, with that source's name */
  async claim(
    tx: Transaction,
    { id, collectionId, workspaceId }: SourceRow,
    paths: string[],
  ): Promise<{ path: string; source: string } | null> {
    await tx.$executeRaw`
      INSERT INTO source_item (collection_id, path, source_id, workspace_id)
      SELECT ${collectionId}::uuid, path, ${id}::uuid, ${workspaceId}::uuid FROM unnest(${paths}::text[]) AS u(path)
      ON CONFLICT DO NOTHING`;
    const [takenItem] = await tx.$queryRaw<{ path: string; source: string }[]>`
      SELECT i.path, s.name AS source FROM source_item i JOIN source s ON s.id = i.source_id
       WHERE i.collection_id = ${collectionId}::uuid AND i.path = ANY(${paths}::text[]) AND i.source_id <> ${id}::uuid LIMIT 1`;
    return takenItem ?? null;
  }

  /** Has failed versions tried again. */
  async forgetFailures(tx: Transaction, { id }: SourceRow): Promise<void> {
    await tx.sourceItem.updateMany({ where: { sourceId: id }, data: { lasting: false } });
  }

  /** All that the source listed, and what search sees of it. */
  known(tx: Transaction, { id }: SourceRow): Promise<KnownItem[]> {
    return tx.$queryRaw<KnownItem[]>`
      SELECT i.path, i.sha256, i.etag, i.failure, i.lasting, d.sha256 AS live, l.access,
             coalesce(i.sha256 IS NULL AND i.failure IS NULL AND d.created_at < i.claimed_at, false) AS foreign
        FROM source_item i
        LEFT JOIN document d ON d.collection_id = i.collection_id AND d.live_name = i.path
        LEFT JOIN document_label l ON l.collection_id = i.collection_id AND l.name = i.path
       WHERE i.source_id = ${id}::uuid`;
  }

  /** An ingestion that has not ended and brings something that the source listed. */
  async unfinishedIngestion(
    { id, collectionId, workspaceId }: SourceRow,
    tx: Transaction = this.database.prisma,
  ): Promise<string | null> {
    const [row] = await tx.$queryRaw<{ id: string }[]>`
      SELECT r.id FROM run r, jsonb_array_elements(r.input->'documents') AS document
        JOIN source_item i ON i.source_id = ${id}::uuid AND i.path = document->>'name'
       WHERE r.workspace_id = ${workspaceId}::uuid AND r.kind = 'INGESTION' AND r.subject_id = ${collectionId}::uuid
         AND r.finished_at IS NULL LIMIT 1`;
    return row?.id ?? null;
  }

  /**
   * What ingestions said last of documents: of those with a digest of these bytes, of the others since the sync was opened.
   * @param items digests by name
   */
  ingested(
    tx: Transaction,
    { id, collectionId, workspaceId }: SourceRow,
    items: readonly Item[],
  ): Promise<IngestedItem[]> {
    const names = items.map(({ path }) => path);
    const digests = items.map(({ sha256 }) => sha256);
    return tx.$queryRaw<IngestedItem[]>`
      SELECT DISTINCT ON (name) document->>'name' AS name, document->>'sha256' AS sha256, report->>'outcome' AS outcome,
             report->'error'->>'code' AS code, report->'error'->>'message' AS message
        FROM run r, jsonb_array_elements(r.input->'documents') AS document
        JOIN unnest(${names}::text[], ${digests}::text[]) AS item (path, sha256) ON item.path = document->>'name',
        LATERAL jsonb_array_elements(coalesce(r.output, r.checkpoint)->'documents') AS report
       WHERE r.workspace_id = ${workspaceId}::uuid AND r.kind = 'INGESTION' AND r.subject_id = ${collectionId}::uuid
         AND report->>'name' = item.path
         AND CASE WHEN item.sha256 IS NULL THEN r.created_at >= (SELECT opened_at FROM source WHERE id = ${id}::uuid)
                  ELSE document->>'sha256' = item.sha256 END
       ORDER BY name, r.id DESC`;
  }

  /** Writes what a source has after a sync, which that ends. @param goneItems paths, and how many of them were documents */
  async commit(
    tx: Transaction,
    { id }: SourceRow,
    items: readonly CommittedItem[],
    goneItems: { paths: string[]; documents: number },
  ): Promise<void> {
    await tx.$executeRaw`DELETE FROM source_item WHERE source_id = ${id}::uuid AND path = ANY(${goneItems.paths}::text[])`;
    await tx.$executeRaw`
      UPDATE source_item i SET sha256 = c.sha256, etag = c.etag, modified_at = c."modifiedAt", failure = c.failure, lasting = c.lasting
        FROM jsonb_to_recordset(${JSON.stringify(items)}::jsonb)
          AS c(path text, sha256 text, etag text, "modifiedAt" timestamptz, failure text, lasting boolean)
       WHERE i.source_id = ${id}::uuid AND i.path = c.path`;
    await tx.$executeRaw`
      UPDATE source SET is_open = false, manifest = NULL, synced_at = opened_at, gone = ${goneItems.documents} WHERE id = ${id}::uuid`;
  }

  /** Says who may see what is, or will be, under these names. */
  async setAccess(
    tx: Transaction,
    collection: { id: string; name: string; workspaceId: string },
    labels: readonly { path: string; access: readonly string[] }[],
    changedBy: string,
  ): Promise<void> {
    if (labels.length === 0) return;
    const rows = labels.map(({ path, access }) => ({ path, access, source: sourceOf(collection.name, path) }));
    await tx.$executeRaw`
      INSERT INTO document_label (workspace_id, collection_id, name, source, access, changed_by)
      SELECT ${collection.workspaceId}::uuid, ${collection.id}::uuid, path, source, access, ${changedBy}
        FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS l(path text, source text, access text[])
      ON CONFLICT (collection_id, name) DO UPDATE
        SET access = excluded.access, changed_by = excluded.changed_by, changed_at = now()
      WHERE document_label.access IS DISTINCT FROM excluded.access`;
  }

  /** How many items of each source are what; one that was only asked for isn't counted. */
  async counts(workspaceId: WorkspaceId, ids: readonly string[]): Promise<Map<string, SourceCounts>> {
    const { rows } = await this.database.pool.query<SourceCounts & { id: string }>(
      `SELECT source_id AS id, count(*) FILTER (WHERE reason IS NULL AND sha256 IS NOT NULL)::int AS "in",
              count(*) FILTER (WHERE reason !~ $3)::int AS failed, count(*) FILTER (WHERE reason ~ $3)::int AS empty
         FROM (${STATED}) AS item GROUP BY 1`,
      [workspaceId, ids, NO_TEXT],
    );
    return new Map(rows.map(({ id, ...counts }) => [id, counts]));
  }

  /** Items that are no documents, by path, of those that such a reader may see. */
  async failures(workspaceId: WorkspaceId, id: string, first: number, groups: Groups): Promise<Failure[]> {
    const { rows } = await this.database.pool.query<Failure>(
      `SELECT path, reason, modified_at AS "modifiedAt" FROM (${STATED}) AS item
        WHERE reason IS NOT NULL AND ($4::text[] IS NULL OR NOT EXISTS (
          SELECT 1 FROM document_label l WHERE l.collection_id = item.collection_id AND l.name = item.path AND NOT l.access && $4))
        ORDER BY path LIMIT $3`,
      [workspaceId, [id], first, groups],
    );
    return rows;
  }
}
