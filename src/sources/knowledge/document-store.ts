import type { Groups } from '../../kernel/caller.js';
import { GraftError } from '../../kernel/errors.js';
import { newId, type Uuid, type WorkspaceId } from '../../kernel/ids.js';
import { idCursor, ordinalCursor, toPage, type Page, type PageRequest } from '../../kernel/pagination.js';
import { anyJson, storedJson, type Json } from '../../kernel/stored-json.js';
import { asColumn, type Database, type Prisma, type Transaction } from '../../platform/database/index.js';
import type { DraftChunk } from './chunking/chunk.js';
import { lockCollection } from './collection-store.js';
import { indexText, lexicalText } from './indexing/lexical-text.js';
import type { ParsedDocument } from './parsing/document.js';

/** A document without its text, which may have megabytes. */
export type DocumentRow = Omit<Prisma.DocumentGetPayload<object>, 'text'>;
export type ChunkRow = Prisma.ChunkGetPayload<object>;

const WITHOUT_TEXT = { text: true } as const;
/** Chunks per statement: about 20,000 postings. */
const BATCH = 200;

/** The column `metadata`: of a form of its user's own. */
export const storedMetadata = storedJson(anyJson);

interface StagedDocument {
  workspaceId: string;
  collectionId: string;
  name: string;
  sha256: string;
  bytes: bigint;
  metadata: Json;
  runId: string;
  /** What cut it into chunks: see `chunkerOf`. */
  cutBy: string;
  parsed: ParsedDocument;
}

/** A document that is not live any more or never became so. */
interface StaleDocument {
  id: string;
  name: string;
  workspaceId: WorkspaceId;
  collectionId: string;
  collectionName: string;
  chunkIds: string[];
}

/** A chunk and the document that it stands in. */
export interface NamedChunk {
  chunkId: string;
  documentName: string;
  text: string;
}

/** Documents by id, or all of a collection. */
type WhichDocuments = { ids: readonly string[] } | { collectionId: string };

/** A document `d` that everybody sees: what is made of documents, questions and rows, has no labels of its own. */
const UNLABELLED =
  'NOT EXISTS (SELECT 1 FROM document_label l WHERE l.collection_id = d.collection_id AND l.name = d.name)';

/** A document `d` that is not live, and that no run is still working on, but for the run `$1`. */
const STALE = `d.live_name IS NULL AND (d.run_id = $1 OR NOT EXISTS (
  SELECT 1 FROM run r WHERE r.id = d.run_id AND r.status IN ('QUEUED', 'RUNNING')))`;
const SELECT_STALE = `SELECT d.id, d.name, d.workspace_id AS "workspaceId", d.collection_id AS "collectionId", c.name AS "collectionName",
       ARRAY(SELECT id::text FROM chunk WHERE document_id = d.id) AS "chunkIds"
  FROM document d JOIN collection c ON c.id = d.collection_id`;

/** A chunk with the id that its row and its vector share. */
export type StoredChunk = DraftChunk & { id: Uuid };

/** A chunk that goes over to the document that takes its own one's place, and where it stands there. */
export type KeptChunk = Pick<DraftChunk, 'ordinal' | 'start' | 'end' | 'page'> & { id: string };

/**
 * All queries of the tables `document`, `chunk` and `chunk_term`.
 *
 * A document is staged first (`live_name` null): row, chunks and postings, in as many statements as it takes, seen by
 * nobody. Then one short transaction makes it live and retires the live one of its name. A row that is not live any more,
 * or never became so, stays until its vectors are gone (`replaced`, `deleted`, `remove`): it is the reminder to delete them.
 */
export class DocumentStore {
  constructor(private readonly database: Database) {}

  /** The live document of a name. */
  live(workspaceId: WorkspaceId, collectionId: string, name: string): Promise<DocumentRow | null> {
    return this.database.prisma.document.findFirst({
      where: { workspaceId, collectionId, liveName: name },
      omit: WITHOUT_TEXT,
    });
  }

