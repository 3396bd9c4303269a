import { Readable } from 'node:stream';
import type pg from 'pg';
import { z } from 'zod';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { VectorRecord, VectorStore } from '../../platform/vectors/index.js';
import { damagedBackup } from './faults.js';
import { readPacked, writePacked } from './files.js';
import type { IndexInBackup } from './manifest.js';

const BATCH = 2_000;

export interface IndexOfRows {
  workspaceId: WorkspaceId;
  indexId: string;
}

/**
 * The indexes that rows of the database name: of collections by their chunks, of dataset versions by their labelled rows. None of a kind
 * in a database of before there was such a table.
 */
export async function indexesOf(client: pg.ClientBase): Promise<{
  collections: (IndexOfRows & { collectionId: string })[];
  labels: (IndexOfRows & { versionId: string })[];
}> {
  const has = async (table: string) =>
    (await client.query<{ found: boolean }>('SELECT to_regclass($1) IS NOT NULL AS found', [table])).rows[0]!.found;
  const collections = !(await has('search_index'))
    ? NONE
    : await client.query<IndexOfRows & { collectionId: string }>(
        `SELECT workspace_id AS "workspaceId", id AS "indexId", collection_id AS "collectionId" FROM search_index ORDER BY id`,
      );
  const labels = !(await has('label_index'))
    ? NONE
    : await client.query<IndexOfRows & { versionId: string }>(
        `SELECT workspace_id AS "workspaceId", id AS "indexId", dataset_version_id AS "versionId"
     FROM label_index WHERE fit IS NOT NULL ORDER BY id`,
      );
  return { collections: collections.rows, labels: labels.rows };
}

const NONE = { rows: [] };

/** The vectors of a collection's chunks, as they are in the snapshot: Chroma has none, but a chunk never changes its text. */
export async function* vectorsOfChunks(
  client: pg.ClientBase,
  vectors: VectorStore,
  { workspaceId, indexId, collectionId }: IndexOfRows & { collectionId: string },
): AsyncGenerator<VectorRecord> {
  for await (const chunks of chunkPages(client, collectionId)) {
    const records = await vectors.records(workspaceId, indexId, { ids: chunks.map(({ id }) => id) });
    const documents = new Map(chunks.map(({ id, documentId }) => [id, documentId]));
    // A chunk may have gone over to another document since.
    for (const record of records)
      yield { ...record, metadata: { ...record.metadata, documentId: documents.get(record.id)! } };
  }
}

/** The vectors of an index whose records never change. */
export async function* allVectors(
  vectors: VectorStore,
  { workspaceId, indexId }: IndexOfRows,
): AsyncGenerator<VectorRecord> {
  for (let from = 0; ; from += BATCH) {
    const page = await vectors.records(workspaceId, indexId, { from, most: BATCH });
    yield* page;
    if (page.length < BATCH) return;
  }
}

/** How many chunks of a collection should have a vector and have none. */
export async function missingVectors(
  client: pg.ClientBase,
  vectors: VectorStore,
  { workspaceId, indexId, collectionId }: IndexOfRows & { collectionId: string },
): Promise<number> {
  let missing = 0;
  for await (const chunks of chunkPages(client, collectionId)) {
    const ids = chunks.map(({ id }) => id);
    missing += ids.length - (await knownOf(vectors, workspaceId, indexId, ids));
  }
  return missing;
}

/** The same of labelled rows, of which there should be so many as the index says. */
export async function missingRows(client: pg.ClientBase, vectors: VectorStore, index: IndexOfRows): Promise<number> {
  const { rows } = await client.query<{ rows: number }>('SELECT rows FROM label_index WHERE id = $1', [index.indexId]);
  let count = 0;
  for await (const _ of allVectors(vectors, index)) count += 1;
  return (rows[0]?.rows ?? 0) - count;
}

async function knownOf(
  vectors: VectorStore,
  workspaceId: WorkspaceId,
  indexId: string,
  ids: readonly string[],
): Promise<number> {
  // An index that isn't there has none; `metadata` alone would call that an outage.
  if ((await vectors.records(workspaceId, indexId, { from: 0, most: 1 })).length === 0) return 0;
  return (await vectors.metadata(workspaceId, indexId, ids)).size;
}

async function* chunkPages(
  client: pg.ClientBase,
  collectionId: string,
): AsyncGenerator<{ id: string; documentId: string }[]> {
  for (let lastId = '00000000-0000-0000-0000-000000000000'; ;) {
    const { rows } = await client.query<{ id: string; documentId: string }>(
      `SELECT c.id, c.document_id AS "documentId" FROM chunk c JOIN document d ON d.id = c.document_id
       WHERE c.collection_id = $1 AND c.id > $2 AND d.live_name IS NOT NULL ORDER BY c.id LIMIT ${BATCH}`,
      [collectionId, lastId],
    );
    if (rows.length === 0) return;
    yield rows;
    lastId = rows.at(-1)!.id;
  }
}

/** One record a line; the vector is base64 of its 32-bit floats, little-endian. */
const line = z.object({
  id: z.string(),
  metadata: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  vector: z.base64(),
});

/** @returns null for an index without a vector, which needs no file */
export async function dumpVectors(
  folder: string,
  { workspaceId, indexId }: IndexOfRows,
  records: AsyncIterable<VectorRecord>,
  { signal, told }: { signal: AbortSignal; told: (done: number) => void },
): Promise<IndexInBackup | null> {
  let [count, dimensions] = [0, 0];
  async function* lines(): AsyncGenerator<string> {
    for await (const { id, metadata, vector } of records) {
      dimensions = vector.length;
      if (++count % BATCH === 0) told(count);
      const bytes = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
      yield `${JSON.stringify({ id, metadata, vector: bytes.toString('base64') })}\n`;
    }
  }
  const file = await writePacked(folder, `vectors/${indexId}.ndjson.gz`, Readable.from(lines()), signal);
  return count === 0 ? null : { workspaceId, indexId, dimensions, records: count, file };
}

export async function loadVectors(
  folder: string,
  vectors: VectorStore,
  { workspaceId, indexId, dimensions, records, file }: IndexInBackup,
  { signal, told }: { signal: AbortSignal; told: (done: number) => void },
): Promise<void> {
  const workspace = workspaceId as WorkspaceId;
  await vectors.ensure(workspace, indexId, dimensions);
  let batch: VectorRecord[] = [];
  let loadedCount = 0;
  const flush = async () => {
    signal.throwIfAborted();
    await vectors.upsert(workspace, indexId, batch);
    told((loadedCount += batch.length));
    batch = [];
  };
  for await (const text of linesOf(readPacked(folder, file))) {
    const record = line.safeParse(JSON.parse(text));
    const bytes = record.success ? Buffer.from(record.data.vector, 'base64') : null;
    if (!record.success || bytes?.length !== 4 * dimensions) throw damagedBackup(folder, `${file.path} has a bad line`);
    const { id, metadata } = record.data;
    batch.push({ id, metadata, vector: new Float32Array(Uint8Array.from(bytes).buffer) });
    if (batch.length === BATCH) await flush();
  }
  if (batch.length > 0) await flush();
  if (loadedCount !== records)
    throw damagedBackup(folder, `${file.path} should have ${records} vectors and has ${loadedCount}`);
}

async function* linesOf(source: Readable): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of source.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop()!;
    yield* lines;
  }
}
