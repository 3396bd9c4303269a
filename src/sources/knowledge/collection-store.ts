import { EVERYBODY, type Groups } from '../../kernel/caller.js';
import { notFound } from '../../kernel/errors.js';
import { newId, type WorkspaceId } from '../../kernel/ids.js';
import { nameCursor, toPage, type Page, type PageRequest } from '../../kernel/pagination.js';
import { asColumn, mapNameTaken, type Database, type Transaction } from '../../platform/database/index.js';
import type { EmbedderFiles } from '../../worker-protocol/index.js';
import { LabelStore } from './access/label-store.js';
import {
  embedderDigest,
  storedEmbedder,
  type CollectionRow,
  type SearchedCollection,
  type SearchIndexRow,
  type SearchScope,
} from './collection.js';

/** What a collection holds now. */
export interface CollectionCounts {
  documents: number;
  chunks: number;
}

/** All queries of the tables `collection` and `search_index`. */
export class CollectionStore {
  readonly #labels: LabelStore;

  constructor(private readonly database: Database) {
    this.#labels = new LabelStore(database);
  }

  /** @throws ALREADY_EXISTS */
  async create(row: Omit<CollectionRow, 'id' | 'createdAt'>): Promise<CollectionRow> {
    try {
      return await this.database.prisma.collection.create({ data: { id: newId(), ...row } });
    } catch (error) {
      throw mapNameTaken(error, 'A collection', row.name);
    }
  }

  get(workspaceId: WorkspaceId, name: string): Promise<CollectionRow | null> {
    return this.database.prisma.collection.findFirst({ where: { workspaceId, name } });
  }

  /** @throws NOT_FOUND */
  async require(workspaceId: WorkspaceId, name: string, field: string): Promise<CollectionRow> {
    const row = name.includes('\0') ? null : await this.get(workspaceId, name);
    if (row === null) throw notFound('The collection', name, field);
    return row;
  }

  byIds(workspaceId: WorkspaceId, ids: readonly string[]): Promise<CollectionRow[]> {
    return this.database.prisma.collection.findMany({ where: { workspaceId, id: { in: [...ids] } } });
  }

  /** By name; the cursor is the name. */
  async list(workspaceId: WorkspaceId, page: PageRequest): Promise<Page<CollectionRow>> {
    const cursor = page.after === null ? null : nameCursor(page.after);
    const rows = await this.database.prisma.collection.findMany({
      where: { workspaceId, ...(cursor === null ? {} : { name: { gt: cursor } }) },
      orderBy: { name: 'asc' },
      take: page.first + 1,
    });
    return toPage(rows, page.first);
  }

