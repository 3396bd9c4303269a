import type { WorkspaceId } from '../../kernel/ids.js';
import type { Database } from '../../platform/database/index.js';
import { lexicalText } from '../indexing/lexical-text.js';
import type { ScoredChunk } from './retrieval.js';

/** BM25's saturation of repeated terms and its normalisation by length, at their usual values. */
const K1 = 1.2;
const B = 0.75;

/** Collections that are searched together: one workspace, one language. */
export interface LexicalScope {
  workspaceId: WorkspaceId;
  collectionIds: readonly string[];
  language: string;
}

/** What the query's terms weigh here. Stop words are not among them. */
export interface QueryTerms {
  terms: string[];
  /** ln(1 + (N - df + ½) / (df + ½)), in the order of `terms`; over all collections of the scope, as if they were one. */
  idf: number[];
  /** Mean number of terms in a chunk. */
  averageLength: number;
}

/** How often each term occurs, and in how many chunks there are: of live documents only. */
const STATISTICS = `
  scope AS (
    SELECT coalesce(sum(chunk_count), 0)::float8 AS chunks,
           coalesce(sum(term_count) / nullif(sum(chunk_count), 0)::float8, 1) AS average
      FROM document WHERE workspace_id = $1 AND collection_id = ANY($2) AND live_name IS NOT NULL
  ), frequency AS (
    SELECT q.term, q.place, (
      SELECT count(*) FROM chunk_term t JOIN chunk c ON c.id = t.chunk_id JOIN document d ON d.id = c.document_id
       WHERE t.collection_id = ANY($2) AND t.term = q.term AND d.workspace_id = $1 AND d.live_name IS NOT NULL)::float8 AS df
      FROM q
  )
  SELECT term, place::int, ln(1 + (chunks - df + 0.5) / (df + 0.5)) AS idf, average FROM frequency, scope ORDER BY place`;

interface StatisticsRow {
  term: string;
  place: number;
  idf: number;
  average: number;
}

/** The terms that the language makes of a query, with their weights. */
export async function analyseQuery(database: Database, scope: LexicalScope, query: string): Promise<QueryTerms> {
  const { rows } = await database.pool.query<StatisticsRow>({
    name: 'knowledge-analyse-query',
    text: `WITH q AS (
        SELECT lexeme AS term, row_number() OVER () AS place FROM unnest(to_tsvector($3::regconfig, $4))
      ), ${STATISTICS}`,
    values: [scope.workspaceId, scope.collectionIds, scope.language, lexicalText(query)],
  });
  return {
    terms: rows.map(({ term }) => term),
    idf: rows.map(({ idf }) => idf),
    averageLength: rows[0]?.average ?? 1,
  };
}

/** A word's stem in the scope's language and its rarity there. */
export interface TermWeight {
  stem: string;
  idf: number;
}

/** Weights of single words, by the word as given; stop words and what is no word are missing. */
export async function weighWords(
  database: Database,
  scope: LexicalScope,
  words: readonly string[],
): Promise<Map<string, TermWeight>> {
  const distinct = [...new Set(words)];
  const { rows } = await database.pool.query<StatisticsRow>({
    name: 'knowledge-weigh-words',
    text: `WITH w AS (
        SELECT place, (SELECT lexeme FROM unnest(to_tsvector($3::regconfig, word)) LIMIT 1) AS term
          FROM unnest($4::text[]) WITH ORDINALITY AS u(word, place)
      ), q AS (SELECT term, place FROM w WHERE term IS NOT NULL), ${STATISTICS}`,
    values: [scope.workspaceId, scope.collectionIds, scope.language, distinct.map(lexicalText)],
  });
  return new Map(rows.map(({ term, place, idf }) => [distinct[place - 1] as string, { stem: term, idf }]));
}

/** The best chunks by BM25, best first. */
export async function searchLexical(
  database: Database,
  scope: LexicalScope,
  { terms, idf, averageLength }: QueryTerms,
  options: { limit: number; documentIds: readonly string[] | null },
): Promise<ScoredChunk[]> {
  if (terms.length === 0) return [];
  const { rows } = await database.pool.query<ScoredChunk>({
    name: 'knowledge-search-lexical',
    text: `WITH q AS (SELECT * FROM unnest($3::text[], $4::float8[]) AS u(term, idf))
      SELECT c.id AS "chunkId", c.collection_id AS "collectionId",
             sum(q.idf * t.frequency * (${K1} + 1) / (t.frequency + ${K1} * (1 - ${B} + ${B} * c.term_count / $5::float8))) AS score
        FROM q JOIN chunk_term t ON t.collection_id = ANY($2) AND t.term = q.term
        JOIN chunk c ON c.id = t.chunk_id JOIN document d ON d.id = c.document_id
       WHERE d.workspace_id = $1 AND d.live_name IS NOT NULL AND ($6::uuid[] IS NULL OR d.id = ANY($6))
       GROUP BY c.id ORDER BY score DESC, c.id LIMIT $7`,
    values: [scope.workspaceId, scope.collectionIds, terms, idf, averageLength, options.documentIds, options.limit],
  });
  return rows;
}
