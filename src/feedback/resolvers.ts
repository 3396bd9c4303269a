import type { AskService } from '../ask/index.js';
import type { ResolverList } from '../graphql-kit/index.js';
import type { KnowledgeStores } from '../knowledge/index.js';
import {
  AnswerFeedbackResolver,
  ExpectedTextResolver,
  FeedbackEdgesResolver,
  FeedbackResolver,
  loadFeedback,
} from './feedback-graphql.js';
import type { FeedbackService } from './feedback-service.js';

export interface FeedbackGraphParts {
  feedback: FeedbackService;
  asking: AskService;
  stores: KnowledgeStores;
}

/** The resolvers of this domain. */
export const feedbackResolvers: ResolverList<FeedbackGraphParts> = {
  classes: [FeedbackResolver, FeedbackEdgesResolver, ExpectedTextResolver, AnswerFeedbackResolver],
  registerNodes(nodes, { feedback }) {
    nodes.register('Feedback', (context, id) => loadFeedback(context, feedback, id));
  },
};
