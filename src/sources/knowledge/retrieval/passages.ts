import type { Database } from '../../../platform/database/index.js';
import type { SearchScope } from '../collection.js';
import type { FusedChunk } from './fuse.js';
import type { QueryTerms } from './lexical.js';
import type { Passage } from './retrieval.js';

interface PassageRow {
  chunkId: string;
  documentId: string;
  documentName: string;
  collectionId: string;
  ordinal: number;
  start: number;
  end: number;
  text: string;
  headings: string[];
  page: number | null;
  /** Which of `$3` the chunk holds. */
  terms: string[];
}

/**
 * Reads the chosen chunks, in their order, and what each holds of the query's terms (by language). Labels are looked at once more: a document
 * that came while the search was under way is not among those that it left out.
 */
export async function readPassages(
  database: Database,
  { workspaceId, collections, groups }: SearchScope,
  fusedChunks: readonly FusedChunk[],
  terms: ReadonlyMap<string, QueryTerms>,
): Promise<Passage[]> {
  const { rows } = await database.pool.query<PassageRow>({
    name: 'knowledge-read-passages',
    text: `SELECT c.id AS "chunkId", d.id AS "documentId", d.name AS "documentName", c.collection_id AS "collectionId", c.ordinal,
                  c.start, c."end", c.text, c.headings, c.page,
                  ARRAY(SELECT term FROM chunk_term t WHERE t.chunk_id = c.id AND t.term = ANY($3)) AS terms
             FROM chunk c JOIN document d ON d.id = c.document_id
            WHERE c.id = ANY($2::uuid[]) AND d.workspace_id = $1 AND d.live_name IS NOT NULL
              AND ($4::text[] IS NULL OR NOT EXISTS (
                SELECT 1 FROM document_label l
                 WHERE l.collection_id = d.collection_id AND l.name = d.name AND NOT l.access && $4::text[]))`,
    values: [
      workspaceId,
      fusedChunks.map(({ chunkId }) => chunkId),
      [...terms.values()].flatMap((query) => query.terms),
      groups,
    ],
  });
  const byId = new Map(rows.map((row) => [row.chunkId, row]));
  const collectionOf = new Map(collections.map((collection) => [collection.id, collection]));
  return fusedChunks.flatMap(({ chunkId, scores }) => {
    const row = byId.get(chunkId);
    const collection = row === undefined ? undefined : collectionOf.get(row.collectionId);
    if (row === undefined || collection === undefined) return [];
    const { terms: chunkTerms, ...passage } = row;
    const coverage = coverageOf(chunkTerms, terms.get(collection.language));
    return [{ ...passage, collectionName: collection.name, language: collection.language, scores, coverage }];
  });
}

function coverageOf(chunkTerms: readonly string[], query: QueryTerms | undefined): number {
  if (query === undefined) return 0;
  const total = query.idf.reduce((sum, idf) => sum + idf, 0);
  const covered = query.terms.reduce((sum, term, i) => sum + (chunkTerms.includes(term) ? (query.idf[i] ?? 0) : 0), 0);
  return total === 0 ? 0 : covered / total;
}
