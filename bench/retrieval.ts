/**
 * Ranking quality and speed of search: documents go through the real ingestion, questions through the real retriever, on embedded
 * PostgreSQL and Chroma and the real worker.
 *
 * Published figures, on XQuAD-en (240 paragraphs, 1,190 questions): nDCG@10 (one paragraph is right) and recall@1/@5 by mode; beside
 * them, from the same candidates, PostgreSQL's own ranking, reciprocal rank fusion; milliseconds of a search. And for several corpora
 * (`support/retrieval-corpora.ts`), nDCG@10 of the passage that holds the answer for each weight of the fusion, and what the weight
 * reaches that is best on all the other corpora: the default is chosen so.
 *
 * `--questions N` takes at most so many questions of each corpus (default: all).
 */
import { isUuid } from '../src/kernel/ids.js';
import {
  DEFAULT_DENSE_WEIGHT,
  fuse,
  lexicalText,
  type NewDocument,
  type Passage,
  type Retrieval,
} from '../src/sources/knowledge/index.js';
import { startKnowledge, type Knowledge } from '../test/integration/knowledge/harness.js';
import { startTestServers, stopTestServers } from '../test/support/test-servers.js';
import { bestWeight, leaveOneOut, meanCurve, type WeightCurve } from './support/leave-one-out.js';
import { numberOption } from './support/options.js';
import { describeMachine, median, printResult } from './support/report.js';
import { readCorpora, type Corpus, type LabelledQuestion } from './support/retrieval-corpora.js';

const QUESTIONS = numberOption('questions', Infinity);
/** The corpus of the published table. */
const TABLE = 'XQuAD-en';
const WEIGHTS = Array.from({ length: 21 }, (_, i) => i / 20);
const CANDIDATES = 100;
const TIMED = 300;

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

async function ingest(knowledge: Knowledge, collection: string, { documents }: Corpus): Promise<number> {
  const started = performance.now();
  for (let from = 0; from < documents.length; from += 100) {
    const sent: NewDocument[] = [];
    for (const { name, content } of documents.slice(from, from + 100)) {
      const { id } = await knowledge.upload(name, content);
      if (isUuid(id)) sent.push({ name, fileId: id });
    }
    const run = await knowledge.ingest(collection, sent, undefined, 600_000);
    if (run.status !== 'SUCCEEDED') throw new Error(run.errorMessage ?? run.status);
  }
  return (performance.now() - started) / 1_000;
}

/** What PostgreSQL ranks by itself: `ts_rank_cd` over any of the words. */
async function postgresRank(
  knowledge: Knowledge,
  collectionId: string,
  { text, document }: LabelledQuestion,
): Promise<number> {
  const { rows } = await knowledge.database.pool.query<{ name: string }>(
    `WITH q AS (SELECT to_tsquery('english', string_agg(quote_literal(lexeme), ' | ')) AS query
                  FROM unnest(to_tsvector('english', $1)))
     SELECT d.name FROM chunk c JOIN document d ON d.id = c.document_id, q,
            to_tsvector('english', regexp_replace(c.text, '[^[:alnum:]]+', ' ', 'g')) AS v
      WHERE d.collection_id = $2 AND v @@ q.query ORDER BY ts_rank_cd(v, q.query) DESC LIMIT 30`,
    [lexicalText(text), collectionId],
  );
  return rankOf(
    rows.map(({ name }) => name),
    document,
  );
}

interface Measured {
  ranks: Record<'dense' | 'lexical' | 'hybrid' | 'postgres' | 'rrf', number[]>;
  curve: WeightCurve;
  times: Retrieval['timings'][];
}

