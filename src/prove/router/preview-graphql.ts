import { Arg, Ctx, Query, Resolver } from 'type-graphql';
import { z } from 'zod';
import { routePreview, type AskService, type RouterStore } from '../../answer/ask/index.js';
import { badInput } from '../../kernel/errors.js';
import { float, int, list, record, string } from '../../kernel/record.js';
import { binomialInterval } from '../../kernel/statistics/binomial.js';
import { checkedText } from '../../kernel/text.js';
import {
  cost,
  inputType,
  Needs,
  objectType,
  ofType,
  SpendsBudget,
  type GraphContext,
} from '../../kit/graphql/index.js';
import { embedderDigest } from '../../sources/knowledge/index.js';
import type { ModelRegistry } from '../../sources/registry/index.js';
import { confusions } from '../metrics/classification.js';
import { toRouter, RouterVersion } from './router-graphql.js';

const MOST_QUESTIONS = 500;
const MOST_CHARACTERS = 2_000;
/** Of all questions together: a list takes some seconds at most of what others search with. */
const MOST_TOGETHER = 100_000;

const PreviewRoutesInput = inputType(
  'PreviewRoutesInput',
  'Questions of which one wants to know where they would go.',
  {
    questions: list(
      record('PreviewedQuestionInput', 'A question, and where it should go.', {
        text: string(`The question, 1 to ${MOST_CHARACTERS} characters.`),
        expected: string(
          'Where it should go, as `destination` says it: the name of an adapter, `DOCUMENTS` or `NOBODY`. Such questions are counted in `accuracy` and `confusions`.',
        ).nullish(),
      }),
      `1 to ${MOST_QUESTIONS} questions, ${MOST_TOGETHER.toLocaleString('en')} characters together at most.`,
    ).max(MOST_QUESTIONS),
    collections: list(
      z.string(),
      'Names of the collections that may be read, 1 to 50; by default all that the caller may read.',
    )
      .max(50)
      .nullish(),
  },
);
type PreviewRoutesInput = InstanceType<typeof PreviewRoutesInput>;

const RoutedShare = objectType('RoutedShare', 'The share of questions that would go where they should.', {
  value: float('The share, 0 to 1.'),
  low: float('Lower end of its exact interval (Clopper and Pearson), 95 %.'),
  high: float('Upper end.'),
  questions: int('Questions that say where they should go.'),
});

const RouteConfusion = record('RouteConfusion', 'Questions that should go to one destination and would go to one.', {
  expected: string('Where they should go.'),
  destination: string('Where they would go.'),
  count: int('How many.'),
});

const RoutePreviews = objectType('RoutePreviews', 'Where questions would go, as things stand.', {
  router: ofType(() => RouterVersion)
    .nullable()
    .describe(
      'The router that was asked; where it only observes, plain questions don’t go there yet. Null before the first.',
    ),
  routes: list(routePreview, 'Of each question, in their order.'),
  accuracy: ofType(() => RoutedShare, 'How many would go where they should; null where none says where.').nullable(),
  confusions: list(RouteConfusion, 'How many of those that should go to one would go to which, the most first.'),
});
type RoutePreviews = InstanceType<typeof RoutePreviews>;

const FIELD = 'input.questions';

/** Before the budget is asked. @throws BAD_USER_INPUT for more than is read */
function checkSize({ questions }: PreviewRoutesInput): PreviewRoutesInput['questions'] {
  if (questions.length > MOST_QUESTIONS)
    throw badInput(FIELD, `questions must have 1 to ${MOST_QUESTIONS} items, not ${questions.length}.`);
  const characters = questions.reduce((sum, { text }) => sum + text.length, 0);
  if (characters > MOST_TOGETHER)
    throw badInput(
      FIELD,
      `The questions have ${characters} characters together; at most ${MOST_TOGETHER} are read.`,
      'Preview the list in parts.',
    );
  return questions;
}

/** @throws BAD_USER_INPUT */
function checkedList(input: PreviewRoutesInput): { text: string; expected: string | null }[] {
  const questions = checkSize(input);
  if (questions.length === 0) throw badInput(FIELD, 'questions is empty.');
  return questions.map(({ text, expected }, i) => ({
    text: checkedText(text, `${FIELD}.${i}.text`, MOST_CHARACTERS),
    expected: expected ? checkedText(expected, `${FIELD}.${i}.expected`, 130) : null,
  }));
}

@Resolver()
export class RoutePreviewResolver {
  constructor(
    private readonly parts: {
      asking: AskService;
      routers: Pick<RouterStore, 'current'>;
      registry: Pick<ModelRegistry, 'embedder'>;
    },
  ) {}

  // Its neighbours show rows of training, hundreds at a time and without a record.
  @Needs('EDIT')
  @SpendsBudget('SEARCH', ({ input }: { input: PreviewRoutesInput }) => checkSize(input))
  @Query(() => RoutePreviews, {
    description:
      'Where plain questions would go, without an answer: no model is asked, and nothing is recorded. With `expected` it counts how many would go where they should; with the destinations of an earlier preview as `expected`, what a change moved.',
    complexity: cost(500),
  })
  async previewRoutes(
    @Arg('input', () => PreviewRoutesInput, { description: 'The questions.' }) input: PreviewRoutesInput,
    @Ctx() { caller, workspaceId, signal }: GraphContext,
  ): Promise<RoutePreviews> {
    const questions = checkedList(input);
    const { collections } = input;
    const requests = questions.map(({ text }) => ({ question: text, collections }));
    const { asking, routers, registry } = this.parts;
    const [current, routes] = await Promise.all([
      routers.current(workspaceId, embedderDigest(registry.embedder())),
      asking.previewRoutes(caller, requests, signal),
    ]);
    const judgedRows = questions.flatMap(({ expected }, i) =>
      expected === null ? [] : [{ gold: expected, predicted: routes[i]!.destination, probability: null }],
    );
    const right = judgedRows.filter(({ gold, predicted }) => gold === predicted).length;
    return {
      router: current && toRouter(current.record),
      routes,
      accuracy:
        judgedRows.length === 0
          ? null
          : { ...binomialInterval(right, judgedRows.length), questions: judgedRows.length },
      confusions: confusions(judgedRows).map(({ gold, predicted, count }) => ({
        expected: gold,
        destination: predicted!,
        count,
      })),
    };
  }
}
