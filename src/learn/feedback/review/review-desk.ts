import { checkedFilter, type Answer, type AnswerFilter, type AnswerStore } from '../../../answer/ask/index.js';
import { toGlobalId } from '../../../kit/graphql/index.js';
import type { Caller as AnyCaller } from '../../../kernel/caller.js';
import { badInput, GraftError, notFound } from '../../../kernel/errors.js';
import { isUuid, type WorkspaceId } from '../../../kernel/ids.js';
import { encodeCursor, MAX_PAGE_SIZE, type Page, type PageRequest } from '../../../kernel/pagination.js';
import { checkedText } from '../../../kernel/text.js';
import type { ExpectationInput } from '../expectation.js';
import type { FeedbackInput, Giver } from '../feedback.js';
import type { FeedbackService } from '../feedback-service.js';
import type { QualityScope } from '../quality/quality.js';
import type { QualityStore } from '../quality/quality-store.js';
import {
  LOCK_MINUTES,
  orderFor,
  reasonOf,
  REVIEW_LIMITS,
  type Preference,
  type Preferred,
  type Review,
  type ReviewItem,
  type ReviewReason,
} from './review.js';
import type { NewReviewItem, ReviewStore } from './review-store.js';

type Caller = Pick<AnyCaller, 'workspaceId'>;

export interface QueueReviews {
  /** Row ids. */
  answers: readonly string[];
  pairs: readonly { first: string; second: string }[];
  /** Answers that it finds, the newest first, up to `most`. */
  filter: AnswerFilter | null;
  most: number;
  /** Answers that are drawn at random. */
  draw?: { scope: QualityScope; most: number } | null;
  reviewers: number;
}

export interface SubmitReview {
  itemId: string;
  reviewer: string;
  score: number | null;
  comment: string | null;
  expectation: ExpectationInput | null;
  preferred: Preferred | null;
  /** Whether labels have moved; null where none is in question. */
  confirmed: boolean | null;
}

interface ReviewDeskParts {
  store: ReviewStore;
  answers: Pick<AnswerStore, 'list' | 'byIds'>;
  feedback: Pick<FeedbackService, 'prepare' | 'write'>;
  quality: Pick<QualityStore, 'draw'>;
}

/** Hands out answers to reviewers, one at a time to each, and takes what they say. */
export class ReviewDesk {
  constructor(private readonly parts: ReviewDeskParts) {}

  /** @returns how many are new in the queue, and how many were in it before @throws BAD_USER_INPUT, NOT_FOUND */
  async queue(
    { workspaceId }: Caller,
    { answers, pairs, filter, most, draw = null, reviewers }: QueueReviews,
  ): Promise<{ queued: number; known: number }> {
    if (!Number.isInteger(reviewers) || reviewers < 1 || reviewers > REVIEW_LIMITS.reviewers)
      throw badInput('input.reviewers', `reviewers must be 1 to ${REVIEW_LIMITS.reviewers}, not ${reviewers}.`);
    requireMost(most, 'input.most');
    if (draw) requireMost(draw.most, 'input.draw.most');
    if (answers.length + pairs.length > REVIEW_LIMITS.listed)
      throw badInput('input.answers', `At most ${REVIEW_LIMITS.listed} answers and pairs are named at once.`);
    if (answers.length + pairs.length === 0 && filter === null && draw === null)
      throw badInput('input', 'Nothing to review is named.', 'Give answers, pairs, a filter or a draw.');
    const namedItems = await this.#named(workspaceId, answers, pairs);
    const foundItems = filter === null ? [] : await this.#found(workspaceId, checkedFilter(filter), most);
    const { store, quality } = this.parts;
    return store.within(async (tx) => {
      const drawnIds = draw ? await quality.draw(tx, workspaceId, draw.scope, draw.most) : [];
      const items = [...namedItems, ...foundItems, ...drawnIds.map((id) => alone('SAMPLED', id))];
      const queued = items.length === 0 ? 0 : await store.queue(tx, workspaceId, items, reviewers);
      await store.markSampled(tx, workspaceId, drawnIds);
      return { queued, known: items.length - queued };
    });
  }

