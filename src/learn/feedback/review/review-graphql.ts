import { Arg, Args, Ctx, FieldResolver, Float, Mutation, Query, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import { AnswerFilterInput, AnswerType, loadAnswer, toFilter, type AskService } from '../../../answer/ask/index.js';
import { Dataset, loadDataset, type Data } from '../../../sources/data/index.js';
import type { AdapterRegistry } from '../../../sources/registry/index.js';
import {
  connectionTypes,
  ConnectionArgs,
  cost,
  fromGlobalId,
  nodeOf,
  mapPage,
  Needs,
  NodeType,
  toConnection,
  type ConnectionOf,
  type GraphContext,
  type NodeRegistry,
  inputType,
  listOf,
  ofType,
  objectType,
} from '../../../kit/graphql/index.js';
import { encodeCursor } from '../../../kernel/pagination.js';
import { id, list, int, string, oneOf, float, boolean, date } from '../../../kernel/record.js';
import { pairwiseAgreement } from '../agreement.js';
import { movedLabel } from '../curation/moved-labels.js';
import { loadFeedback } from '../feedback-graphql.js';
import { ExpectationInputType, toExpectation } from '../feedback-inputs.js';
import type { FeedbackService } from '../feedback-service.js';
import { ADAPTER, SINCE, toScope } from '../quality/quality-graphql.js';
import { Feedback } from '../feedback-types.js';
import {
  LOCK_MINUTES,
  orderFor,
  Preferred,
  REVIEW_LIMITS,
  ReviewReason,
  type Preference as PreferenceRecord,
  type Review as ReviewRecord,
  type ReviewItem as ReviewItemRecord,
} from './review.js';
import type { ReviewDesk } from './review-desk.js';

const REVIEWER = `Name of the reviewer, 1 to ${REVIEW_LIMITS.reviewer} characters; their feedback is that of a person of this name.`;

const ReviewPairInput = inputType('ReviewPairInput', 'Two answers to the same question, e.g. of `answerAll`.', {
  first: id('One answer.'),
  second: id('The other.'),
});

const ReviewDrawInput = inputType(
  'ReviewDrawInput',
  'A random draw from answers that were not drawn before. `productionQuality` is estimated from their reviews.',
  {
    adapter: string(ADAPTER).nullish(),
    from: date(SINCE).nullish(),
    to: date('Only answers that were asked before; now by default.').nullish(),
    most: int('How many are drawn, 1 to 1,000.').default(50),
  },
);

const QueueReviewsInput = inputType(
  'QueueReviewsInput',
  'What shall be reviewed: answers, pairs, those that a filter finds, a random draw, or all of these.',
  {
    answers: list(z.string().meta({ shown: 'ID' }), 'Answers; with `pairs` at most 100.').default([]),
    pairs: listOf(() => ReviewPairInput, 'Pairs, shown blind; with `answers` at most 100.').default([]),
    filter: ofType(() => AnswerFilterInput, 'Answers that it finds, the newest first.').nullish(),
    most: int('Most answers that the filter adds, 1 to 1,000.').default(100),
    draw: ofType(() => ReviewDrawInput, 'Answers that are drawn at random.').nullish(),
    reviewers: int('How many reviewers shall look at each, 1 to 9.').default(1),
  },
);
type QueueReviewsInput = InstanceType<typeof QueueReviewsInput>;

const QueueReviewsPayload = objectType('QueueReviewsPayload', 'What `queueReviews` did.', {
  queued: int('How many are new in the queue.'),
  known: int('How many were in it before, or have been reviewed: they stay as they are.'),
});
type QueueReviewsPayload = InstanceType<typeof QueueReviewsPayload>;

const ClaimReviewInput = inputType('ClaimReviewInput', 'Who wants something to review.', {
  reviewer: string(REVIEWER),
  item: id('The `ReviewItem` that is wanted; by default what has waited longest.').nullish(),
  reason: oneOf(ReviewReason, 'Only items of this reason.').nullish(),
  skip: list(z.string().meta({ shown: 'ID' }), `At most ${REVIEW_LIMITS.skipped} items that are not wanted now.`)
    .max(REVIEW_LIMITS.skipped)
    .default([]),
});
type ClaimReviewInput = InstanceType<typeof ClaimReviewInput>;

const ReleaseReviewInput = inputType('ReleaseReviewInput', 'Who lets go of what.', {
  item: id('The `ReviewItem`.'),
  reviewer: string(REVIEWER),
});
type ReleaseReviewInput = InstanceType<typeof ReleaseReviewInput>;

const SubmitReviewInput = inputType(
  'SubmitReviewInput',
  'What a reviewer says: of an answer a score, a comment or what is right; of a pair which is better; of labels whether they have moved.',
  {
    item: id('The `ReviewItem`.'),
    reviewer: string(REVIEWER),
    score: float('From -1 (wrong, useless) to 1 (right, useful).').nullish(),
    comment: string('Why, at most 4,000 characters.').nullish(),
    expectation: ofType(() => ExpectationInputType, 'What is right.').nullish(),
    preferred: oneOf(Preferred, 'With a pair: which is better.').nullish(),
    confirmed: boolean(
      'With `LABEL_MOVED`: whether the labels have moved, so that their older rows go along, those for testing too.',
    ).nullish(),
  },
);
type SubmitReviewInput = InstanceType<typeof SubmitReviewInput>;

const ReviewLock = objectType('ReviewLock', 'Who looks at an item at the moment.', {
  reviewer: string('Name of the reviewer.'),
  until: date('When others may have their place.'),
});
type ReviewLock = InstanceType<typeof ReviewLock>;

const BlindAnswer = objectType('BlindAnswer', 'One of two answers, without anything that tells what made it.', {
  text: string('What was answered.'),
  abstained: boolean('Whether no answer was given.'),
});
type BlindAnswer = InstanceType<typeof BlindAnswer>;

const ReviewItem = objectType(
  'ReviewItem',
  'An answer, or two of the same question, that reviewers shall look at.',
  {
    reason: oneOf(ReviewReason, 'Why.'),
    wanted: int('How many reviewers shall look at it.'),
    done: int('How many did.'),
    createdAt: date('When it came into the queue.'),
    moves: list(movedLabel, 'Labels that would move together, with `LABEL_MOVED`; else empty.'),
    row: z.custom<ReviewItemRecord>(),
  },
  NodeType,
);
type ReviewItem = InstanceType<typeof ReviewItem>;

export const { Connection: ReviewItemConnection } = connectionTypes(ReviewItem);

const toItem = (row: ReviewItemRecord): ReviewItem => nodeOf(ReviewItem, row);

const ClaimReviewPayload = objectType('ClaimReviewPayload', 'What `claimReview` found.', {
  item: ofType(() => ReviewItem, 'What to look at; null where nothing is left for the reviewer.').nullable(),
  left: int('How many items are left for them, this one among them.'),
});
type ClaimReviewPayload = InstanceType<typeof ClaimReviewPayload>;

const SubmitReviewPayload = objectType('SubmitReviewPayload', 'What `submitReview` did.', {
  item: ofType(() => ReviewItem, 'The item.'),
});
type SubmitReviewPayload = InstanceType<typeof SubmitReviewPayload>;

const ReleaseReviewPayload = objectType('ReleaseReviewPayload', 'What `releaseReview` did.', {
  released: boolean('Whether the reviewer had the item.'),
});
type ReleaseReviewPayload = InstanceType<typeof ReleaseReviewPayload>;

const Preference = objectType(
  'Preference',
  'Which of two answers to a question a reviewer found better, without knowing what made them.',
  {
    reviewer: string('Name of the reviewer.'),
    tie: boolean('Whether neither is better: then `chosen` and `rejected` are in any order.'),
    at: date('When it was said.'),
    chosenId: z.string(),
    rejectedId: z.string(),
    cursor: z.string(),
  },
);
type Preference = InstanceType<typeof Preference>;

export const { Connection: PreferenceConnection } = connectionTypes(Preference);

const toPreference = ({ itemId, reviewer, firstId, secondId, preferredId, at }: PreferenceRecord): Preference => ({
  reviewer,
  at,
  tie: preferredId === null,
  cursor: encodeCursor([itemId, reviewer]),
  chosenId: preferredId ?? firstId,
  rejectedId: preferredId === firstId || preferredId === null ? secondId : firstId,
});

const itemId = (id: string, field: string): string => fromGlobalId(id, 'ReviewItem', field);

interface ReviewResolverParts {
  desk: ReviewDesk;
  adapters: Pick<AdapterRegistry, 'resolve'>;
}

@Resolver()
export class ReviewResolver {
  constructor(private readonly parts: ReviewResolverParts) {}

  @Needs('EDIT')
  @Mutation(() => QueueReviewsPayload, {
    description: 'Puts answers into the queue of what people shall look at; each stands in it once.',
    complexity: cost(50),
  })
  async queueReviews(
    @Arg('input', () => QueueReviewsInput, { description: 'Which answers, for how many reviewers.' })
    { answers, pairs, filter, draw, ...input }: QueueReviewsInput,
    @Ctx() context: GraphContext,
  ): Promise<QueueReviewsPayload> {
    const answerId = (id: string, field: string) => fromGlobalId(id, 'Answer', field);
    const queued = await this.parts.desk.queue(context, {
      ...input,
      answers: answers.map((id, i) => answerId(id, `input.answers.${i}`)),
      pairs: pairs.map(({ first, second }, i) => ({
        first: answerId(first, `input.pairs.${i}.first`),
        second: answerId(second, `input.pairs.${i}.second`),
      })),
      filter: filter ? toFilter(filter, 'input.filter') : null,
      draw: draw && { scope: await toScope(this.parts.adapters, context, draw, 'input.draw.'), most: draw.most },
    });
    return queued;
  }

  @Needs('EDIT')
  @Query(() => ReviewItemConnection, {
    description: 'What a reviewer may still look at, longest waiting first; nothing is claimed.',
    complexity: cost(5),
  })
  async reviewQueue(
    @Arg('reviewer', () => String, { description: REVIEWER }) reviewer: string,
    @Arg('reason', () => ReviewReason, { nullable: true, description: 'Only items of this reason.' })
    reason: ReviewReason | null,
    @Ctx() context: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
  ): Promise<ConnectionOf<ReviewItem>> {
    const page = args.request();
    const items = await this.parts.desk.open(context, { reviewer, reason: reason ?? null }, page);
    return toConnection(mapPage(items, toItem), ({ row }) => encodeCursor([row.id]), page.after);
  }

  @Needs('EDIT')
  @Mutation(() => ClaimReviewPayload, {
    description: `Gives a reviewer something to look at and keeps it from others for ${LOCK_MINUTES} minutes.`,
    complexity: cost(10),
  })
  async claimReview(
    @Arg('input', () => ClaimReviewInput, { description: 'Who wants something to review.' })
    { reviewer, item, reason = null, skip }: ClaimReviewInput,
    @Ctx() context: GraphContext,
  ): Promise<ClaimReviewPayload> {
    const { desk } = this.parts;
    const claimed = await desk.claim(context, {
      reviewer,
      reason,
      itemId: item ? itemId(item, 'input.item') : null,
      skip: skip.map((id, i) => itemId(id, `input.skip.${i}`)),
    });
    return {
      item: claimed && toItem(claimed),
      left: await desk.left(context, { reviewer, reason }),
    };
  }

  @Needs('EDIT')
  @Mutation(() => SubmitReviewPayload, {
    description: 'Takes what a reviewer says of an item: feedback of a person, or a preference.',
    complexity: cost(10),
  })
  async submitReview(
    @Arg('input', () => SubmitReviewInput, { description: 'Who says what of which item.' })
    {
      item,
      reviewer,
      score = null,
      comment = null,
      expectation,
      preferred = null,
      confirmed = null,
    }: SubmitReviewInput,
    @Ctx() context: GraphContext,
  ): Promise<SubmitReviewPayload> {
    const submitted = await this.parts.desk.submit(context.caller, {
      itemId: itemId(item, 'input.item'),
      reviewer,
      score,
      comment,
      preferred,
      confirmed,
      expectation: expectation ? toExpectation(expectation, 'input.expectation') : null,
    });
    return { item: toItem(submitted.item) };
  }

  @Needs('EDIT')
  @Mutation(() => ReleaseReviewPayload, {
    description: 'Lets go of an item, so that others may have it at once.',
    complexity: cost(5),
  })
  async releaseReview(
    @Arg('input', () => ReleaseReviewInput, { description: 'Who lets go of what.' }) input: ReleaseReviewInput,
    @Ctx() context: GraphContext,
  ): Promise<ReleaseReviewPayload> {
    const released = await this.parts.desk.release(context, itemId(input.item, 'input.item'), input.reviewer);
    return { released };
  }

  @Needs('EDIT')
  @Query(() => PreferenceConnection, {
    description: 'What reviewers preferred of pairs, newest pair first: rows to learn preferences from.',
    complexity: cost(5),
  })
  async preferences(
    @Ctx() context: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
  ): Promise<ConnectionOf<Preference>> {
    const page = args.request();
    const results = await this.parts.desk.preferences(context, page);
    return toConnection(mapPage(results, toPreference), ({ cursor }) => cursor, page.after);
  }
}

/** An item by row id, batched over the request; null where the workspace has none. */
async function loadItem(context: GraphContext, desk: ReviewDesk, id: string): Promise<ReviewItem | null> {
  const loader = context.loader<string, ReviewItemRecord>('review.itemsById', (ids) => desk.byIds(context, ids));
  const record = await loader.load(id);
  return record && toItem(record);
}

export function registerReviewNode(nodes: NodeRegistry, desk: ReviewDesk): void {
  nodes.register('ReviewItem', (context, id) => loadItem(context, desk, id));
}

@Resolver(() => ReviewItem)
export class ReviewItemResolver {
  constructor(
    private readonly parts: ReviewResolverParts & { feedback: FeedbackService; asking: AskService; data: Data },
  ) {}

  @FieldResolver(() => AnswerType, {
    nullable: true,
    description: 'The answer; null with a pair, of which nothing tells what made it.',
    complexity: cost(2),
  })
  async answer(@Root() { row }: ReviewItem, @Ctx() context: GraphContext): Promise<AnswerType | null> {
    return row.otherId === null ? loadAnswer(context, this.parts.asking, row.answerId) : null;
  }

  @FieldResolver(() => Dataset, {
    nullable: true,
    description: 'Whose labels would move, with `LABEL_MOVED`.',
    complexity: cost(2),
  })
  async dataset(@Root() { row }: ReviewItem, @Ctx() context: GraphContext): Promise<Dataset | null> {
    return loadDataset(context, this.parts.data, row.datasetId);
  }

  @FieldResolver(() => String, { description: 'What was asked.', complexity: cost(2) })
  async question(@Root() { row }: ReviewItem, @Ctx() context: GraphContext): Promise<string> {
    return (await loadAnswer(context, this.parts.asking, row.answerId))?.question ?? '';
  }

  @FieldResolver(() => [BlindAnswer], {
    description: 'With a pair: both answers, in an order that is drawn for each reviewer; else empty.',
    complexity: ({ childComplexity }) => 4 + 2 * childComplexity,
  })
  async pair(
    @Root() { row }: ReviewItem,
    @Arg('reviewer', () => String, { description: REVIEWER }) reviewer: string,
    @Ctx() context: GraphContext,
  ): Promise<BlindAnswer[]> {
    if (row.otherId === null) return [];
    const answers = await Promise.all(orderFor(row, reviewer).map((id) => loadAnswer(context, this.parts.asking, id)));
    return answers.flatMap((answer) => (answer ? [{ text: answer.text, abstained: answer.abstained }] : []));
  }

  @FieldResolver(() => [ReviewLock], {
    description: 'Who looks at it at the moment.',
    complexity: ({ childComplexity }) => 2 + 2 * childComplexity,
  })
  async locks(@Root() item: ReviewItem, @Ctx() context: GraphContext): Promise<ReviewLock[]> {
    return (await this.#reviews(item, context)).flatMap(({ reviewer, doneAt, lockedUntil }) =>
      doneAt === null && lockedUntil !== null ? [{ reviewer, until: lockedUntil }] : [],
    );
  }

  @FieldResolver(() => [Feedback], {
    description: 'What reviewers said of it here; empty with a pair.',
    complexity: ({ childComplexity }) => 5 + 5 * childComplexity,
  })
  async reviews(@Root() item: ReviewItem, @Ctx() context: GraphContext): Promise<Feedback[]> {
    const ids = (await this.#reviews(item, context)).flatMap(({ feedbackIds }) => feedbackIds);
    const entries = await Promise.all(ids.map((id) => loadFeedback(context, this.parts.feedback, id)));
    return entries.flatMap((entry) => entry ?? []);
  }

  @FieldResolver(() => Float, {
    nullable: true,
    description:
      'Share of the pairs of reviewers who say the same, 0 to 1: what is right, or which answer is better. Null before the second.',
    complexity: cost(5),
  })
  async agreement(@Root() item: ReviewItem, @Ctx() context: GraphContext): Promise<number | null> {
    const finishedReviews = (await this.#reviews(item, context)).filter(({ doneAt }) => doneAt !== null);
    if (item.row.otherId !== null)
      return pairwiseAgreement(finishedReviews.map(({ preferredId }) => preferredId ?? 'TIE'));
    const verdicts = await Promise.all(
      finishedReviews.map(async ({ feedbackIds }) => {
        // The last is what they expect, which says more than how they judge.
        const last = feedbackIds.at(-1);
        const feedback = last === undefined ? null : await loadFeedback(context, this.parts.feedback, last);
        return feedback?.verdict ?? null;
      }),
    );
    return pairwiseAgreement(verdicts.filter((verdict) => verdict !== null));
  }

  async #reviews({ row }: ReviewItem, context: GraphContext): Promise<ReviewRecord[]> {
    const loader = context.loader<string, ReviewRecord[]>('review.ofItems', (ids) => this.parts.desk.reviewsOf(ids));
    return (await loader.load(row.id)) ?? [];
  }
}

@Resolver(() => Preference)
export class PreferenceResolver {
  constructor(private readonly parts: { asking: AskService }) {}

  @FieldResolver(() => AnswerType, { nullable: true, description: 'The better answer.', complexity: cost(2) })
  chosen(@Root() { chosenId }: Preference, @Ctx() context: GraphContext): Promise<AnswerType | null> {
    return loadAnswer(context, this.parts.asking, chosenId);
  }

  @FieldResolver(() => AnswerType, { nullable: true, description: 'The other one.', complexity: cost(2) })
  rejected(@Root() { rejectedId }: Preference, @Ctx() context: GraphContext): Promise<AnswerType | null> {
    return loadAnswer(context, this.parts.asking, rejectedId);
  }
}
