import type { OpenAsking } from '../../answer/ask/index.js';
import type { OpenData } from '../../sources/data/index.js';
import { defineDomain, offer, type Offer } from '../../kit/domain/index.js';
import type { NodeRegistry } from '../../kit/graphql/index.js';
import type { Knowledge } from '../../sources/knowledge/index.js';
import { HOUR_MS } from '../../kernel/duration.js';
import type { Platform } from '../../platform/platform.js';
import type { Registry } from '../../sources/registry/index.js';
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
import { ProductionQualityResolver } from './quality/quality-graphql.js';
import { QualityStore } from './quality/quality-store.js';
import { ReviewDesk } from './review/review-desk.js';
import { PreferenceResolver, registerReviewNode, ReviewItemResolver, ReviewResolver } from './review/review-graphql.js';
import { ReviewStore } from './review/review-store.js';
import { RetentionSweeper } from './retention/retention.js';
import { RetentionResolver } from './retention/retention-graphql.js';
import { RetentionStore } from './retention/retention-store.js';

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
    ReviewResolver,
    ReviewItemResolver,
    PreferenceResolver,
    ProductionQualityResolver,
    RetentionResolver,
  ],
  runs: [curationRuns, unlearningRuns],
  registerNodes(nodes: NodeRegistry, { feedback, desk }: { feedback: FeedbackService; desk: ReviewDesk }) {
    registerFeedbackNode(nodes, feedback);
    registerReviewNode(nodes, desk);
  },
});

/** What is said of answers, and what is learned from it. */
export interface OpenFeedback {
  readonly feedback: FeedbackService;
  readonly curator: Curator;
  readonly desk: ReviewDesk;
  readonly retention: RetentionSweeper;
  readonly offer: Offer;
}

export function openFeedback(
  platform: Platform,
  lower: { registry: Registry; knowledge: Knowledge; data: OpenData; ask: OpenAsking },
): OpenFeedback {
  const { database, runs, files, erasure, log } = platform;
  const { answers, asking } = lower.ask;
  const { collections, documents, labels } = lower.knowledge;
  const { data } = lower.data;
  const { adapters } = lower.registry;
  const store = new FeedbackStore(database, answers);
  const reviews = new ReviewStore(database);
  const curation = new CurationStore(database);
  const feedback = new FeedbackService({ store, answers, documents, datasets: data.store });
  const unlearner = new Unlearner({ runs, data });
  const curator = new Curator({
    runs,
    files,
    data,
    adapters,
    answers,
    documents,
    labels,
    feedback,
    reviews,
    store: curation,
    unlearner,
  });
  const quality = new QualityStore(database);
  const desk = new ReviewDesk({ store: reviews, answers, feedback, quality });
  const retention = new RetentionSweeper({ store: new RetentionStore(database, store), log });
  answers.onErasure(eraseWithAnswers({ store, reviews, curation, unlearner }));
  erasure.addHolder(feedbackHolder({ database, store, reviews, curation, unlearner }));
  const parts = {
    feedback,
    asking,
    stores: { collections, documents, labels },
    data,
    curator,
    curation,
    unlearner,
    desk,
    quality,
    adapters,
    retention,
  };
  const chores = [{ name: 'expire feedback', everyMs: HOUR_MS, work: () => retention.expireAll() }];
  return { feedback, curator, desk, retention, offer: offer(feedbackDomain, runs, parts, { chores }) };
}
