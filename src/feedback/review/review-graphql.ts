import {
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
  Float,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  registerEnumType,
  Resolver,
  Root,
} from 'type-graphql';
import { AnswerFilterInput, AnswerType, loadAnswer, toFilter, type AskService } from '../../ask/index.js';
import { Dataset, loadDataset, type Data } from '../../data/index.js';
import {
  connectionTypes,
  ConnectionArgs,
  cost,
  DateTime,
  fromGlobalId,
  make,
  mapPage,
  MaxItems,
  Needs,
  NodeType,
  recordType,
  toConnection,
  toGlobalId,
  type ConnectionOf,
  type GraphContext,
  type NodeRegistry,
} from '../../graphql-kit/index.js';
import { encodeCursor } from '../../kernel/pagination.js';
import { pairwiseAgreement } from '../agreement.js';
import { movedLabel, type MovedLabel } from '../curation/moved-labels.js';
import { loadFeedback } from '../feedback-graphql.js';
import { ExpectationInputType, toExpectation } from '../feedback-inputs.js';
import type { FeedbackService } from '../feedback-service.js';
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

registerEnumType(ReviewReason, {
  name: 'ReviewReason',
  description: 'Why somebody should look at an answer.',
  valuesConfig: {
    UNREVIEWED: { description: 'Nobody said anything of it.' },
    UNCERTAIN: { description: 'It is unsure of itself.' },
    DISAGREES: { description: 'Feedback says that it is wrong, or contradicts other feedback.' },
    SAMPLED: { description: 'A sample drew it.' },
    CHOSEN: { description: 'Somebody put it into the queue, or a filter without any of these reasons.' },
    PAIR: { description: 'It is one of two answers to the same question: which is better?' },
    LABEL_MOVED: {
      description: 'It is one of several whose lessons say that a label means something else now: is that so?',
    },
  },
});

registerEnumType(Preferred, {
  name: 'PreferredAnswer',
  description: 'Which of two answers is better, in the order in which the reviewer sees them.',
  valuesConfig: {
    FIRST: { description: 'The first.' },
    SECOND: { description: 'The second.' },
    TIE: { description: 'Neither.' },
  },
});

const MovedLabelType = recordType(movedLabel);

const REVIEWER = `Name of the reviewer, 1 to ${REVIEW_LIMITS.reviewer} characters; their feedback is that of a person of this name.`;

@InputType({ description: 'Two answers to the same question, e.g. of `answerAll`.' })
export class ReviewPairInput {
  @Field(() => ID, { description: 'One answer.' })
  first!: string;

  @Field(() => ID, { description: 'The other.' })
  second!: string;
}

@InputType({ description: 'What shall be reviewed: answers, pairs, those that a filter finds, or all of these.' })
export class QueueReviewsInput {
  @Field(() => [ID], { defaultValue: [], description: 'Answers; with `pairs` at most 100.' })
  answers!: string[];

  @Field(() => [ReviewPairInput], { defaultValue: [], description: 'Pairs, shown blind; with `answers` at most 100.' })
  pairs!: ReviewPairInput[];

  @Field(() => AnswerFilterInput, { nullable: true, description: 'Answers that it finds, the newest first.' })
  filter?: AnswerFilterInput | null;

  @Field(() => Int, { defaultValue: 100, description: 'Most answers that the filter adds, 1 to 1,000.' })
  most!: number;

  @Field(() => Int, { defaultValue: 1, description: 'How many reviewers shall look at each, 1 to 9.' })
  reviewers!: number;
}

@ObjectType({ description: 'What `queueReviews` did.' })
export class QueueReviewsPayload {
  @Field(() => Int, { description: 'How many are new in the queue.' })
  queued!: number;

  @Field(() => Int, { description: 'How many were in it before, or have been reviewed: they stay as they are.' })
  known!: number;
}

@InputType({ description: 'Who wants something to review.' })
export class ClaimReviewInput {
  @Field(() => String, { description: REVIEWER })
  reviewer!: string;

  @Field(() => ID, {
    nullable: true,
    description: 'The `ReviewItem` that is wanted; by default what has waited longest.',
  })
  item?: string | null;

  @Field(() => ReviewReason, { nullable: true, description: 'Only items of this reason.' })
  reason?: ReviewReason | null;

  @MaxItems(REVIEW_LIMITS.skipped)
  @Field(() => [ID], {
    defaultValue: [],
    description: `At most ${REVIEW_LIMITS.skipped} items that are not wanted now.`,
  })
  skip!: string[];
}

