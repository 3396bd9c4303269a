import type { Asking } from '../ask/index.js';
import type { OpenData } from '../data/index.js';
import { defineDomain, offer, type Offer } from '../domain-kit/index.js';
import type { NodeRegistry } from '../graphql-kit/index.js';
import type { Knowledge } from '../knowledge/index.js';
import type { Platform } from '../platform/platform.js';
import {
  AnswerTaughtResolver,
  CurationResolver,
  curationRuns,
  LessonResolver,
  UnlearningResolver,
  unlearningRuns,
  VersionLessonsResolver,
} from './curation/curation-graphql.js';
import { CurationStore } from './curation/curation-store.js';
import { Curator } from './curation/curator.js';
import { Unlearner } from './curation/unlearner.js';
import { eraseWithAnswers, feedbackHolder } from './erasure.js';
import {
  AnswerFeedbackResolver,
  ExpectedTextResolver,
  FeedbackEdgesResolver,
  FeedbackResolver,
  registerFeedbackNode,
} from './feedback-graphql.js';
import { FeedbackService } from './feedback-service.js';
import { FeedbackStore } from './feedback-store.js';

export const feedbackDomain = defineDomain({
  classes: [
    FeedbackResolver,
    FeedbackEdgesResolver,
    ExpectedTextResolver,
    AnswerFeedbackResolver,
    CurationResolver,
    UnlearningResolver,
    LessonResolver,
    VersionLessonsResolver,
    AnswerTaughtResolver,
  ],
  runs: [curationRuns, unlearningRuns],
  registerNodes: (nodes: NodeRegistry, { feedback }: { feedback: FeedbackService }) =>
    registerFeedbackNode(nodes, feedback),
});

/** What is said of answers, and what is learned from it. */
export interface OpenFeedback {
  readonly feedback: FeedbackService;
  readonly curator: Curator;
  readonly offer: Offer;
}

export function openFeedback(
  platform: Platform,
  lower: { knowledge: Knowledge; data: OpenData; ask: Asking },
): OpenFeedback {
  const { database, runs, files, erasure } = platform;
  const { answers, asking } = lower.ask;
  const { collections, documents } = lower.knowledge;
  const { data } = lower.data;
  const store = new FeedbackStore(database, answers);
  const curation = new CurationStore(database);
  const feedback = new FeedbackService({ store, answers, documents, datasets: data.store });
  const unlearner = new Unlearner({ runs, data });
  const curator = new Curator({ runs, files, data, answers, documents, feedback, store: curation, unlearner });
  answers.onErasure(eraseWithAnswers({ store, curation, unlearner }));
  erasure.addHolder(feedbackHolder({ database, store, curation, unlearner }));
  const parts = { feedback, asking, stores: { collections, documents }, data, curator, curation, unlearner };
  return { feedback, curator, offer: offer(feedbackDomain, runs, parts) };
}
