import type { TableEngine } from '../../storage/duckdb.js';
import { BANDS, bandKeys, jaccard, NEAR_DUPLICATE, shingles } from './minhash.js';
import { wordsForm } from '../../rows/text-forms.js';

/** A bucket with more members is not compared pair by pair: each member with the first ones and its neighbours. */
const FULL_BUCKET = 48;
const NEIGHBOURS = 8;

/**
 * Fills the table `near_pairs(a, b, jaccard)` with pairs of near duplicates, `a` before `b`, and `word_groups(ordinal, first)`
 * with the first row that has the same words; pairs are of first rows only. The signatures, the buckets and the pairs lie
 * in DuckDB, which spills them; only the texts of one batch are held. Rows of different scope (context, languages) never pair.
 */
export async function findNearDuplicates(engine: TableEngine, signal: AbortSignal): Promise<void> {
  // Rows of the test split come first in each group, so that leaks are seen from their side.
  await engine.run(`
    CREATE TABLE word_groups AS
    SELECT ordinal, first_value(ordinal) OVER (PARTITION BY scope_hash, words_hash ORDER BY CASE split WHEN 'TEST' THEN 0 WHEN 'VALIDATION' THEN 1 ELSE 2 END, ordinal) AS first
    FROM rows WHERE fault IS NULL AND words_hash <> '' AND length(text) > 0`);
  await signatures(engine, signal);
  await candidates(engine, signal);
  await verify(engine, signal);
}

const bandColumns = Array.from({ length: BANDS }, (_, band) => `b${band}`);

async function signatures(engine: TableEngine, signal: AbortSignal): Promise<void> {
  const columns = Object.fromEntries(bandColumns.map((name) => [name, 'INTEGER' as const]));
  const writer = await engine.createTable('signatures', {
    ordinal: 'BIGINT',
    scope: 'INTEGER',
    place: 'INTEGER',
    ...columns,
  });
  const firsts = engine.stream<{ ordinal: number; text: string; scope: number; place: number }>(`
    SELECT ordinal, text, (hash(scope_hash) % 2147483647)::INTEGER AS scope, CASE split WHEN 'TEST' THEN 0 WHEN 'VALIDATION' THEN 1 ELSE 2 END AS place
    FROM rows SEMI JOIN (SELECT DISTINCT first FROM word_groups) firsts ON rows.ordinal = firsts.first`);
  for await (const batch of firsts) {
    signal.throwIfAborted();
    for (const { ordinal, text, scope, place } of batch)
      writer.add([ordinal, scope, place, ...bandKeys(shingles(wordsForm(text)))]);
    await breathe();
  }
  writer.close();
}

async function candidates(engine: TableEngine, signal: AbortSignal): Promise<void> {
  const writer = await engine.createTable('candidates', { a: 'BIGINT', b: 'BIGINT' });
  for (const band of bandColumns) {
    signal.throwIfAborted();
    let bucket: number[] = [];
    let bucketKey: string | null = null;
    const close = () => {
      for (const [a, b] of bucketPairs(bucket)) writer.add([Math.min(a, b), Math.max(a, b)]);
      bucket = [];
    };
    // Sorting spills where a list for each bucket would not; most rows are alone and drop out before.
    const members = engine.stream<{ ordinal: number; scope: number; key: number }>(`
      SELECT ordinal, scope, ${band} AS key FROM signatures
      SEMI JOIN (SELECT scope, ${band} FROM signatures GROUP BY ALL HAVING count(*) > 1) shared USING (scope, ${band})
      ORDER BY scope, key, place, ordinal`);
    for await (const batch of members)
      for (const { ordinal, scope, key } of batch) {
        if (bucketKey !== `${scope}:${key}`) close();
        bucketKey = `${scope}:${key}`;
        bucket.push(ordinal);
      }
    close();
  }
  writer.close();
}

function* bucketPairs(members: readonly number[]): Generator<[number, number]> {
  for (let i = 1; i < members.length; i++)
    for (let j = 0; j < i; j++)
      if (members.length <= FULL_BUCKET || j < NEIGHBOURS || i - j <= NEIGHBOURS) yield [members[i]!, members[j]!];
}

/** Keeps the candidates whose exact Jaccard similarity is high enough: no false alarm remains. */
async function verify(engine: TableEngine, signal: AbortSignal): Promise<void> {
  const writer = await engine.createTable('near_pairs', { a: 'BIGINT', b: 'BIGINT', jaccard: 'DOUBLE' });
  const pairs = engine.stream<{ a: number; b: number; left: string; right: string }>(`
    SELECT a, b, l.text AS left, r.text AS right FROM (SELECT DISTINCT a, b FROM candidates) pairs
    JOIN rows l ON l.ordinal = a JOIN rows r ON r.ordinal = b WHERE l.scope_hash = r.scope_hash`);
  for await (const batch of pairs) {
    signal.throwIfAborted();
    for (const { a, b, left, right } of batch) {
      const similarity = jaccard(shingles(wordsForm(left)), shingles(wordsForm(right)));
      if (similarity >= NEAR_DUPLICATE) writer.add([a, b, similarity]);
    }
    await breathe();
  }
  writer.close();
  await engine.run('DROP TABLE candidates');
  await engine.run('DROP TABLE signatures');
}

/** Lets the event loop serve others between two batches. */
export const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
