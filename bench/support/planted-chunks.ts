/**
 * Collections of many chunks without a file or an embedder: documents, chunks and postings by SQL, vectors straight into Chroma.
 */
import { asOwner } from '../../test/support/as-owner.js';
import { newId, type WorkspaceId } from '../../src/kernel/ids.js';
import { seededRandom } from '../../src/kernel/random.js';
import type { Database } from '../../src/platform/database/index.js';
import type { VectorStore } from '../../src/platform/vectors/index.js';

const DIMENSIONS = 384;
/** Words of a chunk that are in the index. */
const WORDS = 60;
export const VOCABULARY = 20_000;
const BATCH = 2_000;
/** How far chunks of one topic lie apart: at 1, the noise is as long as the topic's own direction. */
const SPREAD = 0.8;

export interface PlantedChunk {
  id: string;
  documentId: string;
  documentName: string;
  vector: Float32Array;
}

interface Planted {
  collectionId: string;
  chunks: PlantedChunk[];
  /** A vector near those of one topic. */
  near(topic: number, random: () => number): Float32Array;
  /** The word with this number, below `VOCABULARY`. */
  word(number: number): string;
}

interface Plan {
  name: string;
  chunks: number;
  chunksPerDocument: number;
  topics: number;
  /** Of the embedder that the index says it was made by. */
  embedderDigest: string;
}

/** Plants one collection; documents are spread over topics by turns, and a document's chunks are of one topic. */
export async function plantChunks(
  { database, vectors, workspaceId }: { database: Database; vectors: VectorStore; workspaceId: WorkspaceId },
  { name, chunks: count, chunksPerDocument, topics, embedderDigest }: Plan,
): Promise<Planted> {
  const [collectionId, indexId] = [newId(), newId()];
  const { pool } = database;
  await pool.query('INSERT INTO collection (id, workspace_id, name) VALUES ($1, $2, $3)', [
    collectionId,
    workspaceId,
    name,
  ]);
  await pool.query(
    `INSERT INTO search_index (id, workspace_id, collection_id, embedder, embedder_digest, active) VALUES ($1, $2, $3, '{}', $4, true)`,
    [indexId, workspaceId, collectionId, embedderDigest],
  );
  await pool.query(
    `INSERT INTO document (id, workspace_id, collection_id, name, live_name, media_type, sha256, bytes, title, text, chunk_count, term_count)
     SELECT gen_random_uuid(), $1, $2, 'document ' || n, 'document ' || n, 'text/plain', 'none', 1, 'Document ' || n,
       repeat('the text of a document as it was parsed, ', 10 * $4::int), $4, $4::int * ${WORDS} FROM generate_series(1, $3::int) n`,
    [workspaceId, collectionId, Math.ceil(count / chunksPerDocument), chunksPerDocument],
  );
  await pool.query(
    `INSERT INTO chunk (id, workspace_id, collection_id, document_id, ordinal, start, "end", text, headings, term_count)
     SELECT gen_random_uuid(), workspace_id, collection_id, id, n, 400 * n, 400 * n + 400,
       substr(md5(id::text || n) || repeat(' words as they stand in a passage of some length', 8), 1, 400), '{Part,Section}', ${WORDS}
     FROM document, generate_series(1, $2::int) n WHERE collection_id = $3 LIMIT $1`,
    [count, chunksPerDocument, collectionId],
  );
  await pool.query(
    `INSERT INTO chunk_term (collection_id, term, chunk_id, frequency)
     SELECT collection_id, 'w' || ((hashtext(id::text || n) & 2147483647) % ${VOCABULARY}), id, 1 + n % 3
     FROM chunk, generate_series(1, ${WORDS}) n WHERE collection_id = $1 ON CONFLICT DO NOTHING`,
    [collectionId],
  );
  // As autovacuum would have by the time that anybody asks.
  await asOwner(pool, (client) => client.query('VACUUM ANALYZE document, chunk, chunk_term'));
  const { rows } = await pool.query<{ id: string; documentId: string; documentName: string }>(
    `SELECT c.id, d.id AS "documentId", d.name AS "documentName" FROM chunk c JOIN document d ON d.id = c.document_id
      WHERE c.collection_id = $1 ORDER BY c.id`,
    [collectionId],
  );
  const random = seededRandom(29);
  const centres = Array.from({ length: topics }, () => unit(direction(random)));
  const near = (topic: number, from: () => number): Float32Array => {
    const noise = unit(direction(from));
    return unit(centres[topic % topics]!.map((value, i) => value + SPREAD * noise[i]!));
  };
  const chunks = rows.map((row) => ({
    ...row,
    vector: near(Number(row.documentName.split(' ')[1]), random),
  }));
  await vectors.ensure(workspaceId, indexId, DIMENSIONS);
  for (let from = 0; from < chunks.length; from += BATCH)
    await vectors.upsert(
      workspaceId,
      indexId,
      chunks
        .slice(from, from + BATCH)
        .map(({ id, documentId, vector }) => ({ id, vector, metadata: { documentId, cut: false } })),
    );
  return { collectionId, chunks, near, word: (number) => `w${number}` };
}

/** Evenly over the sphere: the sum of four even numbers is close enough to a normal one. */
const direction = (random: () => number): Float32Array =>
  Float32Array.from({ length: DIMENSIONS }, () => random() + random() + random() + random() - 2);

function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}