  async #named(
    workspaceId: WorkspaceId,
    answers: readonly string[],
    pairs: QueueReviews['pairs'],
  ): Promise<NewReviewItem[]> {
    const ids = [...answers, ...pairs.flatMap(({ first, second }) => [first, second])];
    const answersById = await this.parts.answers.byIds(workspaceId, ids.filter(isUuid));
    const require = (id: string, field: string): Answer => {
      const answer = answersById.get(id);
      if (!answer) throw notFound('The answer', toGlobalId('Answer', id), field);
      return answer;
    };
    answers.forEach((id, i) => require(id, `input.answers.${i}`));
    pairs.forEach(({ first, second }, i) => {
      const [a, b] = [require(first, `input.pairs.${i}.first`), require(second, `input.pairs.${i}.second`)];
      if (a.id === b.id || a.question !== b.question)
        throw badInput(`input.pairs.${i}`, 'A pair is two answers to the same question.', '`answerAll` gives them.');
    });
    return [
      ...answers.map((id) => alone('CHOSEN', id)),
      ...pairs.map(({ first, second }): NewReviewItem => ({ reason: 'PAIR', answerId: first, otherId: second })),
    ];
  }

  async #found(workspaceId: WorkspaceId, filter: AnswerFilter, limit: number): Promise<NewReviewItem[]> {
    const reason = reasonOf(filter);
    const items: NewReviewItem[] = [];
    for (let cursor: string | null = null; items.length < limit;) {
      const first = Math.min(MAX_PAGE_SIZE, limit - items.length);
      const page: Page<Answer> = await this.parts.answers.list(workspaceId, filter, { first, after: cursor });
      items.push(...page.items.map(({ id }) => alone(reason, id)));
      if (!page.hasNextPage) break;
      cursor = encodeCursor([page.items.at(-1)!.id]);
    }
    return items;
  }

  /**
   * Gives a reviewer an item to look at, which is theirs alone, or theirs and that of as many others as shall look at it, for
   * LOCK_MINUTES.
   * @returns null where none is left for them @throws BAD_USER_INPUT, CONFLICT where the item that they name is taken
   */
  async claim(
    { workspaceId }: Caller,
    wish: { reviewer: string; itemId: string | null; reason: ReviewReason | null; skip: readonly string[] },
  ): Promise<ReviewItem | null> {
    if (wish.skip.length > REVIEW_LIMITS.skipped)
      throw badInput('input.skip', `At most ${REVIEW_LIMITS.skipped} items are skipped.`);
    const item = await this.parts.store.claim(workspaceId, { ...wish, reviewer: reviewerOf(wish.reviewer) });
    if (item !== null || wish.itemId === null) return item;
    if (!(await this.parts.store.byIds(workspaceId, [wish.itemId])).has(wish.itemId))
      throw notFound('The review item', toGlobalId('ReviewItem', wish.itemId), 'input.item');
    throw taken('All its places are taken, or you have reviewed it.');
  }

  /**
   * Takes what a reviewer says: of an answer as feedback of a person, of a pair as a preference. A lock that ran out is no matter
   * unless others have taken all places since.
   * @throws NOT_FOUND, CONFLICT, BAD_USER_INPUT
   */
  async submit(giver: Giver, input: SubmitReview): Promise<{ item: ReviewItem; feedbackIds: string[] }> {
    const { store, feedback } = this.parts;
    const { workspaceId } = giver;
    const reviewer = reviewerOf(input.reviewer);
    const item = (await store.byIds(workspaceId, [input.itemId])).get(input.itemId);
    if (!item) throw notFound('The review item', toGlobalId('ReviewItem', input.itemId), 'input.item');
    const confirmed = confirmationOf(item, input);
    const statements = item.otherId === null && confirmed === null ? saidOf(item, reviewer, input) : [];
    const preferredId = item.otherId === null ? null : preferredOf(item, reviewer, input);
    const entries = await feedback.prepare(giver, statements, () => 'input');
    const feedbackIds = await store.within(async (tx) => {
      const lockedItem = await store.hold(tx, workspaceId, item.id);
      if (!lockedItem) throw notFound('The review item', toGlobalId('ReviewItem', item.id), 'input.item');
      const previousReview = await store.reviewOf(tx, item.id, reviewer);
      if (previousReview?.doneAt) throw taken('You have reviewed it.');
      if (lockedItem.done >= lockedItem.wanted || !(await store.hasPlace(tx, item.id, reviewer)))
        throw taken('Your lock has run out, and others have taken all places.');
      const { ids } = entries.length === 0 ? { ids: [] } : await feedback.write(tx, workspaceId, entries);
      const tie = item.otherId !== null && preferredId === null;
      await store.finish(tx, workspaceId, { itemId: item.id, reviewer, preferredId, tie, confirmed, feedbackIds: ids });
      return ids;
    });
    return { item: { ...item, done: item.done + 1 }, feedbackIds };
  }

  /** Lets go of an item. @returns whether the reviewer had it */
  release({ workspaceId }: Caller, itemId: string, reviewer: string): Promise<boolean> {
    return this.parts.store.release(workspaceId, itemId, reviewerOf(reviewer));
  }

  open(
    { workspaceId }: Caller,
    wish: { reviewer: string; reason: ReviewReason | null },
    page: PageRequest,
  ): Promise<Page<ReviewItem>> {
    return this.parts.store.open(workspaceId, { ...wish, reviewer: reviewerOf(wish.reviewer, 'reviewer') }, page);
  }

  left({ workspaceId }: Caller, wish: { reviewer: string; reason: ReviewReason | null }): Promise<number> {
    return this.parts.store.left(workspaceId, { ...wish, reviewer: reviewerOf(wish.reviewer) });
  }

  /** In the order of `ids`; null where the workspace has none of that id. */
  async byIds({ workspaceId }: Caller, ids: readonly string[]): Promise<(ReviewItem | null)[]> {
    const itemsById = await this.parts.store.byIds(workspaceId, ids);
    return ids.map((id) => itemsById.get(id) ?? null);
  }

  async reviewsOf(itemIds: readonly string[]): Promise<Review[][]> {
    const reviewsByItem = await this.parts.store.reviewsOf(itemIds);
    return itemIds.map((id) => reviewsByItem.get(id) ?? []);
  }

  preferences({ workspaceId }: Caller, page: PageRequest): Promise<Page<Preference>> {
    return this.parts.store.preferences(workspaceId, page);
  }
}

