import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Int,
  Mutation,
  Resolver,
  Root,
  registerEnumType,
} from 'type-graphql';
import { Split } from '../../data/index.js';
import {
  SpendsBudget,
  Needs,
  cost,
  fromGlobalId,
  IDEMPOTENCY_KEY,
  MaxItems,
  recordType,
  runGraph,
  runObject,
  type GraphContext,
} from '../../graphql-kit/index.js';
import { Material, measuredWording, Model, type ModelRegistry } from '../../registry/index.js';
import { wordingComparison, wordingReport } from './wording-run.js';
import { LEAST_WORDED_ROWS, MOST_WORDED_ROWS, type WordingComparer } from './wording-comparer.js';

export const wordingComparisonRuns = runGraph(
  wordingComparison.handledBy(({ wordings }: { wordings: WordingComparer }, context) => wordings.compare(context)),
);
const WordingComparisonRun = wordingComparisonRuns.Run;
type WordingComparisonRun = InstanceType<typeof WordingComparisonRun>;

@InputType({ description: 'Which model words answers, to which questions, from what.' })
export class CompareWordingsInput {
  @Field(() => String, {
    nullable: true,
    description: '`name`, or `name@quantization`; at most 130 characters. By default the configured one.',
  })
  model?: string | null;

  @Field(() => ID, { description: 'Id of a dataset version for `QUESTION_ANSWERING` whose rows are asked.' })
  datasetVersion!: string;

  @Field(() => Split, {
    nullable: true,
    defaultValue: Split.TEST,
    description: 'Which of its rows; never those for training.',
  })
  split!: Split;

  @Field(() => Int, {
    nullable: true,
    defaultValue: 200,
    description: `Most rows, ${LEAST_WORDED_ROWS} to ${MOST_WORDED_ROWS}; of more a sample is drawn.`,
  })
  rows!: number;

  @Field(() => Int, {
    nullable: true,
    defaultValue: 1,
    description: 'Of the sample: the same seed draws the same rows.',
  })
  seed!: number;

  @MaxItems(50)
  @Field(() => [String], { description: 'Names of the collections that answer them, 1 to 50.' })
  collections!: string[];

  @Field(() => ID, { description: IDEMPOTENCY_KEY })
  idempotencyKey!: string;
}

const CompareWordingsPayload = wordingComparisonRuns.payload('CompareWordingsPayload', 'The run that compares.');
type CompareWordingsPayload = InstanceType<typeof CompareWordingsPayload>;

registerEnumType(Material, {
  name: 'WordingMaterial',
  description: 'What a model words answers from documents from.',
  valuesConfig: {
    SENTENCE: { description: 'The best sentence, with what leads to it.' },
    PASSAGES: { description: 'Whole passages, as many as there is room for.' },
  },
});

const MeasuredWording = recordType(measuredWording);
type MeasuredWording = InstanceType<typeof MeasuredWording>;
const WordingReport = recordType(wordingReport);
type WordingReport = InstanceType<typeof WordingReport>;

@Resolver(() => WordingComparisonRun)
export class WordingComparisonResolver {
  constructor(private readonly parts: { wordings: WordingComparer }) {}

  @Needs('EDIT')
  @SpendsBudget('RUN')
  @Mutation(() => CompareWordingsPayload, {
    description:
      'Lets a model word answers from documents to labelled questions and holds them against the best quotes, as a run. Answers from documents take from then on the model’s words where these are shown to be right more often, else the quote. No answer of it is recorded.',
    complexity: cost(20),
  })
  async compareWordings(
    @Arg('input', () => CompareWordingsInput, { description: 'Which model, which questions.' })
    input: CompareWordingsInput,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<CompareWordingsPayload> {
    const { datasetVersion, model = null, ...rest } = input;
    const datasetVersionId = fromGlobalId(datasetVersion, 'DatasetVersion', 'input.datasetVersion');
    const run = await this.parts.wordings.start(workspaceId, { ...rest, model, datasetVersionId });
    return { run: runObject(run) };
  }

  @FieldResolver(() => WordingReport, { nullable: true, description: 'What was found; null until the run succeeded.' })
  report(@Root() { row }: WordingComparisonRun): WordingReport | null {
    return wordingComparison.outputOf(row);
  }
}

@Resolver(() => Model)
export class WordedModelResolver {
  constructor(private readonly parts: { registry: ModelRegistry }) {}

  @FieldResolver(() => MeasuredWording, {
    nullable: true,
    description: 'What `compareWordings` found of it last; null where it wasn’t run.',
    complexity: cost(2),
  })
  wording(@Root() model: Model, @Ctx() context: GraphContext): Promise<MeasuredWording | null> {
    const { registry } = this.parts;
    const found = context.loader<string, MeasuredWording | null>('evaluation.wordings', (ids) =>
      registry.measuredWordings(context.workspaceId, ids),
    );
    return found.load(model.rowId);
  }
}
