import { Arg, Args, Ctx, ID, Mutation, Query, registerEnumType, Resolver, Root, Subscription } from 'type-graphql';
import { z } from 'zod';
import {
  ANSWERS_TOGETHER,
  SpendsBudget,
  Needs,
  connectionTypes,
  ConnectionArgs,
  cost,
  fromGlobalId,
  mapPage,
  subscribeWith,
  toConnection,
  type ConnectionOf,
  type GraphContext,
  type NodeRegistry,
  type SubscriptionRequest,
  inputType,
  ofType,
} from '../../../kit/graphql/index.js';
import { PreprocessingStep, TaskKind } from '../../../sources/data/index.js';
import { encodeCursor, type PageRequest } from '../../../kernel/pagination.js';
import { boolean, int, float, string, list, id, oneOf } from '../../../kernel/record.js';
import { Answer, toAnswer } from './answer-graphql.js';
import type { Answer as AnswerRecord } from '../answer.js';
import { STRATEGIES, StrategyChoice } from '../strategies.js';
import type { AskService } from '../ask-service.js';
import type { BaseAnswers } from '../route/base-answers.js';
import { AskEvent, toEvent } from './ask-events-graphql.js';
import type { AskEvent as AskEventRecord } from '../events.js';
import { AnswerFilterInput, toFilter } from './answer-filter-graphql.js';
import { LEAST_PROBABILITY } from '../abstention.js';
import { OWN_REFUSED } from '../route/membership/foreign.js';
import { WordingChoice } from '../../../sources/registry/index.js';
import { checkQuestionLength, DEFAULT_ANSWER_TOKENS, MAX_ANSWER_TOKENS, MAX_QUESTION_CHARACTERS } from '../question.js';

registerEnumType(StrategyChoice, {
  name: 'StrategyChoice',
  description: 'What a question is to be answered with.',
  valuesConfig: {
    AUTO: {
      description:
        'Graft chooses: the router where one was fitted and applies (`fitRouter`), else RAG where there is a passage to read and BASE where there is none.',
    },
    ...Object.fromEntries(Object.entries(STRATEGIES).map(([name, { asked }]) => [name, { description: asked }])),
  },
});

const GenerationInput = inputType('GenerationInput', 'How the model writes.', {
  maxTokens: int(
    `Most tokens of an answer, of a translation for each sentence, 1 to ${MAX_ANSWER_TOKENS}; entities are always looked for in the whole text.`,
  ).default(DEFAULT_ANSWER_TOKENS),
  temperature: float(
    'How far it strays from the likeliest words: 0 (never) to 2. At 0 the same question of the same model, adapter and documents has the same ' +
      'answer; with weights in F16 or F32, or on a GPU, words that are almost equally likely can differ.',
  ).default(0),
  seed: float(
    'With a temperature above 0: the same seed writes the same text. 0 to 4294967295; random by default.',
  ).nullish(),
});

