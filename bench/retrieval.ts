/**
 * Ranking quality and speed of search on XQuAD-en (240 paragraphs, 1,190 questions): the documents go through the real
 * ingestion, the questions through the real retriever, on embedded PostgreSQL and Chroma and the real worker.
 *
 * Published figures: nDCG@10 (one paragraph is right) and recall@1/@5 by mode; beside them, from the same candidates,
 * PostgreSQL's own ranking, reciprocal rank fusion, and every weight of the fusion; milliseconds of a search.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fuse, lexicalText, type Passage, type Retrieval } from '../src/knowledge/index.js';
import { startKnowledge, type Knowledge } from '../test/integration/knowledge/harness.js';
import { startTestServers, stopTestServers } from '../test/support/test-servers.js';
import { describeMachine, median, printResult } from './support/report.js';

const DATASET = process.env['GRAFT_BENCH_XQUAD'] ?? '../shared/datasets/xquad.en.json';
const CANDIDATES = 100;
const TIMED = 300;

interface Question {
  text: string;
  /** Name of the document that holds the answer. */
  document: string;
}

function readDataset(): { documents: { name: string; text: string }[]; questions: Question[] } {
  const { data } = JSON.parse(readFileSync(DATASET, 'utf8')) as {
    data: { paragraphs: { context: string; qas: { question: string }[] }[] }[];
  };
  const paragraphs = data.flatMap((article) => article.paragraphs);
  return {
    documents: paragraphs.map(({ context }, i) => ({ name: `paragraph-${i}.txt`, text: context })),
    questions: paragraphs.flatMap(({ qas }, i) =>
      qas.map(({ question }) => ({ text: question, document: `paragraph-${i}.txt` })),
    ),
  };
}

/** Rank of the right document, each document standing where its best chunk does; Infinity when it was not found. */
function rankOf(names: readonly string[], right: string): number {
  const rank = [...new Set(names)].indexOf(right);
  return rank === -1 ? Infinity : rank + 1;
}

const ndcg10 = (rank: number): number => (rank <= 10 ? 1 / Math.log2(rank + 1) : 0);
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const round = (value: number): string => value.toFixed(3).replace(/^0/, '');

function row(ranking: string, ranks: readonly number[]) {
  return {
    ranking,
    'nDCG@10': round(mean(ranks.map(ndcg10))),
    'recall@1': round(mean(ranks.map((rank) => Number(rank <= 1)))),
    'recall@5': round(mean(ranks.map((rank) => Number(rank <= 5)))),
  };
}

async function ingest(knowledge: Knowledge, collection: string): Promise<{ seconds: number; chunks: number }> {
  const { documents } = readDataset();
  const started = performance.now();
  for (let from = 0; from < documents.length; from += 100) {
    const run = await knowledge.ingest(collection, documents.slice(from, from + 100), undefined, 600_000);
    if (run.status !== 'SUCCEEDED') throw new Error(run.errorMessage ?? run.status);
  }
  const chunks = await knowledge.database.prisma.chunk.count();
  return { seconds: (performance.now() - started) / 1_000, chunks };
}

/** What PostgreSQL ranks by itself: `ts_rank_cd` over any of the words. */
async function postgresRank(knowledge: Knowledge, { text, document }: Question): Promise<number> {
  const { rows } = await knowledge.database.pool.query<{ name: string }>(
    `WITH q AS (SELECT to_tsquery('english', string_agg(quote_literal(lexeme), ' | ')) AS query
                  FROM unnest(to_tsvector('english', $1)))
     SELECT d.name FROM chunk c JOIN document d ON d.id = c.document_id, q,
            to_tsvector('english', regexp_replace(c.text, '[^[:alnum:]]+', ' ', 'g')) AS v
      WHERE v @@ q.query ORDER BY ts_rank_cd(v, q.query) DESC LIMIT 30`,
    [lexicalText(text)],
  );
  return rankOf(
    rows.map(({ name }) => name),
    document,
  );
}

