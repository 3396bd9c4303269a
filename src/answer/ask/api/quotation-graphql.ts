import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { cost, recordType, type GraphContext } from '../../../kit/graphql/index.js';
import { Chunk, Document, loadChunk, loadDocument, type KnowledgeStores } from '../../../sources/knowledge/index.js';
import { citation, conflict, conflictingQuote, evidence, type Span } from '../answer.js';

const Evidence = recordType(evidence);
const Citation = recordType(citation);
export const Conflict = recordType(conflict);
export type Conflict = InstanceType<typeof Conflict>;

export const GONE = 'null when that was replaced or deleted since.';

/** Where each kind of quotation leads. */
function quotationResolver(type: new () => Span) {
  @Resolver(() => type)
  class QuotationResolver {
    constructor(readonly parts: { stores: KnowledgeStores }) {}

    @FieldResolver(() => Boolean, {
      description: 'Whether the document was deleted, not just replaced, since: its words went with it.',
    })
    sourceDeleted(@Root() { sourceDeleted }: Span): boolean {
      return sourceDeleted ?? false;
    }

    @FieldResolver(() => Document, { nullable: true, description: `The document; ${GONE}`, complexity: cost(2) })
    document(@Root() { documentId }: Span, @Ctx() context: GraphContext): Promise<Document | null> {
      return loadDocument(context, this.parts.stores, documentId);
    }

    @FieldResolver(() => Chunk, {
      nullable: true,
      description: `The passage that it stands in; ${GONE}`,
      complexity: cost(2),
    })
    chunk(@Root() { chunkId }: Span, @Ctx() context: GraphContext): Promise<Chunk | null> {
      return loadChunk(context, this.parts.stores, chunkId);
    }
  }
  return QuotationResolver;
}

export const quotationResolvers = [Evidence, Citation, recordType(conflictingQuote)].map(quotationResolver);
