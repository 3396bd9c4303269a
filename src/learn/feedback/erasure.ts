import type { AnswerStore, ErasedAnswers } from '../../answer/ask/index.js';
import type { Database, Transaction } from '../../platform/database/index.js';
import type { Holder } from '../../platform/erasure/index.js';
import type { CurationStore } from './curation/curation-store.js';
import type { Unlearner } from './curation/unlearner.js';
import type { FeedbackStore } from './feedback-store.js';
import type { ReviewStore } from './review/review-store.js';

interface FeedbackErasureParts {
  database: Database;
  answers: AnswerStore;
  store: FeedbackStore;
  reviews: ReviewStore;
  curation: CurationStore;
  unlearner: Unlearner;
}

/**
 * What goes with answers: the words of feedback on them, and the rows that were made of them, in a run that is asked for in the same
 * transaction. Register it with the answers.
 */
export const eraseWithAnswers =
  ({ store, reviews, curation, unlearner }: Omit<FeedbackErasureParts, 'database' | 'answers'>) =>
  async (tx: Transaction, { workspaceId, ids, kept }: ErasedAnswers): Promise<void> => {
    await reviews.removeOn(tx, ids);
    await (kept ? store.blank(tx, ids) : store.removeOn(tx, workspaceId, ids));
    for (const [datasetId, answerIds] of await curation.erase(tx, workspaceId, ids))
      await unlearner.request(tx, workspaceId, datasetId, answerIds);
  };

/** Feedback as a holder of what people wrote: what a person said, and rows with the text of documents that no answer quoted. */
export const feedbackHolder = ({
  database,
  store,
  reviews,
  curation,
  unlearner,
}: Omit<FeedbackErasureParts, 'answers'>): Holder => ({
  name: 'feedback',
  async erase({ workspaceId, person, documents = [] }) {
    return database.prisma.$transaction(async (tx) => {
      const removedCount =
        person === undefined
          ? 0
          : (await store.removeOf(tx, workspaceId, person)) + (await reviews.removeOf(tx, workspaceId, person));
      const affectedIds =
        documents.length === 0
          ? []
          : await curation.showing(
              tx,
              workspaceId,
              documents.map(({ id }) => id),
            );
      for (const [datasetId, answerIds] of await curation.erase(tx, workspaceId, affectedIds))
        await unlearner.request(tx, workspaceId, datasetId, answerIds);
      return removedCount + affectedIds.length;
    });
  },
});