  /**
   * What may be searched under these names (null: all), by name, by a reader of these groups. In plain SQL: every question begins with it, and Prisma's
   * client takes longer for it than PostgreSQL does.
   * @throws NOT_FOUND
   */
  async scope(
    workspaceId: WorkspaceId,
    names: readonly string[] | null,
    groups: Groups = EVERYBODY,
  ): Promise<SearchScope> {
    const { rows } = await this.database.pool.query<SearchedCollection>({
      name: 'knowledge-scope',
      text: `SELECT c.id, c.name, c.language, c.dense_weight AS "denseWeight",
                    coalesce(sum(d.chunk_count) FILTER (WHERE d.live_name IS NOT NULL), 0)::int AS chunks,
                    count(d.id) FILTER (WHERE d.live_name IS NOT NULL)::int AS documents,
                    count(d.id) FILTER (WHERE d.live_name IS NULL)::int AS "staleDocuments",
                    (SELECT coalesce(json_agg(json_build_object('id', i.id, 'embedderDigest', i.embedder_digest, 'active', i.active)), '[]')
                       FROM search_index i WHERE i.collection_id = c.id) AS indexes
               FROM collection c LEFT JOIN document d ON d.collection_id = c.id AND d.workspace_id = $1
              WHERE c.workspace_id = $1 AND ($2::text[] IS NULL OR c.name = ANY($2)) GROUP BY c.id ORDER BY c.name`,
      values: [workspaceId, names?.filter((name) => !name.includes('\0')) ?? null],
    });
    const missing = names?.find((name) => !rows.some((row) => row.name === name));
    if (missing !== undefined) throw notFound('The collection', missing, 'input.collections');
    return { workspaceId, collections: rows, groups, sight: await this.#labels.sightOf(workspaceId, rows, groups) };
  }

  /** @throws NOT_FOUND */
  async setDenseWeight(workspaceId: WorkspaceId, name: string, denseWeight: number): Promise<CollectionRow> {
    const { id } = await this.require(workspaceId, name, 'input.collection');
    return this.database.prisma.collection.update({ where: { id }, data: { denseWeight } });
  }

  /** One statement for any number of collections. */
  async counts(workspaceId: WorkspaceId, ids: readonly string[]): Promise<Map<string, CollectionCounts>> {
    const { rows } = await this.database.pool.query<{ id: string; documents: number; chunks: number }>(
      `SELECT collection_id AS id, count(*)::int AS documents, sum(chunk_count)::int AS chunks
         FROM document WHERE workspace_id = $1 AND collection_id = ANY($2) AND live_name IS NOT NULL GROUP BY 1`,
      [workspaceId, ids],
    );
    return new Map(rows.map(({ id, documents, chunks }) => [id, { documents, chunks }]));
  }

  /**
   * Equal while a collection has the same documents: a digest of the ids of its live ones, which a replaced document changes.
   * @returns null when there is no such collection
   */
  async state(workspaceId: WorkspaceId, id: string): Promise<string | null> {
    const { rows } = await this.database.pool.query<{ digest: string }>(
      `SELECT md5(coalesce(string_agg(d.id::text, ',' ORDER BY d.id), '')) AS digest
         FROM collection c LEFT JOIN document d ON d.collection_id = c.id AND d.live_name IS NOT NULL
        WHERE c.workspace_id = $1 AND c.id = $2 GROUP BY c.id`,
      [workspaceId, id],
    );
    return rows[0]?.digest ?? null;
  }

  /** Passages of documents that went live with later ids than `lastId`, by collection. */
  async newPassages(workspaceId: WorkspaceId, lastId: string): Promise<Map<string, number>> {
    const { rows } = await this.database.pool.query<{ id: string; chunks: number }>(
      `SELECT collection_id AS id, sum(chunk_count)::int AS chunks
         FROM document WHERE workspace_id = $1 AND id > $2 AND live_name IS NOT NULL GROUP BY 1`,
      [workspaceId, lastId],
    );
    return new Map(rows.map(({ id, chunks }) => [id, chunks]));
  }

  /** Whether PostgreSQL has a text search configuration of this name. */
  async knowsLanguage(language: string): Promise<boolean> {
    const { rows } = await this.database.pool.query('SELECT 1 FROM pg_ts_config WHERE cfgname = $1', [language]);
    return rows.length > 0;
  }

  async languages(): Promise<string[]> {
    const { rows } = await this.database.pool.query<{ name: string }>(
      'SELECT DISTINCT cfgname AS name FROM pg_ts_config ORDER BY 1',
    );
    return rows.map(({ name }) => name);
  }

  /**
   * The collection's index of this embedder, made if it has none. Only the first index of a collection is active at once:
   * a later one, of another embedder, lacks the documents that are already there until `rebuildIndex` has run.
   */
  async ensureIndex(collection: CollectionRow, embedder: EmbedderFiles): Promise<SearchIndexRow> {
    const key = { collectionId: collection.id, embedderDigest: embedderDigest(embedder) };
    const knownIndex = await this.database.prisma.searchIndex.findFirst({ where: key });
    if (knownIndex !== null) return knownIndex;
    return this.database.prisma.$transaction(async (tx) => {
      await lockCollection(tx, collection.id);
      const first = (await tx.searchIndex.count({ where: { collectionId: collection.id } })) === 0;
      return tx.searchIndex.upsert({
        where: { collectionId_embedderDigest: key },
        update: {},
        create: {
          ...key,
          id: newId(),
          workspaceId: collection.workspaceId,
          embedder: asColumn(storedEmbedder.encode(embedder)),
          active: first,
        },
      });
    });
  }

  indexes(collectionId: string): Promise<SearchIndexRow[]> {
    return this.database.prisma.searchIndex.findMany({ where: { collectionId } });
  }

  /** Removes a collection with all rows below it. */
  async remove(id: string): Promise<void> {
    await this.database.prisma.collection.deleteMany({ where: { id } });
  }

  /** Makes an index the active one and forgets the others, whose ids it returns. */
  async activate(tx: Transaction, index: SearchIndexRow): Promise<string[]> {
    await lockCollection(tx, index.collectionId);
    const otherIndexes = await tx.searchIndex.findMany({
      where: { collectionId: index.collectionId, id: { not: index.id } },
    });
    await tx.searchIndex.deleteMany({ where: { id: { in: otherIndexes.map(({ id }) => id) } } });
    await tx.searchIndex.update({ where: { id: index.id }, data: { active: true } });
    return otherIndexes.map(({ id }) => id);
  }
}

/** Serializes what must not happen to a collection twice at once: going live, indexes. */
export const lockCollection = (tx: Transaction, id: string) =>
  tx.$queryRaw`SELECT id FROM collection WHERE id = ${id}::uuid FOR UPDATE`;
