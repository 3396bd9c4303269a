import { Arg, Ctx, FieldResolver, Info, Query, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import type { GraphQLResolveInfo } from 'graphql';
import {
  SpendsBudget,
  Needs,
  asksFor,
  cost,
  make,
  type GraphContext,
  recordType,
  inputType,
  ofType,
  objectType,
} from '../../kit/graphql/index.js';
import { badInput } from '../../kernel/errors.js';
import { checkedText } from '../../kernel/text.js';
import { Chunk, Document, loadDocument, toChunk, type KnowledgeStores } from './collection-graphql.js';
import { Degradation, SearchMode, type Passage, passageScores } from './retrieval/retrieval.js';
import type { Retriever } from './retrieval/retriever.js';
import { string, float, oneOf } from '../../kernel/record.js';

const SearchInput = inputType('SearchInput', 'What to search for, and where.', {
  query: string('A question or words; 1 to 2,000 characters.'),
  collections: z
    .array(z.string())
    .nullish()
    .describe('Names of collections, 1 to 50; by default all of the workspace.'),
  mode: z.enum(SearchMode).default(SearchMode.HYBRID).describe('What passages are ranked by.'),
  limit: z.int().default(10).describe('How many hits at most, 1 to 50.'),
});
type SearchInput = InstanceType<typeof SearchInput>;

export const RetrievalScores = recordType(passageScores);
export type RetrievalScores = InstanceType<typeof RetrievalScores>;

const SearchHit = objectType('SearchHit', 'A passage that matches the query.', {
  chunk: ofType(() => Chunk).describe('The passage, with its offsets in the document.'),
  collection: string('Name of the collection that it was found in.'),
  scores: ofType(() => RetrievalScores).describe('Why it stands where it stands.'),
  coverage: float('How much of the query’s terms it holds, each weighted by its rarity, 0 to 1.'),
  documentId: z.custom<string>(),
});
type SearchHit = InstanceType<typeof SearchHit>;

const SearchTimings = objectType(
  'SearchTimings',
  'How long the stages of a search took, in milliseconds; they overlap.',
  {
    embedMs: float('Embedding the query; 0 with mode `LEXICAL`.'),
    denseMs: float('Searching the vectors; 0 with mode `LEXICAL`.'),
    lexicalMs: float(
      'Weighing the query’s terms and ranking by BM25; 0 with mode `DENSE` unless `coverage` is asked for.',
    ),
    totalMs: float('The whole search.'),
  },
);

const SearchResult = objectType('SearchResult', 'What a search found.', {
  hits: z.array(ofType(() => SearchHit)).describe('Best first.'),
  degraded: oneOf(Degradation, 'Why the vectors were left out; null when nothing was.').nullable(),
  timings: ofType(() => SearchTimings).describe('Where the time went.'),
});
type SearchResult = InstanceType<typeof SearchResult>;

const toSearchHit = (passage: Passage): SearchHit =>
  make(SearchHit, {
    ...passage,
    chunk: toChunk({ ...passage, id: passage.chunkId }),
    collection: passage.collectionName,
  });

/** @throws BAD_USER_INPUT */
const checkedQuery = ({ query }: SearchInput): string => checkedText(query, 'input.query', 2_000);

@Resolver(() => SearchHit)
export class SearchResolver {
  constructor(private readonly parts: { retriever: Retriever; stores: KnowledgeStores }) {}

  @Needs('ASK')
  @SpendsBudget('SEARCH', ({ input }: { input: SearchInput }) => checkedQuery(input))
  @Query(() => SearchResult, {
    description:
      'The passages that match best. While the vector store is away a hybrid search goes by words alone and says so.',
    complexity: cost(20),
  })
  async search(
    @Arg('input', () => SearchInput, { description: 'What to search for.' }) input: SearchInput,
    @Ctx() context: GraphContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<SearchResult> {
    const query = checkedQuery(input);
    if (input.limit < 1 || input.limit > 50)
      throw badInput('input.limit', `limit must be between 1 and 50, not ${input.limit}.`);
    const { collections = null, mode, limit } = input;
    if (collections !== null && (collections.length < 1 || collections.length > 50))
      throw badInput('input.collections', `collections must have 1 to 50 names, not ${collections.length}.`);
    const scope = await this.parts.retriever.scope(context.workspaceId, collections, context.caller.groups);
    const retrieval = await this.parts.retriever.retrieve(
      { scope, query, mode, limit, coverage: asksFor(info, ['hits', 'coverage']) },
      { signal: context.signal },
    );
    return {
      hits: retrieval.passages.map(toSearchHit),
      degraded: retrieval.degraded,
      timings: retrieval.timings,
    };
  }

  @FieldResolver(() => Document, {
    nullable: true,
    description: 'The document that it is a passage of; null when that was replaced or deleted since.',
    complexity: cost(2),
  })
  document(@Root() hit: SearchHit, @Ctx() context: GraphContext): Promise<Document | null> {
    return loadDocument(context, this.parts.stores, hit.documentId);
  }
}
