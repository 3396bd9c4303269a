import { Arg, Args, Ctx, FieldResolver, Float, ID, Int, Query, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import { DatasetVersion, loadVersion, Split, type Data } from '../../sources/data/index.js';
import { encodeCursor } from '../../kernel/pagination.js';
import {
  Needs,
  ConnectionArgs,
  cost,
  fromGlobalId,
  mapPage,
  recordType,
  runGraph,
  toConnection,
  type ConnectionOf,
  type GraphContext,
  type NodeRegistry,
  inputType,
  fieldsOf,
  toOne,
} from '../../kit/graphql/index.js';
import { string, id, oneOf, int, boolean, list } from '../../kernel/record.js';
import { loadVariant, ModelVariant, type AdapterRegistry, type ModelRegistry } from '../../sources/registry/index.js';
import { AdapterVersion, loadAdapterVersion } from '../../learn/training/index.js';
import { WORTH_FINDING } from '../../kernel/statistics/paired-power.js';
import { evaluation } from './evaluation-run.js';
import {
  Evaluation,
  EvaluationConnection,
  EvaluationRow,
  EvaluationRowConnection,
  toEvaluation,
} from './evaluation-types.js';
import type { Evaluator } from './evaluator.js';
import { evaluationPlan, planEvaluation, type EvaluationPlan } from './plan-evaluation.js';

export const evaluationRuns = runGraph(
  evaluation.handledBy(({ evaluator }: { evaluator: Evaluator }, context) => evaluator.evaluate(context)),
);
const EvaluationRun = evaluationRuns.Run;
type EvaluationRun = InstanceType<typeof EvaluationRun>;

const EvaluateInput = inputType('EvaluateInput', 'Who shall answer which rows, and whom it is compared with.', {
  adapter: string(
    'An adapter version: `name` (production), `name@candidate` or `name@3`; null for the base model alone.',
  ).nullish(),
  model: string('The base model that answers alone; the default one by default.').nullish(),
  against: string(
    'An adapter version that answers the same rows, for comparison; null compares with the base model alone.',
  ).nullish(),
  datasetVersion: id('Id of the dataset version.'),
  split: oneOf(Split, 'Which of its rows. TRAIN is refused unless `force` is set.').default(Split.TEST),
  rows: int('Most rows, 1 to 5,000; of more a sample is drawn.').default(500),
  seed: int('Of the sample: the same seed draws the same rows.').default(1),
  force: boolean('Measures rows for training, too.').default(false),
  retention: boolean(
    'Measures what the adapter has forgotten, too, about two minutes for the default model: perplexity of general text and answers to general prompts. The gate needs it. Never of the base model alone.',
  ).default(true),
  otherTasks: list(
    z.string().meta({ shown: 'ID' }),
    'Ids of at most 4 dataset versions of other tasks: 100 test rows of each show what the adapter breaks.',
  )
    .max(4)
    .default([]),
  regression: boolean(
    'Holds labels against a logistic regression on the embedder’s vectors and the nearest labelled rows, both of the TRAIN rows of the same dataset version: what one would build without a language model. Only for classification.',
  ).default(true),
  foreign: boolean(
    'Learns which messages are the version’s own, and measures it on texts that are not: general ones, rows of other adapters, questions of documents. From then on it refuses what is foreign wherever it is asked (`maxOwnRefused`). Never of the base model, or of an adapter that reads.',
  ).default(true),
  idempotencyKey: id('The same key with the same input is the same run; 1 to 200 characters.'),
});

const EvaluationPlanType = recordType(evaluationPlan);

interface EvaluationResolverParts {
  evaluator: Evaluator;
  adapters: AdapterRegistry;
  registry: ModelRegistry;
  data: Data;
}

@Resolver(() => Evaluation)
export class EvaluationResolver extends evaluationRuns.startedBy('evaluate', {
  description:
    'Lets a model, with or without an adapter, answer rows of a dataset version, and measures the answers. Rows with a text that an adapter was trained on by another version are left out.',
  input: EvaluateInput,
  argument: 'Who answers what.',
  payload: 'The run that asks and measures.',
  run: (parts: EvaluationResolverParts, input, { workspaceId }) => {
    const { adapter = null, model = null, against = null, datasetVersion, otherTasks, ...rest } = input;
    const datasetVersionId = fromGlobalId(datasetVersion, 'DatasetVersion', 'input.datasetVersion');
    const otherVersionIds = otherTasks.map((id) => fromGlobalId(id, 'DatasetVersion', 'input.otherTasks'));
    return parts.evaluator.start(workspaceId, {
      ...rest,
      adapter,
      model,
      against,
      datasetVersionId,
      others: otherVersionIds,
    });
  },
}) {
  @Needs('ASK')
  @Query(() => EvaluationConnection, { description: 'Finished evaluations, newest first.', complexity: cost(5) })
  async evaluations(
    @Ctx() { workspaceId }: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Arg('datasetVersion', () => ID, { nullable: true, description: 'Only those on rows of this dataset version.' })
    datasetVersion?: string | null,
  ): Promise<ConnectionOf<Evaluation>> {
    const datasetVersionId = datasetVersion
      ? fromGlobalId(datasetVersion, 'DatasetVersion', 'datasetVersion')
      : undefined;
    return listed(this.parts, workspaceId, { datasetVersionId }, args);
  }

  @Needs('ASK')
  @Query(() => EvaluationPlanType, {
    description:
      'What an evaluation beside another version could tell, before it is made: how surely it finds a gain, and the rows that would. Of labels alone. Nothing is stored.',
    complexity: cost(10),
  })
  planEvaluation(
    @Ctx() { workspaceId }: GraphContext,
    @Arg('datasetVersion', () => ID, { description: 'Id of the dataset version.' }) datasetVersion: string,
    @Arg('rows', () => Int, { nullable: true, description: 'Most rows that are asked, 1 to 5,000; 500 by default.' })
    rows?: number | null,
    @Arg('gain', () => Float, {
      nullable: true,
      description: `The gain that is to be found, as a share of the rows, above 0 and below 1; ${WORTH_FINDING.gain} by default.`,
    })
    gain?: number | null,
  ): Promise<EvaluationPlan> {
    const datasetVersionId = fromGlobalId(datasetVersion, 'DatasetVersion', 'datasetVersion');
    return planEvaluation(this.parts.data, workspaceId, {
      datasetVersionId,
      rows: rows ?? 500,
      gain: gain ?? WORTH_FINDING.gain,
    });
  }

  @FieldResolver(() => AdapterVersion, {
    nullable: true,
    description: 'What answered; null for the base model alone.',
    complexity: cost(2),
  })
  async adapterVersion(@Root() { row }: Evaluation, @Ctx() context: GraphContext): Promise<AdapterVersion | null> {
    return row.adapterVersionId === null
      ? null
      : loadAdapterVersion(context, this.parts.adapters, row.adapterVersionId);
  }

  @FieldResolver(() => AdapterVersion, {
    nullable: true,
    description: 'What it is compared with; null for the base model alone, or for nothing.',
    complexity: cost(2),
  })
  async against(@Root() { row }: Evaluation, @Ctx() context: GraphContext): Promise<AdapterVersion | null> {
    return row.againstVersionId === null
      ? null
      : loadAdapterVersion(context, this.parts.adapters, row.againstVersionId);
  }

  @FieldResolver(() => ModelVariant, {
    nullable: true,
    description: 'The base model that answered.',
    complexity: cost(2),
  })
  async model(@Root() { row }: Evaluation, @Ctx() context: GraphContext): Promise<ModelVariant | null> {
    return loadVariant(context, this.parts.registry, row.variantId);
  }

  @FieldResolver(() => DatasetVersion, { nullable: true, description: 'Whose rows they are.', complexity: cost(2) })
  async datasetVersion(@Root() { row }: Evaluation, @Ctx() context: GraphContext): Promise<DatasetVersion | null> {
    return loadVersion(context, this.parts.data, row.datasetVersionId);
  }

  @Needs('EDIT')
  @FieldResolver(() => EvaluationRowConnection, {
    description:
      'Its rows: first those that the comparison had right and this has wrong. Empty once the dataset version’s rows were erased.',
    complexity: cost(5),
  })
  async rows(
    @Root() { row }: Evaluation,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
  ): Promise<ConnectionOf<EvaluationRow>> {
    const page = args.request();
    const rows = await this.parts.evaluator.store.rows(row.id, page);
    return toConnection(rows, ({ difference, position }) => encodeCursor([difference, position]), page.after);
  }
}

export const EvaluationRunResolver = fieldsOf<EvaluationRun, EvaluationResolverParts>(() => EvaluationRun, {
  evaluation: toOne(
    () => Evaluation,
    'What it found; null until it succeeded.',
    async ({ row }, { workspaceId }, { evaluator }) => {
      const [record] = await evaluator.store.byIds(workspaceId, [row.id]);
      return record && record.figures !== null ? toEvaluation(record) : null;
    },
  ),
});

@Resolver(() => AdapterVersion)
export class EvaluatedVersionResolver {
  constructor(private readonly parts: EvaluationResolverParts) {}

  @FieldResolver(() => EvaluationConnection, {
    description: 'Its finished evaluations, newest first.',
    complexity: cost(5),
  })
  async evaluations(
    @Root() { row }: AdapterVersion,
    @Ctx() { workspaceId }: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
  ): Promise<ConnectionOf<Evaluation>> {
    return listed(this.parts, workspaceId, { adapterVersionId: row.id }, args);
  }
}

async function listed(
  { evaluator }: EvaluationResolverParts,
  workspaceId: GraphContext['workspaceId'],
  filter: { adapterVersionId?: string; datasetVersionId?: string },
  args: ConnectionArgs,
): Promise<ConnectionOf<Evaluation>> {
  const page = args.request();
  const recordPage = await evaluator.store.list(workspaceId, filter, page);
  return toConnection(mapPage(recordPage, toEvaluation), ({ row }) => encodeCursor([row.id]), page.after);
}

/** Lets `node(id)` find evaluations that have figures. */
export const registerEvaluationNode = (nodes: NodeRegistry, { store }: Evaluator): void =>
  nodes.register('Evaluation', async ({ workspaceId }, id) => {
    const [row] = await store.byIds(workspaceId, [id]);
    return row && row.figures !== null ? toEvaluation(row) : null;
  });
