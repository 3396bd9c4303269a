import type { WorkspaceId } from '../../../kernel/ids.js';
import type { Database } from '../../../platform/database/index.js';
import { isSeen, type Sight } from '../access/sight.js';
import { lexicalText } from '../indexing/lexical-text.js';
import type { ScoredChunk } from './retrieval.js';

/** BM25's saturation of repeated terms and its normalisation by length, at their usual values. */
const K1 = 1.2;
const B = 0.75;

/** Collections that are searched together: one workspace, one language. */
interface LexicalScope {
  workspaceId: WorkspaceId;
  collectionIds: readonly string[];
  language: string;
  /** Of whoever asks: nothing that is hidden from them is counted. */
  sight: Sight;
}

/** What the query's terms weigh here. Stop words are not among them. */
export interface QueryTerms {
  terms: string[];
  /** ln(1 + (N - df + ½) / (df + ½)), in the order of `terms`; over all collections of the scope, as if they were one. */
  idf: number[];
}

/** How often each term occurs, and in how many chunks there are: of live documents that may be seen (by the list `$5`). */
const statistics = (sight: Sight) => `
  scope AS (
    SELECT coalesce(sum(chunk_count), 0)::float8 AS chunks,
           coalesce(sum(term_count) / nullif(sum(chunk_count), 0)::float8, 1) AS average
      FROM document d WHERE workspace_id = $1 AND collection_id = ANY($2) AND live_name IS NOT NULL AND ${isSeen(sight, '$5')}
  ), frequency AS (
    SELECT q.term, q.place, (
      SELECT count(*) FROM chunk_term t JOIN chunk c ON c.id = t.chunk_id JOIN document d ON d.id = c.document_id
       WHERE t.collection_id = ANY($2) AND t.term = q.term AND d.workspace_id = $1 AND d.live_name IS NOT NULL AND ${isSeen(sight, '$5')})::float8 AS df
      FROM q
  )`;
const WEIGHTED = `
  SELECT term, place::int, ln(1 + (chunks - df + 0.5) / (df + 0.5)) AS idf, average FROM frequency, scope`;

interface StatisticsRow {
  term: string;
  place: number;
  idf: number;
  average: number;
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
    name: `knowledge-weigh-words-${scope.sight.listed}`,
    text: `WITH w AS (
        SELECT place, (SELECT lexeme FROM unnest(to_tsvector($3::regconfig, word)) LIMIT 1) AS term
          FROM unnest($4::text[]) WITH ORDINALITY AS u(word, place)
      ), q AS (SELECT term, place FROM w WHERE term IS NOT NULL), ${statistics(scope.sight)} ${WEIGHTED} ORDER BY place`,
    values: [scope.workspaceId, scope.collectionIds, scope.language, distinct.map(lexicalText), scope.sight.ids],
  });
  return new Map(rows.map(({ term, place, idf }) => [distinct[place - 1] as string, { stem: term, idf }]));
}

/**
 * The best chunks by BM25, best first, and what the query was read as; one statement, because each one that a question waits
 * for costs it most of a millisecond.
 * @param options.limit 0 for the terms alone
 */
export async function searchLexical(
  database: Database,
  scope: LexicalScope,
  query: string,
  options: { limit: number; documentIds: readonly string[] | null },
): Promise<{ query: QueryTerms; chunks: ScoredChunk[] }> {
  const { rows } = await database.pool.query<{ terms: StatisticsRow[] | null; chunks: ScoredChunk[] | null }>({
    name: `knowledge-search-lexical-${scope.sight.listed}`,
    text: `WITH q AS (
        SELECT lexeme AS term, row_number() OVER () AS place FROM unnest(to_tsvector($3::regconfig, $4))
      ), ${statistics(scope.sight)}, weighted AS MATERIALIZED (${WEIGHTED}), hits AS (
        SELECT c.id AS "chunkId", c.collection_id AS "collectionId",
               sum(w.idf * t.frequency * (${K1} + 1) / (t.frequency + ${K1} * (1 - ${B} + ${B} * c.term_count / w.average))) AS score
          FROM weighted w JOIN chunk_term t ON t.collection_id = ANY($2) AND t.term = w.term
          JOIN chunk c ON c.id = t.chunk_id JOIN document d ON d.id = c.document_id
         WHERE d.workspace_id = $1 AND d.live_name IS NOT NULL AND ${isSeen(scope.sight, '$5')} AND ($6::uuid[] IS NULL OR d.id = ANY($6))
         GROUP BY c.id ORDER BY score DESC, c.id LIMIT $7
      )
      SELECT (SELECT json_agg(weighted ORDER BY place) FROM weighted) AS terms,
             (SELECT json_agg(hits ORDER BY score DESC, "chunkId") FROM hits) AS chunks`,
    values: [
      scope.workspaceId,
      scope.collectionIds,
      scope.language,
      lexicalText(query),
      scope.sight.ids,
      options.documentIds,
      options.limit,
    ],
  });
  const terms = rows[0]?.terms ?? [];
  return {
    query: { terms: terms.map(({ term }) => term), idf: terms.map(({ idf }) => idf) },
    chunks: rows[0]?.chunks ?? [],
  };
}
