import { Arg, Args, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { AnswerType, loadAnswer, type AskService } from '../../answer/ask/index.js';
import {
  ConnectionArgs,
  cost,
  fieldsOf,
  fromGlobalId,
  mapPage,
  Needs,
  toConnection,
  toOne,
  type ConnectionOf,
  type GraphContext,
  type NodeRegistry,
  ofType,
  objectType,
  listOf,
  inputType,
} from '../../kit/graphql/index.js';
import { encodeCursor } from '../../kernel/pagination.js';
import { boolean, int, oneOf, string, id } from '../../kernel/record.js';
import { Chunk, loadChunk, type KnowledgeStores } from '../../sources/knowledge/index.js';
import { FeedbackKind, SourceKind, type Feedback as FeedbackRecord } from './feedback.js';
import { SubmitFeedbackBatchInput, SubmitFeedbackInput, toFeedbackInput } from './feedback-inputs.js';
import type { FeedbackService } from './feedback-service.js';
import type { FeedbackFilter } from './feedback-store.js';
import {
  Expectation,
  ExpectedText,
  Feedback,
  FeedbackConnection,
  FeedbackReport,
  toExpectationType,
  toFeedback,
  WeighedFeedbackSource,
} from './feedback-types.js';

const SubmitFeedbackPayload = objectType('SubmitFeedbackPayload', 'What `submitFeedback` did.', {
  feedback: ofType(() => Feedback, 'The feedback, as it stands.'),
  created: boolean('False where the source had said the same before.'),
});
type SubmitFeedbackPayload = InstanceType<typeof SubmitFeedbackPayload>;

const SubmitFeedbackBatchPayload = objectType('SubmitFeedbackBatchPayload', 'What `submitFeedbackBatch` did.', {
  feedback: listOf(() => Feedback, 'The feedback, in the order of the input.'),
  created: int('How much of it is new; the rest had been said before.'),
});
type SubmitFeedbackBatchPayload = InstanceType<typeof SubmitFeedbackBatchPayload>;

const FeedbackFilterInput = inputType('FeedbackFilter', 'Which feedback to list; conditions add up.', {
  kind: oneOf(FeedbackKind, 'Only judgements, or only right answers.').nullish(),
  sourceKind: oneOf(SourceKind, 'Only that of people, of models or of programs.').nullish(),
  sourceName: string('Only that of sources of this name.').nullish(),
  answer: id('Only that on this answer.').nullish(),
  conversationId: id('Only that on this conversation as a whole.').nullish(),
  standing: boolean('Only what stands (true), or what was replaced (false).').nullish(),
  late: boolean('Only what came late (true), or in time (false).').nullish(),
});
type FeedbackFilterInput = InstanceType<typeof FeedbackFilterInput>;

interface FeedbackResolverParts {
  feedback: FeedbackService;
}

@Resolver()
export class FeedbackResolver {
  constructor(private readonly parts: FeedbackResolverParts) {}

  @Needs('ASK')
  @Mutation(() => SubmitFeedbackPayload, {
    description:
      'Records what a source says of an answer or a conversation. What it says anew replaces what it said before, which is kept: `Feedback.overrides`.',
    complexity: cost(10),
  })
  async submitFeedback(
    @Arg('input', () => SubmitFeedbackInput, { description: 'Who says what of which answer.' })
    input: SubmitFeedbackInput,
    @Ctx() context: GraphContext,
  ): Promise<SubmitFeedbackPayload> {
    const entry = toFeedbackInput(input, 'input');
    const { feedback, created } = await this.parts.feedback.submit(context.caller, [entry], () => 'input');
    return { feedback: toFeedback(feedback[0]!), created: created === 1 };
  }

  @Needs('EDIT')
  @Mutation(() => SubmitFeedbackBatchPayload, {
    description: 'The same for up to 1,000 at once: all of it is recorded, or none.',
    complexity: ({ childComplexity }) => 200 + 10 * childComplexity,
  })
  async submitFeedbackBatch(
    @Arg('input', () => SubmitFeedbackBatchInput, { description: 'The feedback.' }) input: SubmitFeedbackBatchInput,
    @Ctx() context: GraphContext,
  ): Promise<SubmitFeedbackBatchPayload> {
    const entries = input.feedback.map((entry, i) => toFeedbackInput(entry, `input.feedback.${i}`));
    const { feedback, created } = await this.parts.feedback.submit(context.caller, entries);
    return { feedback: feedback.map(toFeedback), created };
  }

  @Needs('EDIT')
  @Query(() => FeedbackConnection, { description: 'Feedback, newest first.', complexity: cost(5) })
  async feedback(
    @Arg('filter', () => FeedbackFilterInput, { nullable: true, description: 'Which; all by default.' })
    filter: FeedbackFilterInput | null,
    @Ctx() context: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
  ): Promise<ConnectionOf<Feedback>> {
    const page = args.request();
    const results = await this.parts.feedback.list(context, toFilter(filter ?? {}), page);
    return toConnection(mapPage(results, toFeedback), ({ row }) => encodeCursor([row.id]), page.after);
  }

  @Needs('EDIT')
  @Query(() => FeedbackReport, {
    description: 'How much feedback there is, and whether those who give it agree.',
    complexity: cost(20),
  })
  feedbackReport(@Ctx() context: GraphContext): Promise<FeedbackReport> {
    return this.parts.feedback.report(context);
  }

  @Needs('EDIT')
  @Query(() => [WeighedFeedbackSource], {
    description: 'At most 1,000 sources of feedback, those first that gave most, and what the verdicts of each count.',
    complexity: ({ childComplexity }) => 20 + 20 * childComplexity,
  })
  async feedbackSources(@Ctx() context: GraphContext): Promise<WeighedFeedbackSource[]> {
    return (await this.parts.feedback.sources(context)).map((source) => ({ ...source, givenBy: source.givenByName }));
  }
}

const toFilter = ({ answer, ...filter }: FeedbackFilterInput): FeedbackFilter => ({
  ...filter,
  answerId: answer ? fromGlobalId(answer, 'Answer', 'filter.answer') : null,
});

/** Feedback by row id, batched over the request; null where the workspace has none. */
export async function loadFeedback(
  context: GraphContext,
  service: FeedbackService,
  id: string,
): Promise<Feedback | null> {
  const loader = context.loader<string, FeedbackRecord>('feedback.byId', (ids) => service.byIds(context, ids));
  const record = await loader.load(id);
  return record && toFeedback(record);
}

export function registerFeedbackNode(nodes: NodeRegistry, service: FeedbackService): void {
  nodes.register('Feedback', (context, id) => loadFeedback(context, service, id));
}

@Resolver(() => Feedback)
export class FeedbackEdgesResolver {
  constructor(private readonly parts: FeedbackResolverParts & { asking: AskService }) {}

  @FieldResolver(() => AnswerType, {
    nullable: true,
    description: 'The answer that it is on; null where it is on a conversation.',
    complexity: cost(2),
  })
  async answer(@Root() { answerId }: Feedback, @Ctx() context: GraphContext): Promise<AnswerType | null> {
    return answerId === null ? null : loadAnswer(context, this.parts.asking, answerId);
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'Why; null where nothing was said, what was said is erased, or its answer is not for you to see.',
  })
  async comment(@Root() feedback: Feedback, @Ctx() context: GraphContext): Promise<string | null> {
    return (await this.#mayRead(feedback, context)) ? feedback.row.comment : null;
  }

  @FieldResolver(() => Expectation, {
    nullable: true,
    description:
      'What the right answer is; null with `FEEDBACK`, where it is erased, or its answer is not for you to see.',
  })
  async expectation(@Root() feedback: Feedback, @Ctx() context: GraphContext): Promise<typeof Expectation | null> {
    const { expectation } = feedback.row;
    return expectation && (await this.#mayRead(feedback, context)) ? toExpectationType(expectation) : null;
  }

  /** What is said of an answer tells what it was about: it is read with it. */
  async #mayRead({ answerId }: Feedback, context: GraphContext): Promise<boolean> {
    if (answerId === null || context.caller.groups === null) return true;
    return (await loadAnswer(context, this.parts.asking, answerId)) !== null;
  }

  @FieldResolver(() => Feedback, {
    nullable: true,
    description: 'What the same source had said before; null where it had said nothing, or that is deleted.',
    complexity: cost(2),
  })
  async overrides(@Root() { overridesId }: Feedback, @Ctx() context: GraphContext): Promise<Feedback | null> {
    return overridesId === null ? null : loadFeedback(context, this.parts.feedback, overridesId);
  }
}

export const ExpectedTextResolver = fieldsOf<ExpectedText, { stores: KnowledgeStores }>(() => ExpectedText, {
  passage: toOne(
    () => Chunk,
    'The passage that holds the answer; null where none was named, or its document has changed or gone.',
    ({ passageId }, context, { stores }) => (passageId === null ? null : loadChunk(context, stores, passageId)),
  ),
});

@Resolver(() => AnswerType)
export class AnswerFeedbackResolver {
  constructor(private readonly parts: FeedbackResolverParts) {}

  @Needs('EDIT')
  @FieldResolver(() => [Feedback], {
    description: 'Feedback on it that stands, newest first, at most 100.',
    complexity: ({ childComplexity }) => 5 + 5 * childComplexity,
  })
  async feedback(@Root() { row }: AnswerType, @Ctx() context: GraphContext): Promise<Feedback[]> {
    const loader = context.loader<string, FeedbackRecord[]>('feedback.ofAnswers', (ids) =>
      this.parts.feedback.ofAnswers(context, ids),
    );
    return ((await loader.load(row.id)) ?? []).map(toFeedback);
  }
}