async function measure(
  knowledge: Knowledge,
  collection: { id: string; name: string },
  corpus: Corpus,
): Promise<Measured> {
  const scope = await knowledge.retriever.scope(knowledge.workspaceId, [collection.name]);
  const ranks: Measured['ranks'] = { dense: [], lexical: [], hybrid: [], postgres: [], rrf: [] };
  const gains = WEIGHTS.map((): number[] => []);
  const times: Retrieval['timings'][] = [];
  for (const [i, question] of corpus.questions.entries()) {
    const { text: query, document } = question;
    const dense = (await knowledge.retriever.retrieve({ scope, query, mode: 'DENSE', limit: CANDIDATES })).passages;
    const lexical = (await knowledge.retriever.retrieve({ scope, query, mode: 'LEXICAL', limit: CANDIDATES })).passages;
    const found = new Map([...dense, ...lexical].map((passage) => [passage.chunkId, passage]));
    for (const [w, weight] of WEIGHTS.entries()) {
      const fused = fuse('HYBRID', scored(dense, 'dense'), scored(lexical, 'lexical'), () => weight);
      const rank = 1 + fused.findIndex(({ chunkId }) => question.answers(found.get(chunkId)!));
      gains[w]!.push(rank === 0 ? 0 : ndcg10(rank));
    }
    if (corpus.name !== TABLE) continue;
    const hybrid = await knowledge.retriever.retrieve({ scope, query, mode: 'HYBRID', limit: 10 });
    const names = (ids: readonly string[]) => ids.map((id) => found.get(id)?.documentName ?? '');
    const idsOf = (passages: readonly Passage[]) => passages.map(({ chunkId }) => chunkId);
    ranks.dense.push(rankOf(names(idsOf(dense)), document));
    ranks.lexical.push(rankOf(names(idsOf(lexical)), document));
    ranks.hybrid.push(rankOf(names(idsOf(hybrid.passages)), document));
    ranks.rrf.push(rankOf(names(reciprocalRanks(dense, lexical)), document));
    ranks.postgres.push(await postgresRank(knowledge, collection.id, question));
    if (i < TIMED) times.push(hybrid.timings);
  }
  return { ranks, curve: new Map(WEIGHTS.map((weight, w) => [weight, mean(gains[w]!)])), times };
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

await startTestServers();
const knowledge = await startKnowledge();
try {
  const measured = new Map<string, Measured>();
  const questions: Record<string, number> = {};
  let seconds = 0;
  for (const corpus of readCorpora(QUESTIONS)) {
    const collection = await knowledge.collection(undefined, { language: corpus.language });
    seconds += await ingest(knowledge, collection.name, corpus);
    measured.set(corpus.name, await measure(knowledge, collection, corpus));
    questions[corpus.name] = corpus.questions.length;
  }
  const curves = new Map([...measured].map(([name, { curve }]) => [name, curve]));
  const leftOut = leaveOneOut(curves).map((each) => ({
    ...each,
    reached: round(each.reached),
    bestReached: round(each.bestReached),
    withDefault: round(curves.get(each.corpus)!.get(DEFAULT_DENSE_WEIGHT)!),
  }));
  console.table(leftOut);
  const { ranks, times } = measured.get(TABLE) ?? { ranks: null, times: [] };
  const chunks = await knowledge.database.prisma.chunk.count();
  printResult('retrieval', {
    machine: describeMachine(),
    rows: ranks
      ? [
          row('dense (all-MiniLM-L6-v2)', ranks.dense),
          row('lexical (BM25)', ranks.lexical),
          row(`hybrid (${DEFAULT_DENSE_WEIGHT} dense + ${round(1 - DEFAULT_DENSE_WEIGHT)} BM25)`, ranks.hybrid),
          row('peer: reciprocal rank fusion, k 60', ranks.rrf),
          row('peer: PostgreSQL ts_rank_cd', ranks.postgres),
        ]
      : [],
    nDCGByDenseWeight: Object.fromEntries(
      [...curves].map(([name, curve]) => [name, Object.fromEntries([...curve].map(([w, value]) => [w, round(value)]))]),
    ),
    bestOnAll: bestWeight(meanCurve([...curves.values()])),
    leftOut,
    ingestion: { seconds, chunks, chunksPerSecond: Number((chunks / seconds).toFixed(1)) },
    ...(ranks && {
      hybridSearchMs: {
        median: millis(times, (timings) => timings.totalMs),
        medianOfEmbedding: millis(times, (timings) => timings.embedMs),
        medianOfVectors: millis(times, (timings) => timings.denseMs),
        medianOfLexical: millis(times, (timings) => timings.lexicalMs),
      },
    }),
    questions,
  });
} finally {
  await knowledge.stop();
  await stopTestServers();
}
