import { createUnionType, Ctx, Field, FieldResolver, Float, ObjectType, Resolver, Root } from 'type-graphql';
import { cost, make, type GraphContext } from '../../graphql-kit/index.js';
import {
  Chunk,
  Degradation,
  Document,
  loadDocument,
  RetrievalScores,
  toChunk,
  type KnowledgeStores,
  type Passage,
} from '../../knowledge/index.js';
import { Answer, toAnswer } from './answer-graphql.js';
import type { AskEvent as AskEventRecord } from '../events.js';
import { Conflict } from './quotation-graphql.js';
import { RouteDecision } from './route-graphql.js';

@ObjectType({ description: 'A passage that was found for a question.' })
export class RetrievedPassage {
  @Field(() => Chunk, { description: 'The passage, with its offsets in the document.' })
  chunk!: Chunk;

  @Field(() => String, { description: 'Name of its document.' })
  documentName!: string;

  @Field(() => String, { description: 'Name of the collection that it was found in.' })
  collectionName!: string;

  @Field(() => RetrievalScores, { description: 'Why it stands where it stands.' })
  scores!: RetrievalScores;

  @Field(() => Float, { description: 'Share of the question’s words in it, weighted by rarity, 0 to 1.' })
  coverage!: number;

  documentId!: string;
}

@ObjectType({ description: 'The first event: what the answer is made with.' })
export class RouteChosen {
  @Field(() => RouteDecision, { description: 'The strategy and why. The answer may add reasons found later.' })
  route!: RouteDecision;
}

@ObjectType({ description: 'What retrieval found. It does not come with BASE, nor when a recorded answer is joined.' })
export class PassagesRetrieved {
  @Field(() => [RetrievedPassage], { description: 'At most six, best first.' })
  passages!: RetrievedPassage[];

  @Field(() => Degradation, {
    nullable: true,
    description: 'Why the vectors were left out; null when nothing was.',
  })
  degraded!: Degradation | null;
}

@ObjectType({ description: 'Sentences that match the question contradict each other. It comes only when they do.' })
export class ConflictsFound {
  @Field(() => [Conflict], { description: 'At most three; the same as `Answer.conflicts`.' })
  conflicts!: Conflict[];
}

@ObjectType({ description: 'More of the text. Provisional: `TextReplaced` may follow. Not stored.' })
export class TextDelta {
  @Field(() => String, { description: 'What to append.' })
  text!: string;
}

@ObjectType({ description: 'The text so far is withdrawn, because the evidence does not support it.' })
export class TextReplaced {
  @Field(() => String, { description: 'The text that takes its place.' })
  text!: string;

  @Field(() => String, { description: 'What was wrong with it, in words.' })
  reason!: string;
}

@ObjectType({ description: 'The last event: the answer as it was recorded.' })
export class AnswerReady {
  @Field(() => Answer, { description: 'The answer; where its text differs from the deltas, it is right.' })
  answer!: Answer;
}

export const AskEvent = createUnionType({
  name: 'AskEvent',
  description:
    'What happens while a question is answered: `RouteChosen`, `PassagesRetrieved` with RAG, perhaps one `ConflictsFound`, any number of `TextDelta`, perhaps one `TextReplaced`, then `AnswerReady`.',
  types: () => [RouteChosen, PassagesRetrieved, ConflictsFound, TextDelta, TextReplaced, AnswerReady] as const,
});

const toPassage = (passage: Passage): RetrievedPassage =>
  make(RetrievedPassage, {
    chunk: toChunk({ ...passage, id: passage.chunkId }),
    documentName: passage.documentName,
    collectionName: passage.collectionName,
    scores: passage.scores,
    coverage: passage.coverage,
    documentId: passage.documentId,
  });

export function toEvent(event: AskEventRecord): typeof AskEvent {
  switch (event.type) {
    case 'route':
      return make(RouteChosen, { route: event.route });
    case 'passages':
      return make(PassagesRetrieved, {
        passages: event.passages.map(toPassage),
        degraded: event.degraded,
      });
    case 'conflicts':
      return make(ConflictsFound, { conflicts: event.conflicts });
    case 'delta':
      return make(TextDelta, { text: event.text });
    case 'replaced':
      return make(TextReplaced, { text: event.text, reason: event.reason });
    case 'answer':
      return make(AnswerReady, { answer: toAnswer(event.answer) });
  }
}

@Resolver(() => RetrievedPassage)
export class RetrievedPassageResolver {
  constructor(private readonly parts: { stores: KnowledgeStores }) {}

  @FieldResolver(() => Document, {
    nullable: true,
    description: 'The document that it is a passage of; null when that was replaced or deleted meanwhile.',
    complexity: cost(2),
  })
  document(@Root() passage: RetrievedPassage, @Ctx() context: GraphContext): Promise<Document | null> {
    return loadDocument(context, this.parts.stores, passage.documentId);
  }
}