@InputType({ description: 'Who lets go of what.' })
export class ReleaseReviewInput {
  @Field(() => ID, { description: 'The `ReviewItem`.' })
  item!: string;

  @Field(() => String, { description: REVIEWER })
  reviewer!: string;
}

@InputType({
  description:
    'What a reviewer says: of an answer a score, a comment or what is right; of a pair which is better; of labels whether they have moved.',
})
export class SubmitReviewInput {
  @Field(() => ID, { description: 'The `ReviewItem`.' })
  item!: string;

  @Field(() => String, { description: REVIEWER })
  reviewer!: string;

  @Field(() => Float, { nullable: true, description: 'From -1 (wrong, useless) to 1 (right, useful).' })
  score?: number | null;

  @Field(() => String, { nullable: true, description: 'Why, at most 4,000 characters.' })
  comment?: string | null;

  @Field(() => ExpectationInputType, { nullable: true, description: 'What is right.' })
  expectation?: ExpectationInputType | null;

  @Field(() => Preferred, { nullable: true, description: 'With a pair: which is better.' })
  preferred?: Preferred | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'With `LABEL_MOVED`: whether the labels have moved, so that their older rows go along, those for testing too.',
  })
  confirmed?: boolean | null;
}

@ObjectType({ description: 'Who looks at an item at the moment.' })
export class ReviewLock {
  @Field(() => String, { description: 'Name of the reviewer.' })
  reviewer!: string;

  @Field(() => DateTime, { description: 'When others may have their place.' })
  until!: Date;
}

@ObjectType({ description: 'One of two answers, without anything that tells what made it.' })
export class BlindAnswer {
  @Field(() => String, { description: 'What was answered.' })
  text!: string;

  @Field(() => Boolean, { description: 'Whether no answer was given.' })
  abstained!: boolean;
}

@ObjectType({
  implements: NodeType,
  description: 'An answer, or two of the same question, that reviewers shall look at.',
})
export class ReviewItem extends NodeType {
  @Field(() => ReviewReason, { description: 'Why.' })
  reason!: ReviewReason;

  @Field(() => Int, { description: 'How many reviewers shall look at it.' })
  wanted!: number;

  @Field(() => Int, { description: 'How many did.' })
  done!: number;

  @Field(() => DateTime, { description: 'When it came into the queue.' })
  createdAt!: Date;

  @Field(() => [MovedLabelType], {
    description: 'Labels that would move together, with `LABEL_MOVED`; else empty.',
  })
  moves!: MovedLabel[];

  record!: ReviewItemRecord;
}

export const { Connection: ReviewItemConnection } = connectionTypes(ReviewItem);

const toItem = (record: ReviewItemRecord): ReviewItem =>
  make(ReviewItem, {
    id: toGlobalId('ReviewItem', record.id),
    reason: record.reason,
    wanted: record.wanted,
    done: record.done,
    createdAt: record.createdAt,
    moves: record.moves,
    record,
  });

@ObjectType({ description: 'What `claimReview` found.' })
export class ClaimReviewPayload {
  @Field(() => ReviewItem, {
    nullable: true,
    description: 'What to look at; null where nothing is left for the reviewer.',
  })
  item!: ReviewItem | null;

  @Field(() => Int, { description: 'How many items are left for them, this one among them.' })
  left!: number;
}

@ObjectType({ description: 'What `submitReview` did.' })
export class SubmitReviewPayload {
  @Field(() => ReviewItem, { description: 'The item.' })
  item!: ReviewItem;
}

@ObjectType({ description: 'What `releaseReview` did.' })
export class ReleaseReviewPayload {
  @Field(() => Boolean, { description: 'Whether the reviewer had the item.' })
  released!: boolean;
}

@ObjectType({
  description: 'Which of two answers to a question a reviewer found better, without knowing what made them.',
})
export class Preference {
  @Field(() => String, { description: 'Name of the reviewer.' })
  reviewer!: string;

  @Field(() => Boolean, { description: 'Whether neither is better: then `chosen` and `rejected` are in any order.' })
  tie!: boolean;

  @Field(() => DateTime, { description: 'When it was said.' })
  at!: Date;

  chosenId!: string;
  rejectedId!: string;
  cursor!: string;
}

export const { Connection: PreferenceConnection } = connectionTypes(Preference);

