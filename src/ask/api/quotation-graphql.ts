import { Ctx, Field, FieldResolver, Float, Int, ObjectType, registerEnumType, Resolver, Root } from 'type-graphql';
import { cost, make, type GraphContext } from '../../graphql-kit/index.js';
import {
  Chunk,
  Document,
  loadChunk,
  loadDocument,
  RetrievalScores,
  type KnowledgeStores,
} from '../../knowledge/index.js';
import {
  ConflictKind,
  type Citation as CitationRecord,
  type Conflict as ConflictRecord,
  type Evidence as EvidenceRecord,
} from '../answer.js';

registerEnumType(ConflictKind, {
  name: 'ConflictKind',
  description: 'In what two sentences differ.',
  valuesConfig: {
    NUMBER: { description: 'A number, or a range, of the same unit.' },
    DATE: { description: 'A date or a year.' },
    NAME: { description: 'A name in an otherwise equal sentence.' },
  },
});

/** What evidence and citations have in common; each repeats it with its own meaning. */
@ObjectType({ description: 'A quotation of a document.' })
abstract class Quotation {
  @Field(() => String, {
    description:
      'A sentence exactly as in the document: `document.text.slice(start, end)`; empty when `sourceDeleted`.',
  })
  quote!: string;

  @Field(() => Int, { description: 'Where it starts in `Document.text`, in UTF-16 code units, as JavaScript counts.' })
  start!: number;

  @Field(() => Int, { description: 'Where it ends in `Document.text` (exclusive), in UTF-16 code units.' })
  end!: number;

  @Field(() => Int, { nullable: true, description: 'Page of its passage, from 1; null where the format has none.' })
  page!: number | null;

  @Field(() => [String], { description: 'Headings that it stands under, outermost first.' })
  headings!: string[];

  @Field(() => String, { description: 'Name of the document, also when that was deleted since.' })
  documentName!: string;

  @Field(() => String, { description: 'Name of the collection that it was found in.' })
  collectionName!: string;

  @Field(() => RetrievalScores, { description: 'How retrieval scored its passage.' })
  scores!: RetrievalScores;

  @Field(() => Boolean, {
    description: 'Whether the document was deleted, not just replaced, since: its words went with it.',
  })
  sourceDeleted!: boolean;

  documentId!: string;
  chunkId!: string;
}

@ObjectType({ description: 'A sentence of the documents that may hold the answer.' })
export class Evidence extends Quotation {
  @Field(() => Float, {
    description: 'What the sentences are ranked by, 0 to about 3; comparable within one answer only.',
  })
  score!: number;

  @Field(() => Float, {
    description:
      'Share of the question’s words in it (in the sentence before: two fifths), weighted by rarity, 0 to 1.',
  })
  coverage!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Cosine similarity of sentence and question, -1 to 1; null where it was not computed.',
  })
  similarity!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Probability that the reader finds the answer in it, 0 to 1; null where it was not asked.',
  })
  answerability!: number | null;
}

@ObjectType({ description: 'A sentence of the documents that the answer rests on.' })
export class Citation extends Quotation {
  @Field(() => Float, {
    description: 'Share of the answer’s words, without those of the question, that stand in it, 0 to 1.',
  })
  support!: number;
}

@ObjectType({ description: 'A sentence and the value in it that another sentence contradicts.' })
export class ConflictingQuote extends Quotation {
  @Field(() => String, { description: 'The value as the sentence writes it: `6.5 bar`, `12 March 2021`, `Anna Berg`.' })
  value!: string;
}

@ObjectType({ description: 'Two sentences of the documents that give different values for the same thing.' })
export class Conflict {
  @Field(() => ConflictKind, { description: 'What the values are.' })
  kind!: ConflictKind;

  @Field(() => [ConflictingQuote], { description: 'The two sentences, the better match first.' })
  quotes!: ConflictingQuote[];
}

const quoted = <T extends { sourceDeleted?: boolean }>(span: T): T & { sourceDeleted: boolean } => ({
  ...span,
  sourceDeleted: span.sourceDeleted ?? false,
});

export const toEvidence = (record: EvidenceRecord): Evidence =>
  make(Evidence, { ...quoted(record), answerability: record.answerability ?? null });
export const toCitation = (record: CitationRecord): Citation => make(Citation, quoted(record));
export const toConflict = ({ kind, quotes }: ConflictRecord): Conflict =>
  make(Conflict, { kind, quotes: quotes.map((quote) => make(ConflictingQuote, quoted(quote))) });

export const GONE = 'null when that was replaced or deleted since.';

@Resolver(() => Evidence)
export class EvidenceResolver {
  constructor(private readonly parts: { stores: KnowledgeStores }) {}

  @FieldResolver(() => Document, { nullable: true, description: `The document; ${GONE}`, complexity: cost(2) })
  document(@Root() evidence: Evidence, @Ctx() context: GraphContext): Promise<Document | null> {
    return loadDocument(context, this.parts.stores, evidence.documentId);
  }

  @FieldResolver(() => Chunk, {
    nullable: true,
    description: `The passage that it stands in; ${GONE}`,
    complexity: cost(2),
  })
  chunk(@Root() evidence: Evidence, @Ctx() context: GraphContext): Promise<Chunk | null> {
    return loadChunk(context, this.parts.stores, evidence.chunkId);
  }
}

@Resolver(() => Citation)
export class CitationResolver {
  constructor(private readonly parts: { stores: KnowledgeStores }) {}

  @FieldResolver(() => Document, { nullable: true, description: `The document; ${GONE}`, complexity: cost(2) })
  document(@Root() citation: Citation, @Ctx() context: GraphContext): Promise<Document | null> {
    return loadDocument(context, this.parts.stores, citation.documentId);
  }

  @FieldResolver(() => Chunk, {
    nullable: true,
    description: `The passage that it stands in; ${GONE}`,
    complexity: cost(2),
  })
  chunk(@Root() citation: Citation, @Ctx() context: GraphContext): Promise<Chunk | null> {
    return loadChunk(context, this.parts.stores, citation.chunkId);
  }
}

@Resolver(() => ConflictingQuote)
export class ConflictingQuoteResolver {
  constructor(private readonly parts: { stores: KnowledgeStores }) {}

  @FieldResolver(() => Document, { nullable: true, description: `The document; ${GONE}`, complexity: cost(2) })
  document(@Root() quote: ConflictingQuote, @Ctx() context: GraphContext): Promise<Document | null> {
    return loadDocument(context, this.parts.stores, quote.documentId);
  }
}