  /** Ids of the chunks of a live document without a label that hold a text, or of all of them: whoever asks learns whether it does. */
  async chunkIdsWith(collectionId: string, name: string, text: string | null): Promise<string[]> {
    const { rows } = await this.database.pool.query<{ id: string }>(
      `SELECT c.id FROM chunk c JOIN document d ON d.id = c.document_id
        WHERE d.collection_id = $1 AND d.live_name = $2 AND ${UNLABELLED}
          AND ($3::text IS NULL OR position($3 in c.text) > 0)`,
      [collectionId, name, text],
    );
    return rows.map(({ id }) => id);
  }

  /** Whether all documents of these names are live. */
  async allLive(collectionId: string, names: readonly string[]): Promise<boolean> {
    const liveName = { in: [...new Set(names)] };
    return (await this.database.prisma.document.count({ where: { collectionId, liveName } })) === liveName.in.length;
  }

  /** Chunks of live documents without labels that hold a text, white space apart, at most ten. */
  async chunksHolding(collectionId: string, text: string): Promise<NamedChunk[]> {
    const { rows } = await this.database.pool.query<NamedChunk>(
      `SELECT c.id AS "chunkId", d.live_name AS "documentName", c.text FROM chunk c JOIN document d ON d.id = c.document_id
        WHERE d.collection_id = $1 AND d.live_name IS NOT NULL AND ${UNLABELLED}
          AND position($2 in regexp_replace(c.text, '\s+', ' ', 'g')) > 0 ORDER BY c.id LIMIT 10`,
      [collectionId, text.replace(/\s+/gu, ' ').trim()],
    );
    return rows;
  }

  /** Chunks of live documents without labels that are drawn, the same for the same seed. */
  async drawChunks(collectionId: string, count: number, seed: number): Promise<Pick<ChunkRow, 'id' | 'text'>[]> {
    const { rows } = await this.database.pool.query<Pick<ChunkRow, 'id' | 'text'>>(
      `SELECT c.id, c.text FROM chunk c JOIN document d ON d.id = c.document_id
        WHERE d.collection_id = $1 AND d.live_name IS NOT NULL AND ${UNLABELLED}
        ORDER BY md5(c.document_id::text || c.ordinal || $3::text), c.id LIMIT $2`,
      [collectionId, count, seed],
    );
    return rows;
  }

  async stage(document: StagedDocument, language: string, chunks: readonly StoredChunk[]): Promise<Uuid> {
    const id = newId();
    const { parsed, ...columns } = document;
    await this.database.prisma.document.create({
      data: {
        ...columns,
        id,
        metadata: asColumn(storedMetadata.encode(document.metadata)),
        mediaType: parsed.mediaType,
        title: parsed.title,
        text: parsed.text,
        pages: parsed.pages,
      },
    });
    for (let from = 0; from < chunks.length; from += BATCH)
      await this.addChunks(document, id, language, chunks.slice(from, from + BATCH));
    await this.database.pool.query(
      `UPDATE document SET (chunk_count, term_count) =
         (SELECT count(*), coalesce(sum(term_count), 0) FROM chunk WHERE document_id = $1) WHERE id = $1`,
      [id],
    );
    return id;
  }

  /** Chunks with their postings: the lexemes that the collection's language makes of them, and how often. */
  private async addChunks(
    { workspaceId, collectionId }: StagedDocument,
    documentId: string,
    language: string,
    chunks: readonly StoredChunk[],
  ): Promise<void> {
    const input = chunks.map((chunk) => ({ ...chunk, lexical: lexicalText(indexText(chunk)) }));
    await this.database.pool.query(
      `WITH input AS MATERIALIZED (
         SELECT * FROM jsonb_to_recordset($1::jsonb) AS c(
           id uuid, ordinal int, start int, "end" int, text text, headings text[], page int, lexical text)
       ), posting AS MATERIALIZED (
         SELECT input.id AS chunk_id, t.lexeme AS term, cardinality(t.positions) AS frequency
           FROM input, unnest(to_tsvector($2::regconfig, input.lexical)) AS t
       ), stored AS (
         INSERT INTO chunk (id, workspace_id, collection_id, document_id, ordinal, start, "end", text, headings, page, term_count)
         SELECT id, $3, $4, $5, ordinal, start, "end", text, headings, page,
                coalesce((SELECT sum(frequency) FROM posting WHERE chunk_id = input.id), 0)
           FROM input
       )
       INSERT INTO chunk_term (collection_id, term, chunk_id, frequency)
       SELECT $4, term, chunk_id, frequency FROM posting`,
      [JSON.stringify(input), language, workspaceId, collectionId, documentId],
    );
  }