const toPreference = ({ itemId, reviewer, firstId, secondId, preferredId, at }: PreferenceRecord): Preference =>
  make(Preference, {
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
    { answers, pairs, filter, ...input }: QueueReviewsInput,
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
    });
    return make(QueueReviewsPayload, queued);
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
    return toConnection(mapPage(items, toItem), ({ record }) => encodeCursor([record.id]), page.after);
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
    return make(ClaimReviewPayload, {
      item: claimed && toItem(claimed),
      left: await desk.left(context, { reviewer, reason }),
    });
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
    return make(SubmitReviewPayload, { item: toItem(submitted.item) });
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
    return make(ReleaseReviewPayload, { released });
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
    const found = await this.parts.desk.preferences(context, page);
    return toConnection(mapPage(found, toPreference), ({ cursor }) => cursor, page.after);
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
  async answer(@Root() { record }: ReviewItem, @Ctx() context: GraphContext): Promise<AnswerType | null> {
    return record.otherId === null ? loadAnswer(context, this.parts.asking, record.answerId) : null;
  }

  @FieldResolver(() => Dataset, {
    nullable: true,
    description: 'Whose labels would move, with `LABEL_MOVED`.',
    complexity: cost(2),
  })
  async dataset(@Root() { record }: ReviewItem, @Ctx() context: GraphContext): Promise<Dataset | null> {
    return record.datasetId === null ? null : loadDataset(context, this.parts.data, record.datasetId);
  }

  @FieldResolver(() => String, { description: 'What was asked.', complexity: cost(2) })
  async question(@Root() { record }: ReviewItem, @Ctx() context: GraphContext): Promise<string> {
    return (await loadAnswer(context, this.parts.asking, record.answerId))?.question ?? '';
  }

  @FieldResolver(() => [BlindAnswer], {
    description: 'With a pair: both answers, in an order that is drawn for each reviewer; else empty.',
    complexity: ({ childComplexity }) => 4 + 2 * childComplexity,
  })
  async pair(
    @Root() { record }: ReviewItem,
    @Arg('reviewer', () => String, { description: REVIEWER }) reviewer: string,
    @Ctx() context: GraphContext,
  ): Promise<BlindAnswer[]> {
    if (record.otherId === null) return [];
    const answers = await Promise.all(
      orderFor(record, reviewer).map((id) => loadAnswer(context, this.parts.asking, id)),
    );
    return answers.flatMap((answer) =>
      answer ? [make(BlindAnswer, { text: answer.text, abstained: answer.abstained })] : [],
    );
  }

  @FieldResolver(() => [ReviewLock], {
    description: 'Who looks at it at the moment.',
    complexity: ({ childComplexity }) => 2 + 2 * childComplexity,
  })
  async locks(@Root() item: ReviewItem, @Ctx() context: GraphContext): Promise<ReviewLock[]> {
    return (await this.#reviews(item, context)).flatMap(({ reviewer, doneAt, lockedUntil }) =>
      doneAt === null && lockedUntil !== null ? [make(ReviewLock, { reviewer, until: lockedUntil })] : [],
    );
  }

  @FieldResolver(() => [Feedback], {
    description: 'What reviewers said of it here; empty with a pair.',
    complexity: ({ childComplexity }) => 5 + 5 * childComplexity,
  })
  async reviews(@Root() item: ReviewItem, @Ctx() context: GraphContext): Promise<Feedback[]> {
    const ids = (await this.#reviews(item, context)).flatMap(({ feedbackIds }) => feedbackIds);
    const found = await Promise.all(ids.map((id) => loadFeedback(context, this.parts.feedback, id)));
    return found.flatMap((each) => each ?? []);
  }

  @FieldResolver(() => Float, {
    nullable: true,
    description:
      'Share of the pairs of reviewers who say the same, 0 to 1: what is right, or which answer is better. Null before the second.',
    complexity: cost(5),
  })
  async agreement(@Root() item: ReviewItem, @Ctx() context: GraphContext): Promise<number | null> {
    const done = (await this.#reviews(item, context)).filter(({ doneAt }) => doneAt !== null);
    if (item.record.otherId !== null) return pairwiseAgreement(done.map(({ preferredId }) => preferredId ?? 'TIE'));
    const verdicts = await Promise.all(
      done.map(async ({ feedbackIds }) => {
        // The last is what they expect, which says more than how they judge.
        const last = feedbackIds.at(-1);
        const said = last === undefined ? null : await loadFeedback(context, this.parts.feedback, last);
        return said?.verdict ?? null;
      }),
    );
    return pairwiseAgreement(verdicts.filter((verdict) => verdict !== null));
  }

  async #reviews({ record }: ReviewItem, context: GraphContext): Promise<ReviewRecord[]> {
    const loader = context.loader<string, ReviewRecord[]>('review.ofItems', (ids) => this.parts.desk.reviewsOf(ids));
    return (await loader.load(record.id)) ?? [];
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
