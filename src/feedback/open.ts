import type { Asking, AskService } from '../ask/index.js';
import type { OpenData } from '../data/index.js';
import { defineDomain, offer, type Offer } from '../domain-kit/index.js';
import type { NodeRegistry } from '../graphql-kit/index.js';
import type { Knowledge } from '../knowledge/index.js';
import type { Platform } from '../platform/platform.js';
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
  classes: [FeedbackResolver, FeedbackEdgesResolver, ExpectedTextResolver, AnswerFeedbackResolver],
  runs: [],
  registerNodes: (nodes: NodeRegistry, { feedback }: { feedback: FeedbackService; asking: AskService }) =>
    registerFeedbackNode(nodes, feedback),
});

/** What is said of answers. */
export interface OpenFeedback {
  readonly feedback: FeedbackService;
  readonly offer: Offer;
}

export function openFeedback(
  { database, runs }: Platform,
  lower: { knowledge: Knowledge; data: OpenData; ask: Asking },
): OpenFeedback {
  const { answers, asking } = lower.ask;
  const { collections, documents } = lower.knowledge;
  const store = new FeedbackStore(database, answers);
  const feedback = new FeedbackService({ store, answers, documents, datasets: lower.data.data.store });
  return {
    feedback,
    offer: offer(feedbackDomain, runs, { feedback, asking, stores: { collections, documents } }),
  };
}
