/**
 * Search by readers who may see a part of the documents only: 100,000 chunks of 10,000 documents, labelled so that readers of a group see half, a
 * tenth, a hundredth or a thousandth of them. How many of the ten nearest chunks that may be seen (by comparing all) the vectors' half of search
 * finds, and how long both halves take beside a search by who sees all, the query's vector given.
 *
 *   npm run bench -- labels [--chunks 100000]
 */
import { asOwner } from '../test/support/as-owner.js';
import { embedderDigest } from '../src/sources/knowledge/index.js';
import { seededRandom, shuffled } from '../src/kernel/random.js';
import { dot } from '../src/kernel/vectors.js';
import { startAnswering } from './support/answering.js';
import { quantile } from './support/logistic.js';
import { numberOption } from './support/options.js';
import { plantChunks, VOCABULARY, type PlantedChunk } from './support/planted-chunks.js';
import { describeMachine, median, printResult } from './support/report.js';

const CHUNKS = numberOption('chunks', 100_000);
const QUERIES = 60;
const WARM_UP = 10;
const NEAREST = 10;
const TOPICS = 500;
const QUERY_WORDS = 6;
const SHARES = [1, 0.5, 0.1, 0.01, 0.001];

function nearest(chunks: readonly PlantedChunk[], vector: Float32Array): Set<string> {
  const scored = chunks.map(({ id, vector: other }) => ({ id, score: dot(vector, other) }));
  return new Set(
    scored
      .sort((a, b) => b.score - a.score)
      .slice(0, NEAREST)
      .map(({ id }) => id),
  );
}

const answering = await startAnswering();
try {
  const { database, registry, vectors, parts, workspaceId } = answering;
  const plan = { name: 'planted', chunks: CHUNKS, chunksPerDocument: 10, topics: TOPICS };
  const planted = await plantChunks(
    { database, vectors, workspaceId },
    { ...plan, embedderDigest: embedderDigest(registry.embedder()) },
  );
  console.log(`planted ${planted.chunks.length} chunks`);
  const random = seededRandom(7);
  const names = shuffled([...new Set(planted.chunks.map(({ documentName }) => documentName))], random);
  // Who is of a group sees what bears it, and every document bears the groups of all shares that it is within; those in none, one of nobody's.
  const seenBy = new Map(SHARES.map((share) => [share, new Set(names.slice(0, Math.round(share * names.length)))]));
  const access = names.map((name) =>
    SHARES.filter((share) => share < 1 && seenBy.get(share)!.has(name)).map((share) => `share ${share}`),
  );
  await database.pool.query(
    `INSERT INTO document_label (workspace_id, collection_id, name, source, access, changed_by)
     SELECT $1, $2, l->>'name', l->>'name', ARRAY(SELECT jsonb_array_elements_text(l->'access')), 'bench' FROM jsonb_array_elements($3::jsonb) l`,
    [
      workspaceId,
      planted.collectionId,
      JSON.stringify(names.map((name, i) => ({ name, access: [...access[i]!, 'nobody'] }))),
    ],
  );
  await asOwner(database.pool, (client) => client.query('ANALYZE document_label'));

  const asked = Array.from({ length: WARM_UP + QUERIES }, () => ({
    vector: planted.near(Math.floor(random() * TOPICS), random),
    query: Array.from({ length: QUERY_WORDS }, () => planted.word(Math.floor(random() * VOCABULARY))).join(' '),
  }));
  const seen = new Map(
    SHARES.map((share) => [
      share,
      { ms: [] as number[], dense: [] as number[], lexical: [] as number[], found: 0, there: 0 },
    ]),
  );
  for (const [n, { vector, query }] of asked.entries())
    for (const share of SHARES) {
      const groups = share === 1 ? null : [`share ${share}`];
      const began = performance.now();
      const scope = await parts.retriever.scope(workspaceId, ['planted'], groups);
      const given = Promise.resolve({ vector, ms: 0 });
      const request = { scope, query, limit: NEAREST, vector: given };
      const { timings } = await parts.retriever.retrieve({ ...request, mode: 'HYBRID' });
      const ms = performance.now() - began;
      if (n < WARM_UP) continue;
      const { passages } = await parts.retriever.retrieve({ ...request, mode: 'DENSE', coverage: false });
      const true10 = nearest(
        planted.chunks.filter(({ documentName }) => seenBy.get(share)!.has(documentName)),
        vector,
      );
      const row = seen.get(share)!;
      row.ms.push(ms);
      row.dense.push(timings.denseMs);
      row.lexical.push(timings.lexicalMs);
      row.there += true10.size;
      row.found += passages.filter(({ chunkId }) => true10.has(chunkId)).length;
      if (passages.some(({ documentName }) => !seenBy.get(share)!.has(documentName)))
        throw new Error('Found what may not be seen.');
    }
  const all = seen.get(1)!.ms;
  printResult(
    'labels',
    {
      machine: describeMachine(),
      rows: SHARES.map((share) => {
        const { ms, dense, lexical, found, there } = seen.get(share)!;
        return {
          'reader sees': `${100 * share} %`,
          chunks: CHUNKS,
          'recall@10 of exact': (found / there).toFixed(3),
          'vectors, p50, ms': median(dense).toFixed(1),
          'words, p50, ms': median(lexical).toFixed(1),
          'both, p50, ms': median(ms).toFixed(1),
          'p95, ms': quantile(ms, 0.95).toFixed(1),
          'p95 beside who sees all': (quantile(ms, 0.95) / quantile(all, 0.95)).toFixed(2),
        };
      }),
      queries: QUERIES,
    },
    ['reader sees', 'chunks'],
  );
} finally {
  await answering.stop();
}