async function measure(knowledge: Knowledge, collection: string) {
  const { questions } = readDataset();
  const scope = await knowledge.retriever.scope(knowledge.workspaceId, [collection]);
  const weights = Array.from({ length: 11 }, (_, i) => i / 10);
  const ranks: Record<string, number[]> = { dense: [], lexical: [], hybrid: [], postgres: [], rrf: [] };
  const byWeight = weights.map((): number[] => []);
  const times: Retrieval['timings'][] = [];
  const add = (name: string, rank: number) => ranks[name]?.push(rank);
  for (const [i, { text: query, document }] of questions.entries()) {
    const dense = (await knowledge.retriever.retrieve({ scope, query, mode: 'DENSE', limit: CANDIDATES })).passages;
    const lexical = (await knowledge.retriever.retrieve({ scope, query, mode: 'LEXICAL', limit: CANDIDATES })).passages;
    const hybrid = await knowledge.retriever.retrieve({ scope, query, mode: 'HYBRID', limit: 10 });
    const nameOf = new Map([...dense, ...lexical].map((passage) => [passage.chunkId, passage.documentName]));
    const names = (ids: readonly string[]) => ids.map((id) => nameOf.get(id) ?? '');
    add('dense', rankOf(names(dense.map(({ chunkId }) => chunkId)), document));
    add('lexical', rankOf(names(lexical.map(({ chunkId }) => chunkId)), document));
    add('hybrid', rankOf(names(hybrid.passages.map(({ chunkId }) => chunkId)), document));
    add('rrf', rankOf(names(reciprocalRanks(dense, lexical)), document));
    add('postgres', await postgresRank(knowledge, { text: query, document }));
    weights.forEach((weight, w) => {
      const fused = fuse('HYBRID', scored(dense, 'dense'), scored(lexical, 'lexical'), () => weight);
      byWeight[w]?.push(rankOf(names(fused.map(({ chunkId }) => chunkId)), document));
    });
    if (i < TIMED) times.push(hybrid.timings);
  }
  return {
    ranks,
    weights: Object.fromEntries(weights.map((w, i) => [w, round(mean((byWeight[i] ?? []).map(ndcg10)))])),
    times,
  };
}

const millis = (times: readonly Retrieval['timings'][], which: (timings: Retrieval['timings']) => number): number =>
  Number(median(times.map(which)).toFixed(1));

const scored = (passages: readonly Passage[], which: 'dense' | 'lexical') =>
  passages.map(({ chunkId, collectionId, scores }) => ({ chunkId, collectionId, score: scores[which] ?? 0 }));

function reciprocalRanks(...lists: readonly Passage[][]): string[] {
  const sums = new Map<string, number>();
  for (const list of lists)
    list.forEach(({ chunkId }, i) => sums.set(chunkId, (sums.get(chunkId) ?? 0) + 1 / (60 + i + 1)));
  return [...sums].sort((a, b) => b[1] - a[1]).map(([id]) => id);
}

if (!existsSync(DATASET)) {
  console.log(`SKIPPED: ${DATASET} is not here. Name an XQuAD file (SQuAD format) in GRAFT_BENCH_XQUAD.`);
} else {
  await startTestServers();
  const knowledge = await startKnowledge();
  try {
    const { name } = await knowledge.collection('xquad');
    const ingestion = await ingest(knowledge, name);
    const { ranks, weights, times } = await measure(knowledge, name);
    printResult('retrieval', {
      machine: describeMachine(),
      rows: [
        row('dense (all-MiniLM-L6-v2)', ranks['dense'] ?? []),
        row('lexical (BM25)', ranks['lexical'] ?? []),
        row('hybrid (0.6 dense + 0.4 BM25)', ranks['hybrid'] ?? []),
        row('peer: reciprocal rank fusion, k 60', ranks['rrf'] ?? []),
        row('peer: PostgreSQL ts_rank_cd', ranks['postgres'] ?? []),
      ],
      nDCGByDenseWeight: weights,
      ingestion: { ...ingestion, chunksPerSecond: Number((ingestion.chunks / ingestion.seconds).toFixed(1)) },
      hybridSearchMs: {
        median: millis(times, (timings) => timings.totalMs),
        medianOfEmbedding: millis(times, (timings) => timings.embedMs),
        medianOfVectors: millis(times, (timings) => timings.denseMs),
        medianOfLexical: millis(times, (timings) => timings.lexicalMs),
      },
      questions: ranks['hybrid']?.length,
    });
  } finally {
    await knowledge.stop();
    await stopTestServers();
  }
}
