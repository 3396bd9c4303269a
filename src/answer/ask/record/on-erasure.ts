import type { WorkspaceId } from '../../../kernel/ids.js';
import type { Transaction } from '../../../platform/database/index.js';

/** Answers that leave no trace. */
export interface ErasedAnswers {
  workspaceId: WorkspaceId;
  ids: readonly string[];
  /** Whether their rows stay, without what was quoted and without their text. */
  kept: boolean;
}

/** Stands where the words of a deleted document stood. */
export const DELETED_TEXT = 'A document that this answer rests on was deleted, and the answer’s text with it.';

/** Ids of the answers, in the order of their rows, that were shown the words of these. */
export type FollowersOf = (tx: Transaction, ids: readonly string[]) => Promise<string[]>;

/** Erases what hangs on answers, in the transaction that erases these. */
export type OnErasure = (tx: Transaction, erased: ErasedAnswers) => Promise<void>;
