import { z } from 'zod';
import type { Prisma } from '../../platform/database/index.js';
import type { Groups } from '../../kernel/caller.js';
import { badInput } from '../../kernel/errors.js';
import { digestOf } from '../../kernel/hashing.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { storedJson } from '../../kernel/stored-json.js';
import type { EmbedderFiles } from '../../worker-protocol/index.js';
import type { Sight } from './access/sight.js';

export type CollectionRow = Prisma.CollectionGetPayload<object>;
export type SearchIndexRow = Prisma.SearchIndexGetPayload<object>;

/** What retrieval needs to know of a collection. */
export interface SearchedCollection {
  id: string;
  name: string;
  /** A PostgreSQL text search configuration. */
  language: string;
  /** Share of the dense score in a hybrid one, 0 to 1; the rest is BM25's. */
  denseWeight: number;
  /** Live ones. */
  documents: number;
  /** Passages in its live documents. */
  chunks: number;
  /** Documents that were replaced or deleted, or are not live yet: their vectors may still be in the index. */
  staleDocuments: number;
  indexes: readonly Pick<SearchIndexRow, 'id' | 'embedderDigest' | 'active'>[];
}

/** Collections of one workspace that are searched together, looked up once for everything that a question needs of them. */
export interface SearchScope {
  workspaceId: WorkspaceId;
  collections: readonly SearchedCollection[];
  /** Of whoever asks. */
  groups: Groups;
  /** Which of their documents such a reader sees. */
  sight: Sight;
}

/** On XQuAD within .001 nDCG@10 of the best weight; `npm run bench -- retrieval` prints them all. */
export const DEFAULT_DENSE_WEIGHT = 0.6;
export const DEFAULT_LANGUAGE = 'english';

/** @throws BAD_USER_INPUT outside 0..1 */
export function checkedDenseWeight(weight: number, field: string): number {
  if (!(weight >= 0 && weight <= 1)) throw badInput(field, `${field} must be between 0 and 1, not ${weight}.`);
  return weight;
}

/** What an index is bound to: vectors of another identity can't be compared with its own. Paths don't count. */
const embedderIdentity = z.object({
  name: z.string(),
  sha256: z.string(),
  tokenizerSha256: z.string(),
  dimensions: z.number(),
  pooling: z.string(),
  normalised: z.boolean(),
  maxTokens: z.number(),
});
/** The column `embedder` of an index. */
export const storedEmbedder = storedJson(embedderIdentity);

export const embedderDigest = (embedder: EmbedderFiles): string => digestOf(embedderIdentity.parse(embedder));

/** Id of the collection's active index of this embedder; null when it has none, as before its first document. */
export function activeIndex({ indexes }: SearchedCollection, embedder: EmbedderFiles): string | null {
  const digest = embedderDigest(embedder);
  return indexes.find((index) => index.active && index.embedderDigest === digest)?.id ?? null;
}

export interface NewCollection {
  workspaceId: WorkspaceId;
  name: string;
  description?: string | null;
  language?: string | null;
  denseWeight?: number | null;
}