  /**
   * Makes a staged document the live one of its name; the one before it is seen no more, and gives it the chunks that are kept.
   * @throws CONFLICT when these are no longer the live document's
   */
  async goLive(
    tx: Transaction,
    document: { id: string; collectionId: string; name: string; kept: readonly KeptChunk[] },
  ): Promise<void> {
    await lockCollection(tx, document.collectionId);
    await keepChunks(tx, document);
    await tx.document.updateMany({
      where: { collectionId: document.collectionId, liveName: document.name },
      data: { liveName: null },
    });
    await tx.document.update({ where: { id: document.id }, data: { liveName: document.name } });
  }

  /**
   * Retires live documents, and marks them and the replaced ones of their names as deleted.
   * @param names null: all of the collection
   * @returns those that were live, and the ids of all that are marked
   */
  async retire(
    tx: Transaction,
    collectionId: string,
    names: readonly string[] | null,
  ): Promise<{ live: DocumentRow[]; ids: string[] }> {
    await lockCollection(tx, collectionId);
    const live = await tx.document.findMany({
      where: { collectionId, liveName: names === null ? { not: null } : { in: [...names] } },
      omit: WITHOUT_TEXT,
    });
    const marked = await tx.$queryRaw<{ id: string }[]>`
      UPDATE document SET live_name = NULL, deleted_at = coalesce(deleted_at, now())
       WHERE collection_id = ${collectionId}::uuid AND name = ANY(${live.map(({ name }) => name)}::text[]) RETURNING id`;
    return { live, ids: marked.map(({ id }) => id) };
  }

  /** `retire` for what came into a collection since it was deleted. */
  async retireAll(collectionId: string): Promise<void> {
    await this.database.prisma.$transaction((tx) => this.retire(tx, collectionId, null));
  }

  /** Of one that is still live: what was replaced or deleted meanwhile keeps its own. */
  async setMetadata(tx: Transaction, id: string, metadata: Json): Promise<void> {
    await tx.document.updateMany({
      where: { id, liveName: { not: null } },
      data: { metadata: asColumn(storedMetadata.encode(metadata)) },
    });
  }

  /** Replaced documents and what runs that ended early left behind, but for `ownRunId`'s. */
  async replaced(ownRunId: string | null): Promise<StaleDocument[]> {
    const { rows } = await this.database.pool.query<StaleDocument>(
      `${SELECT_STALE} WHERE d.deleted_at IS NULL AND ${STALE} ORDER BY d.id LIMIT 1000`,
      [ownRunId],
    );
    return rows;
  }

  /** Up to 1,000 documents that were marked as deleted and that no run is still working on. */
  async deleted(workspaceId: WorkspaceId, selection: WhichDocuments): Promise<StaleDocument[]> {
    const { rows } = await this.database.pool.query<StaleDocument>(
      `${SELECT_STALE} WHERE d.deleted_at IS NOT NULL AND ${STALE} AND d.workspace_id = $2
         AND ($3::uuid[] IS NULL OR d.id = ANY($3)) AND ($4::uuid IS NULL OR d.collection_id = $4) ORDER BY d.id LIMIT 1000`,
      [null, workspaceId, ...whichParameters(selection)],
    );
    return rows;
  }

