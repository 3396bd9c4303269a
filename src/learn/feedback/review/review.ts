import { z } from 'zod';
import { sha256 } from '../../../kernel/hashing.js';
import { storedJson } from '../../../kernel/stored-json.js';
import type { AnswerFilter } from '../../../answer/ask/index.js';
import { choice } from '../../../kernel/record.js';
import { movedLabel, type MovedLabel } from '../curation/moved-labels.js';

export const ReviewReason = choice('ReviewReason', 'Why somebody should look at an answer.', {
  UNREVIEWED: 'Nobody said anything of it.',
  UNCERTAIN: 'It is unsure of itself.',
  DISAGREES: 'Feedback says that it is wrong, or contradicts other feedback.',
  SAMPLED: 'A sample drew it.',
  CHOSEN: 'Somebody put it into the queue, or a filter without any of these reasons.',
  PAIR: 'It is one of two answers to the same question: which is better?',
  LABEL_MOVED: 'It is one of several whose lessons say that a label means something else now: is that so?',
});
export type ReviewReason = keyof typeof ReviewReason;

export const Preferred = choice(
  'PreferredAnswer',
  'Which of two answers is better, in the order in which the reviewer sees them.',
  { FIRST: 'The first.', SECOND: 'The second.', TIE: 'Neither.' },
);
export type Preferred = keyof typeof Preferred;

export const REVIEW_LIMITS = { queued: 1_000, listed: 100, reviewers: 9, reviewer: 200, skipped: 100 } as const;

/** How long an item is a reviewer's alone after they claimed it; claiming it again begins anew. By the database's clock. */
export const LOCK_MINUTES = 10;

/** An answer, or two of the same question, that some reviewers should look at. */
export interface ReviewItem {
  id: string;
  reason: ReviewReason;
  answerId: string;
  /** The other answer of a pair; null where there is one alone. */
  otherId: string | null;
  /** The dataset whose labels may have moved, and which; null and none where no label is in question. */
  datasetId: string | null;
  moves: MovedLabel[];
  /** How many reviewers shall look at it, and how many did. */
  wanted: number;
  done: number;
  createdAt: Date;
}

/** The column `moves`. */
export const storedMoves = storedJson(z.array(movedLabel));

/** A reviewer's look at an item: at work until `lockedUntil`, or done. */
export interface Review {
  itemId: string;
  reviewer: string;
  lockedUntil: Date | null;
  doneAt: Date | null;
  preferredId: string | null;
  tie: boolean;
  /** Whether labels have moved; null where none is in question. */
  confirmed: boolean | null;
  feedbackIds: string[];
}

/** Which of two answers was better. */
export interface Preference {
  itemId: string;
  reviewer: string;
  firstId: string;
  secondId: string;
  /** null: neither. */
  preferredId: string | null;
  at: Date;
}

/** Why answers that a filter finds should be looked at. */
export function reasonOf({ disagrees, confidenceBelow, hasFeedback, sample }: AnswerFilter): ReviewReason {
  if (disagrees === true) return 'DISAGREES';
  if (confidenceBelow !== null && confidenceBelow !== undefined) return 'UNCERTAIN';
  if (sample) return 'SAMPLED';
  return hasFeedback === false ? 'UNREVIEWED' : 'CHOSEN';
}

/** The two answers of a pair in the order in which a reviewer sees them: drawn for each, and the same whenever they look. */
export function orderFor({ id, answerId, otherId }: ReviewItem, reviewer: string): string[] {
  if (otherId === null) return [answerId];
  const turned = parseInt(sha256(`${id} ${reviewer}`).slice(0, 2), 16) % 2 === 1;
  return turned ? [otherId, answerId] : [answerId, otherId];
}
