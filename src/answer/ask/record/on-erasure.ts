import type { WorkspaceId } from '../../../kernel/ids.js';
import type { Transaction } from '../../../platform/database/index.js';

/** Answers that leave no trace. */
export interface ErasedAnswers {
  workspaceId: WorkspaceId;
  ids: readonly string[];
  /** Whether their rows stay, without what was quoted and without their text. */
  kept: boolean;
}

/** Erases what hangs on answers, in the transaction that erases these. */
export type OnErasure = (tx: Transaction, erased: ErasedAnswers) => Promise<void>;