  /** How many of these are marked as deleted, also those that a run is still working on. */
  async countDeleted(workspaceId: WorkspaceId, selection: WhichDocuments): Promise<number> {
    const { rows } = await this.database.pool.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM document d WHERE d.deleted_at IS NOT NULL AND d.workspace_id = $1
         AND ($2::uuid[] IS NULL OR d.id = ANY($2)) AND ($3::uuid IS NULL OR d.collection_id = $3)`,
      [workspaceId, ...whichParameters(selection)],
    );
    return rows[0]!.count;
  }

  /**
   * Deleted documents that no erasure is under way for: a run still worked on them.
   * An erasure that failed for a reason of its own is tried again after an hour.
   */
  async forgotten(): Promise<{ workspaceId: WorkspaceId; collectionId: string; ids: string[] }[]> {
    const { rows } = await this.database.pool.query<{ workspaceId: WorkspaceId; collectionId: string; ids: string[] }>(
      `SELECT d.workspace_id AS "workspaceId", d.collection_id AS "collectionId", array_agg(d.id::text) AS ids FROM document d
        WHERE d.deleted_at IS NOT NULL AND ${STALE} AND NOT EXISTS (
          SELECT 1 FROM run e WHERE e.kind = 'ERASURE' AND e.subject_id = d.collection_id
             AND (e.finished_at IS NULL OR (e.status = 'FAILED' AND e.finished_at > now() - interval '1 hour')))
        GROUP BY 1, 2`,
      [null],
    );
    return rows;
  }

  /** Removes documents that are not live, with chunks and postings. */
  async remove(ids: readonly string[]): Promise<void> {
    await this.database.pool.query('DELETE FROM document WHERE id = ANY($1) AND live_name IS NULL', [ids]);
  }

  /** Live documents made of these contents, by digest: one of each that such a reader sees; null where there are others only. */
  async madeOf(
    workspaceId: WorkspaceId,
    digests: readonly string[],
    groups: Groups,
  ): Promise<Map<string, { name: string; collection: string } | null>> {
    type Row = { sha256: string; name: string; collection: string; seen: boolean };
    const { rows } = await this.database.pool.query<Row>(
      `SELECT DISTINCT ON (d.sha256) d.sha256, d.name, c.name AS collection, l.name IS NULL AS seen
         FROM document d JOIN collection c ON c.id = d.collection_id
         LEFT JOIN document_label l ON l.collection_id = d.collection_id AND l.name = d.name AND NOT l.access && $3::text[]
        WHERE d.workspace_id = $1 AND d.sha256 = ANY($2) AND d.live_name IS NOT NULL ORDER BY d.sha256, seen DESC, d.id`,
      [workspaceId, digests, groups],
    );
    return new Map(rows.map(({ sha256, name, collection, seen }) => [sha256, seen ? { name, collection } : null]));
  }

  byIds(workspaceId: WorkspaceId, ids: readonly string[]): Promise<DocumentRow[]> {
    return this.database.prisma.document.findMany({
      where: { workspaceId, id: { in: [...ids] }, liveName: { not: null } },
      omit: WITHOUT_TEXT,
    });
  }

  chunksByIds(workspaceId: WorkspaceId, ids: readonly string[]): Promise<ChunkRow[]> {
    return this.database.prisma.chunk.findMany({
      where: { workspaceId, id: { in: [...ids] }, document: { liveName: { not: null } } },
    });
  }

  /** All chunks of a document, in their order. */
  chunksOf(documentId: string): Promise<ChunkRow[]> {
    return this.database.prisma.chunk.findMany({ where: { documentId }, orderBy: { ordinal: 'asc' } });
  }

  /** Whole texts of documents, by id. */
  async texts(workspaceId: WorkspaceId, ids: readonly string[]): Promise<Map<string, string>> {
    const rows = await this.database.prisma.document.findMany({
      where: { workspaceId, id: { in: [...ids] } },
      select: { id: true, text: true },
    });
    return new Map(rows.map(({ id, text }) => [id, text]));
  }

  /** The first `page.first` live documents of each collection, oldest first: one statement for all of them. */
  async pagesOfDocuments(
    workspaceId: WorkspaceId,
    collectionIds: readonly string[],
    page: PageRequest,
    groups: Groups,
  ): Promise<Map<string, Page<DocumentRow>>> {
    const cursor = page.after === null ? null : idCursor(page.after);
    const { rows } = await this.database.pool.query<{ id: string; collectionId: string }>(
      `SELECT d.id, c.id AS "collectionId" FROM unnest($2::uuid[]) AS c(id), LATERAL (
         SELECT id FROM document e
          WHERE collection_id = c.id AND workspace_id = $1 AND live_name IS NOT NULL AND ($3::uuid IS NULL OR id > $3)
            AND ($5::text[] IS NULL OR NOT EXISTS (
              SELECT 1 FROM document_label l WHERE l.collection_id = c.id AND l.name = e.name AND NOT l.access && $5))
          ORDER BY id LIMIT $4) AS d`,
      [workspaceId, collectionIds, cursor, page.first + 1, groups],
    );
    const documents = await this.byIds(
      workspaceId,
      rows.map(({ id }) => id),
    );
    return group(collectionIds, documents, ({ collectionId }) => collectionId, byId, page.first);
  }

  /** The first chunks of each document, in their order. */
  async pagesOfChunks(
    workspaceId: WorkspaceId,
    documentIds: readonly string[],
    page: PageRequest,
  ): Promise<Map<string, Page<ChunkRow>>> {
    const cursor = page.after === null ? -1 : ordinalCursor(page.after);
    const rows = await this.database.prisma.$queryRaw<ChunkRow[]>`
      SELECT c.id, c.workspace_id AS "workspaceId", c.collection_id AS "collectionId", c.document_id AS "documentId", c.ordinal,
             c.start, c."end", c.text, c.headings, c.page, c.term_count AS "termCount"
        FROM unnest(${[...documentIds]}::uuid[]) AS d(id), LATERAL (
          SELECT * FROM chunk WHERE document_id = d.id AND workspace_id = ${workspaceId}::uuid AND ordinal > ${cursor}
           ORDER BY ordinal LIMIT ${page.first + 1}) AS c`;
    return group(
      documentIds,
      rows,
      ({ documentId }) => documentId,
      (a, b) => a.ordinal - b.ordinal,
      page.first,
    );
  }

  /** Live documents of a collection after an id, with their chunks: for rebuilding its index. */
  async chunksAfter(collectionId: string, lastId: string | null, limit: number): Promise<ChunkRow[]> {
    return this.database.prisma.chunk.findMany({
      where: {
        collectionId,
        document: { liveName: { not: null } },
        ...(lastId === null ? {} : { id: { gt: lastId } }),
      },
      orderBy: { id: 'asc' },
      take: limit,
    });
  }
}

const whichParameters = (selection: WhichDocuments) =>
  'ids' in selection ? [selection.ids, null] : [null, selection.collectionId];

async function keepChunks(
  tx: Transaction,
  { id, collectionId, name, kept }: { id: string; collectionId: string; name: string; kept: readonly KeptChunk[] },
): Promise<void> {
  if (kept.length === 0) return;
  const movedCount = await tx.$executeRaw`
    UPDATE chunk SET document_id = ${id}::uuid, ordinal = k.ordinal, start = k.start, "end" = k."end", page = k.page
      FROM jsonb_to_recordset(${JSON.stringify(kept)}::jsonb) AS k(id uuid, ordinal int, start int, "end" int, page int), document d
     WHERE chunk.id = k.id AND d.id = chunk.document_id AND d.collection_id = ${collectionId}::uuid AND d.live_name = ${name}`;
  // Without its name: everybody in the workspace reads why a run failed.
  if (movedCount !== kept.length) throw new GraftError('CONFLICT', 'A document was replaced or deleted meanwhile.');
  await tx.$executeRaw`
    UPDATE document SET (chunk_count, term_count) =
      (SELECT count(*), coalesce(sum(term_count), 0) FROM chunk WHERE document_id = ${id}::uuid) WHERE id = ${id}::uuid`;
}

const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);

function group<T>(
  keys: readonly string[],
  rows: readonly T[],
  key: (row: T) => string,
  order: (a: T, b: T) => number,
  first: number,
): Map<string, Page<T>> {
  const groups = new Map<string, T[]>(keys.map((id) => [id, []]));
  for (const row of rows) groups.get(key(row))?.push(row);
  return new Map([...groups].map(([id, group]) => [id, toPage(group.sort(order), first)]));
}
