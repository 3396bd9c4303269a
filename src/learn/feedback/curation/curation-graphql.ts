import { Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import { AnswerFilterInput, AnswerType, loadAnswer, toFilter, type AskService } from '../../../answer/ask/index.js';
import {
  Dataset,
  DatasetVersion,
  loadDataset,
  loadVersion,
  PreprocessingStep,
  SplitRuleInput,
  TaskKind,
  type Data,
} from '../../../sources/data/index.js';
import {
  connectionTypes,
  ConnectionArgs,
  cost,
  fieldsOf,
  mapPage,
  Needs,
  recordType,
  runGraph,
  toConnection,
  toOne,
  type ConnectionOf,
  type GraphContext,
  type RunObject,
  ofType,
  inputType,
  objectType,
  idempotencyKey,
} from '../../../kit/graphql/index.js';
import { encodeCursor, type Page } from '../../../kernel/pagination.js';
import { string, oneOf, boolean, float, int, list } from '../../../kernel/record.js';
import { loadFeedback } from '../feedback-graphql.js';
import type { FeedbackService } from '../feedback-service.js';
import { Feedback } from '../feedback-types.js';
import { curation, curationOutput, unlearning } from './curation-run.js';
import type { CuratedRow, CurationStore } from './curation-store.js';
import { CURATION_LIMITS, type Curator } from './curator.js';
import { Basis } from './lesson.js';
import type { Unlearner } from './unlearner.js';

export const curationRuns = runGraph(
  curation.handledBy(({ curator }: { curator: Curator }, context) => curator.make(context)),
);

export const unlearningRuns = runGraph(
  unlearning.handledBy(({ unlearner }: { unlearner: Unlearner }, context) => unlearner.work(context)),
);

const CreateDatasetFromFeedbackInput = inputType(
  'CreateDatasetFromFeedbackInput',
  'What is to be learned from which answers.',
  {
    dataset: string('Name of the dataset that gets a version.'),
    task: oneOf(TaskKind, 'What the dataset is for, where there is none of this name: it is made then.').nullish(),
    answers: ofType(
      () => AnswerFilterInput,
      'Only these of the answers with feedback; `hasFeedback` is not looked at.',
    ).nullish(),
    extend: boolean(
      'Whether rows of the latest version are carried over, but for those whose answer is taught otherwise now.',
    ).default(true),
    leastProbability: float(
      'The least probability that what is learned is right, above 0 to 1, given how far each source can be believed (`feedbackSources`).',
    ).default(CURATION_LIMITS.leastProbability),
    leastRows: int('Fewer rows that the dataset lacks make no version; 1 to 100,000.').default(1),
    preprocessing: list(
      z.enum(PreprocessingStep),
      'At most 6 steps, each once, that rows go through in this order; `MASK_PII` keeps personal data out. By default those of the version that is extended, else none.',
    ).nullish(),
    splitRule: ofType(
      () => SplitRuleInput,
      'By default that of the version before, else a tenth each for validation and test.',
    ).nullish(),
    idempotencyKey,
  },
);

const CurationResult = recordType(curationOutput);

const Lesson = objectType('Lesson', 'What a row of a dataset version was made of.', {
  basis: oneOf(Basis, 'Why it may be learned.'),
  rowKey: string('Key of its row: see `DatasetRow.key`.'),
  answerId: z.string(),
  feedbackIds: z.custom<string[]>(),
});
type Lesson = InstanceType<typeof Lesson>;

export const { Connection: LessonConnection } = connectionTypes(Lesson);

const toLesson = ({ answerId, feedbackIds, basis }: CuratedRow): Lesson => ({
  basis,
  rowKey: answerId,
  answerId,
  feedbackIds,
});

/** Versions of an answer that are shown. */
const SHOWN_VERSIONS = 20;

interface CurationResolverParts {
  curator: Curator;
  curation: CurationStore;
  feedback: FeedbackService;
  asking: AskService;
  data: Data;
}

export const CurationResolver = curationRuns.startedBy('createDatasetFromFeedback', {
  description:
    'Makes a dataset version of what people demonstrated or confirmed as answers, as a run: never of a model’s own unconfirmed words. Rows are deduplicated, checked for personal data and for leaks into the test split, and split by the rules of any import.',
  cost: 100,
  input: CreateDatasetFromFeedbackInput,
  argument: 'Which dataset, from which answers.',
  payload: 'The run that makes the version.',
  run: (
    { curator }: CurationResolverParts,
    { answers, task = null, splitRule = null, preprocessing: steps = null, ...input },
    { workspaceId },
  ) => curator.start(workspaceId, { ...input, task, filter: toFilter(answers, 'input.answers'), splitRule, steps }),
  fields: {
    dataset: toOne(
      () => Dataset,
      'The dataset that gets a version.',
      ({ row }, context, { data }: CurationResolverParts) => loadDataset(context, data, row.subjectId),
    ),
    version: toOne(
      () => DatasetVersion,
      'The version that it made, or found to exist already; null before its end, and where nothing was new.',
      ({ row }, context, { data }: CurationResolverParts) =>
        loadVersion(context, data, curation.outputOf(row)?.versionId ?? null),
      { cost: 5 },
    ),
    result: toOne(
      () => CurationResult,
      'What came of it; null until the run succeeded.',
      ({ row }) => curation.outputOf(row),
      { cost: 1 },
    ),
  },
});

export const UnlearningResolver = fieldsOf<RunObject, { data: Data }>(() => unlearningRuns.Run, {
  dataset: toOne(
    () => Dataset,
    'The dataset that rows are taken out of.',
    ({ row }, context, { data }) => loadDataset(context, data, row.subjectId),
  ),
});

@Resolver(() => Lesson)
export class LessonResolver {
  constructor(private readonly parts: Pick<CurationResolverParts, 'asking' | 'feedback'>) {}

  @FieldResolver(() => AnswerType, {
    nullable: true,
    description: 'The answer that the row was made of; null where it was deleted by age.',
    complexity: cost(2),
  })
  answer(@Root() { answerId }: Lesson, @Ctx() context: GraphContext): Promise<AnswerType | null> {
    return loadAnswer(context, this.parts.asking, answerId);
  }

  @FieldResolver(() => [Feedback], {
    description: 'The feedback that says so, as far as it was not deleted by age, newest first.',
    complexity: ({ childComplexity }) => 5 + 3 * childComplexity,
  })
  async feedback(@Root() { feedbackIds }: Lesson, @Ctx() context: GraphContext): Promise<Feedback[]> {
    const entries = await Promise.all(feedbackIds.map((id) => loadFeedback(context, this.parts.feedback, id)));
    return entries.flatMap((entry) => entry ?? []);
  }
}

@Resolver(() => DatasetVersion)
export class VersionLessonsResolver {
  constructor(private readonly parts: Pick<CurationResolverParts, 'curation'>) {}

  @Needs('EDIT')
  @FieldResolver(() => LessonConnection, {
    description:
      'The answers that its rows were made of, also those that it carries over, newest first; empty where it was imported.',
    complexity: cost(5),
  })
  async lessons(
    @Root() { record }: DatasetVersion,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Ctx() context: GraphContext,
  ): Promise<ConnectionOf<Lesson>> {
    const page = args.request();
    const loader = context.loader<string, Page<CuratedRow>>(
      `feedback.lessons ${page.first} ${page.after}`,
      async (ids) => {
        const pages = await this.parts.curation.rowsOf(ids, page);
        return ids.map((id) => pages.get(id) ?? null);
      },
    );
    const rows = (await loader.load(record.id)) ?? { items: [], hasNextPage: false };
    return toConnection(mapPage(rows, toLesson), ({ answerId }) => encodeCursor([answerId]), page.after);
  }
}

@Resolver(() => AnswerType)
export class AnswerTaughtResolver {
  constructor(private readonly parts: Pick<CurationResolverParts, 'curation' | 'data'>) {}

  @Needs('EDIT')
  @FieldResolver(() => [DatasetVersion], {
    description: `Dataset versions with a row that was made of it, newest first, at most ${SHOWN_VERSIONS}.`,
    complexity: ({ childComplexity }) => 5 + 5 * childComplexity,
  })
  async taught(@Root() { row }: AnswerType, @Ctx() context: GraphContext): Promise<DatasetVersion[]> {
    const loader = context.loader<string, string[]>('feedback.taught', async (ids) => {
      const versionIds = await this.parts.curation.versionsOf(ids, SHOWN_VERSIONS);
      return ids.map((id) => versionIds.get(id) ?? null);
    });
    const ids = (await loader.load(row.id)) ?? [];
    return (await Promise.all(ids.map((id) => loadVersion(context, this.parts.data, id)))).flatMap(
      (version) => version ?? [],
    );
  }
}