const AskInput = inputType('AskInput', 'A question and how to answer it.', {
  question: string(
    `What to answer: at most ${MAX_QUESTION_CHARACTERS} characters, and as many tokens as the model’s context holds beside the answer.`,
  ),
  collections: list(
    z.string(),
    'Names of the collections that may be read, 1 to 50; by default all that the caller may read. Adapters may answer all the same: who wants documents alone asks for `RAG`.',
  ).nullish(),
  requestId: id(
    'Names the request, 1 to 200 characters: the same id joins the running or recorded answer instead of making it again. With other input it is IDEMPOTENCY_CONFLICT.',
  ).nullish(),
  strategy: oneOf(StrategyChoice, 'What to answer with.').default(StrategyChoice.AUTO),
  adapter: string(
    'With `ADAPTER` or `HYBRID`: which adapter (with `HYBRID` by default `reader`), as `name` (its production version), `name@candidate` or `name@3`; at most 130 characters.',
  ).nullish(),
  model: string(
    'Which model answers: `name`, or `name@quantization`; at most 130 characters. By default the one that the adapter was trained on, else the configured one.',
  ).nullish(),
  dataset: string(
    'With `RAG` or `HYBRID`, instead of documents: the name of a dataset for `CLASSIFICATION` whose labelled rows answer, those nearest to the question (`indexDataset` makes that possible). With `HYBRID` and without `collections` by default the one that the adapter was trained on, where it is indexed.',
  ).nullish(),
  task: oneOf(TaskKind, 'What kind of answer is wanted; an adapter of another kind is refused.').nullish(),
  conversationId: id(
    'Groups answers, 1 to 200 characters: `answers` can be filtered by it. A question that points at what the same caller asked before in it (a pronoun, few words, a beginning like “And”) is answered behind the questions that it follows, of which the last 10 are looked at; `askedAs` of the answer says so. Questions that stand for themselves are left alone, and so are texts that an adapter of the caller’s choice works on.',
  ).nullish(),
  entity: string(
    'What the question is about: the key of an entity of the feature store, e.g. `customer:42`, with `features`.',
  ).nullish(),
  features: list(
    z.string(),
    'Names of 1 to 20 feature views. What they say of the entity now, at most 4,000 characters, is told to the model as in training. With RAG it stands beside the passages, which the answer still has to come from.',
  ).nullish(),
  preprocessing: list(
    z.enum(PreprocessingStep),
    'At most 6 steps, each once, that the question goes through in this order, before anything reads or records it: those of the dataset that the model was trained on, or `MASK_PII` to keep personal data out.',
  ).nullish(),
  minConfidence: float(
    `The least estimated probability, 0 to 1, that the documents hold the answer with which one is given; below it the answer abstains. ${LEAST_PROBABILITY} by default, whether words and vectors estimate it or the reader that comes with Graft beside them; with \`HYBRID\` and another adapter its own choice between answer and refusal; 0 turns all off. Where labelled rows are read: the least probability of the label, by default any.`,
  ).nullish(),
  maxErrorRate: float(
    'The error rate, above 0 and below 1, that answers shall keep. Answers, and choices of the router, that are less sure than keeps it on held-out data are not given; the route’s reasons say where that begins, or that the rate can’t be kept: then nothing is answered (`UNPROVEN`). Begins where held-out data shows that the rate is kept, with a chance of at most one in ten that luck alone showed it: 45 answers without a fault are the least that can show 5 %. Known of adapters that were evaluated on rows that they hadn’t learned from, and of routers.',
  ).nullish(),
  maxOwnRefused: float(
    `The share of an adapter’s own messages, 0 to 0.5, that may be refused so that foreign ones are: what looks more foreign than all but this share of its held-out rows is answered by none of its labels (\`FOREIGN\`). ${OWN_REFUSED} by default; 0 refuses nothing. Known of versions that were evaluated with \`foreign\`. Goes with strategies that apply an adapter.`,
  ).nullish(),
  reader: boolean(
    'With `AUTO` and `RAG` over documents: whether the reader that comes with Graft judges the best sentences before an answer is given. Without it words and vectors judge alone: quicker, but what only comes near is refused less often.',
  ).default(true),
  wording: oneOf(
    WordingChoice,
    'With `AUTO` and `RAG` over documents: whose words the answer has. By default the model’s where `compareWordings` showed that they are right more often than the best quote, or where nobody measured and the model has a billion weights or more, or where features are read beside; else the quote. The route’s reasons say which and why. Ignored where an adapter reads, or the model answers alone.',
  ).nullish(),
  generation: ofType(() => GenerationInput, 'How the model writes.').nullish(),
  unit: string(
    'Who asks, for experiments and rollouts: a user’s or a session’s key, 1 to 200 characters. Equal units get equal arms, on every gateway. It is stored only as a salted SHA-256. Without one every request is drawn anew.',
  ).nullish(),
  forceArm: string(
    'For testers: the arm to be answered by, 1 to 63 characters, instead of one that is drawn. Such an answer counts for nothing. Not with `answerAll`, on which nothing is tried.',
  ).nullish(),
});
type AskInput = InstanceType<typeof AskInput>;

export const { Connection: AnswerConnection } = connectionTypes(Answer);

interface AskArgs {
  input: AskInput;
}

/** The rules take plain values: defaults of absent fields are theirs. */
const plain = (input: AskInput) => ({
  ...input,
  generation: input.generation && {
    maxTokens: input.generation.maxTokens ?? undefined,
    temperature: input.generation.temperature ?? undefined,
    seed: input.generation.seed ?? undefined,
  },
});

@Resolver()
export class AskResolver {
  constructor(private readonly parts: { service: AskService; baseAnswers: BaseAnswers }) {}

  @Needs('ASK')
  @Query(() => Boolean, {
    description:
      'Whether the base model answers what `AUTO` finds no document and no adapter for. By default it doesn’t: such a question is refused.',
    complexity: cost(1),
  })
  baseAnswers(@Ctx() { workspaceId }: GraphContext): Promise<boolean> {
    return this.parts.baseAnswers.allowed(workspaceId);
  }