const alone = (reason: ReviewReason, answerId: string): NewReviewItem => ({ reason, answerId, otherId: null });

function requireMost(count: number, field: string): void {
  if (!Number.isInteger(count) || count < 1 || count > REVIEW_LIMITS.queued)
    throw badInput(field, `most must be 1 to ${REVIEW_LIMITS.queued}, not ${count}.`);
}

const reviewerOf = (name: string, field = 'input.reviewer'): string => checkedText(name, field, REVIEW_LIMITS.reviewer);

const taken = (reason: string): GraftError =>
  new GraftError('CONFLICT', `This item is not yours to review: ${reason}`, {
    field: 'input.item',
    hint: `Claim another one; a lock lasts ${LOCK_MINUTES} minutes, and claiming it again begins anew.`,
  });

/** Whether labels have moved; null where none is in question. @throws BAD_USER_INPUT */
function confirmationOf({ datasetId }: ReviewItem, input: SubmitReview): boolean | null {
  const { confirmed, score, comment, expectation, preferred } = input;
  if (datasetId === null) {
    if (confirmed === null) return null;
    throw badInput('input.confirmed', 'No label is in question here.', 'Give a score, an expectation or a preference.');
  }
  if (confirmed === null || [score, comment, expectation, preferred].some((value) => value !== null))
    throw badInput(
      'input.confirmed',
      'Of labels it is said whether they have moved, and nothing else.',
      'Give confirmed.',
    );
  return confirmed;
}

/** What is said of an answer, as feedback. @throws BAD_USER_INPUT where nothing is */
function saidOf({ answerId }: ReviewItem, reviewer: string, input: SubmitReview): FeedbackInput[] {
  const { score, comment, expectation, preferred } = input;
  if (preferred !== null)
    throw badInput('input.preferred', 'There is one answer alone.', 'Give a score or an expectation.');
  if (score === null && comment === null && expectation === null)
    throw badInput('input', 'A review needs a score, a comment or an expectation.');
  const source = { kind: 'HUMAN', name: reviewer } as const;
  return [
    ...(score === null && comment === null ? [] : [{ answerId, kind: 'FEEDBACK' as const, source, score, comment }]),
    ...(expectation === null ? [] : [{ answerId, kind: 'EXPECTATION' as const, source, expectation }]),
  ];
}

/** The answer that is better; null: neither. @throws BAD_USER_INPUT */
function preferredOf(
  item: ReviewItem,
  reviewer: string,
  { preferred, score, expectation }: SubmitReview,
): string | null {
  if (preferred === null || score !== null || expectation !== null)
    throw badInput('input.preferred', 'Of a pair it is said which answer is better, and nothing else.');
  const [first, second] = orderFor(item, reviewer);
  return preferred === 'TIE' ? null : preferred === 'FIRST' ? first! : second!;
}
