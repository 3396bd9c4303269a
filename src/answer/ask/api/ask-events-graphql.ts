import { createUnionType } from 'type-graphql';
import { z } from 'zod';
import { make, ofType, objectType, listOf, fieldsOf, toOne } from '../../../kit/graphql/index.js';
import { string, float, oneOf } from '../../../kernel/record.js';
import {
  Chunk,
  Degradation,
  Document,
  loadDocument,
  RetrievalScores,
  toChunk,
  type KnowledgeStores,
  type Passage,
} from '../../../sources/knowledge/index.js';
import { Answer, toAnswer } from './answer-graphql.js';
import type { AskEvent as AskEventRecord } from '../events.js';
import { Conflict } from './quotation-graphql.js';
import { RouteDecision } from './route-graphql.js';

const RetrievedPassage = objectType('RetrievedPassage', 'A passage that was found for a question.', {
  chunk: ofType(() => Chunk, 'The passage, with its offsets in the document.'),
  documentName: string('Name of its document.'),
  collectionName: string('Name of the collection that it was found in.'),
  scores: ofType(() => RetrievalScores, 'Why it stands where it stands.'),
  coverage: float('Share of the question’s words in it, weighted by rarity, 0 to 1.'),
  documentId: z.string(),
});
type RetrievedPassage = InstanceType<typeof RetrievedPassage>;

const RouteChosen = objectType('RouteChosen', 'The first event: what the answer is made with.', {
  route: ofType(() => RouteDecision, 'The strategy and why. The answer may add reasons found later.'),
});

const PassagesRetrieved = objectType(
  'PassagesRetrieved',
  'What retrieval found. It does not come with BASE, nor when a recorded answer is joined.',
  {
    passages: listOf(() => RetrievedPassage, 'At most six, best first.'),
    degraded: oneOf(Degradation, 'Why the vectors were left out; null when nothing was.').nullable(),
  },
);

const ConflictsFound = objectType(
  'ConflictsFound',
  'Sentences that match the question contradict each other. It comes only when they do.',
  {
    conflicts: listOf(() => Conflict, 'At most three; the same as `Answer.conflicts`.'),
  },
);

const TextDelta = objectType('TextDelta', 'More of the text. Provisional: `TextReplaced` may follow. Not stored.', {
  text: string('What to append.'),
});

const TextReplaced = objectType(
  'TextReplaced',
  'The text so far is withdrawn, because the evidence does not support it.',
  {
    text: string('The text that takes its place.'),
    reason: string('What was wrong with it, in words.'),
  },
);

const AnswerReady = objectType('AnswerReady', 'The last event: the answer as it was recorded.', {
  answer: ofType(() => Answer, 'The answer; where its text differs from the deltas, it is right.'),
});

export const AskEvent = createUnionType({
  name: 'AskEvent',
  description:
    'What happens while a question is answered: `RouteChosen`, `PassagesRetrieved` with RAG, perhaps one `ConflictsFound`, any number of `TextDelta`, perhaps one `TextReplaced`, then `AnswerReady`.',
  types: () => [RouteChosen, PassagesRetrieved, ConflictsFound, TextDelta, TextReplaced, AnswerReady] as const,
});

const toPassage = (passage: Passage): RetrievedPassage => ({
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

export const RetrievedPassageResolver = fieldsOf<RetrievedPassage, { stores: KnowledgeStores }>(
  () => RetrievedPassage,
  {
    document: toOne(
      () => Document,
      'The document that it is a passage of; null when that was replaced or deleted meanwhile.',
      (passage, context, { stores }) => loadDocument(context, stores, passage.documentId),
    ),
  },
);