  @Needs('OPERATE')
  @Mutation(() => Boolean, {
    description:
      'Lets the base model answer what `AUTO` finds no document and no adapter for, in the whole workspace, or lets it no more. Such an answer is marked: `Answer.basis` is `BASE_MODEL`. Other gateways follow within two seconds. Returns what holds now.',
    complexity: cost(2),
  })
  async setBaseAnswers(
    @Arg('allowed', () => Boolean, { description: 'Whether it may.' }) allowed: boolean,
    @Ctx() { workspaceId, change }: GraphContext,
  ): Promise<boolean> {
    change.before = { allowed: await this.parts.baseAnswers.allowed(workspaceId) };
    await this.parts.baseAnswers.set(workspaceId, allowed);
    change.after = { allowed };
    return allowed;
  }

  @Needs('ASK')
  @SpendsBudget('ANSWER', ({ input }: AskArgs) => checkQuestionLength(input))
  @Query(() => Answer, {
    description:
      'Answers a question and records the answer. POST only, alone in its operation; `requestId` makes it safe to repeat. Disconnecting stops the work.',
    complexity: cost(100),
  })
  async ask(
    @Arg('input', () => AskInput, { description: 'The question.' }) input: AskInput,
    @Ctx() context: GraphContext,
  ): Promise<Answer> {
    return toAnswer(await this.parts.service.ask(context.caller, plain(input), context.signal));
  }

  @Needs('ASK')
  @SpendsBudget('ANSWERS', ({ input }: AskArgs) => checkQuestionLength(input))
  @Query(() => [Answer], {
    description:
      'The same question through every strategy, one after the other: without an `adapter` through those that need none. `strategy` is not looked at. POST only, alone in its operation. With `requestId`, here at most 192 characters, each answer’s own is that, a colon and the strategy.',
    complexity: ({ childComplexity }) => ANSWERS_TOGETHER * (100 + childComplexity),
  })
  async answerAll(
    @Arg('input', () => AskInput, { description: 'The question.' }) input: AskInput,
    @Ctx() context: GraphContext,
  ): Promise<Answer[]> {
    return (await this.parts.service.askAll(context.caller, plain(input), context.signal)).map(toAnswer);
  }

  @Needs('ASK')
  @Query(() => Answer, {
    nullable: true,
    description: 'A recorded answer; null when the workspace has none of this id.',
    complexity: cost(2),
  })
  async answer(
    @Arg('id', () => ID, { description: 'Its id.' }) id: string,
    @Ctx() context: GraphContext,
  ): Promise<Answer | null> {
    return loadAnswer(context, this.parts.service, fromGlobalId(id, 'Answer', 'id'));
  }

  @Needs('EDIT')
  @Query(() => AnswerConnection, { description: 'Recorded answers, newest first.', complexity: cost(5) })
  async answers(
    @Arg('filter', () => AnswerFilterInput, { nullable: true, description: 'Which; all by default.' })
    filter: AnswerFilterInput | null,
    @Ctx() context: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
  ): Promise<ConnectionOf<Answer>> {
    return answersPage(context, this.parts.service, toFilter(filter), args.request());
  }

  @Needs('ASK')
  @SpendsBudget('ANSWER', ({ input }: AskArgs) => checkQuestionLength(input))
  @Subscription(() => AskEvent, {
    description:
      'Answers a question as `ask` does, telling what happens meanwhile; then it completes. Unsubscribing stops the work.',
    complexity: cost(100),
    subscribe: subscribeWith(
      () => AskResolver,
      (resolver, { args, context }: SubscriptionRequest<AskArgs>) =>
        resolver.parts.service.stream(context.caller, plain(args.input), context.signal),
    ),
  })
  askStream(
    @Root() event: AskEventRecord,
    @Arg('input', () => AskInput, { description: 'The question.' }) _input: AskInput,
  ): typeof AskEvent {
    return toEvent(event);
  }
}

/** Recorded answers, newest first. @throws BAD_USER_INPUT */
export async function answersPage(
  context: GraphContext,
  service: AskService,
  filter: Parameters<AskService['answers']>[1],
  page: PageRequest,
): Promise<ConnectionOf<Answer>> {
  const answers = await service.answers(context.caller, filter, page);
  return toConnection(mapPage(answers, toAnswer), ({ row }) => encodeCursor([row.id]), page.after);
}

/** An answer by row id, batched over the request; null when the workspace has none. */
export async function loadAnswer(context: GraphContext, service: AskService, id: string): Promise<Answer | null> {
  const records = context.loader<string, AnswerRecord>('ask.answersById', (ids) =>
    service.answersById(context.caller, ids),
  );
  const record = await records.load(id);
  return record ? toAnswer(record) : null;
}

/** Lets `node(id)` find answers. */
export const registerAnswerNode = (nodes: NodeRegistry, service: AskService): void =>
  nodes.register('Answer', (context, id) => loadAnswer(context, service, id));
