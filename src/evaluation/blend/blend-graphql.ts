import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  Float,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Resolver,
  Root,
} from 'type-graphql';
import {
  SpendsBudget,
  Needs,
  cost,
  IDEMPOTENCY_KEY,
  make,
  runGraph,
  runObject,
  type GraphContext,
} from '../../graphql-kit/index.js';
import type { AdapterRegistry } from '../../registry/index.js';
import { AdapterVersion, loadAdapterVersion } from '../../training/index.js';
import { hybridFit } from './blend-run.js';
import { MOST_FIT_ROWS, type HybridFitter } from './hybrid-fitter.js';

export const hybridFitRuns = runGraph(
  hybridFit.handledBy(({ hybridFitter }: { hybridFitter: HybridFitter }, context) => hybridFitter.fit(context)),
);
const HybridFitRun = hybridFitRuns.Run;
type HybridFitRun = InstanceType<typeof HybridFitRun>;

@InputType({ description: 'Which adapter version is fitted to the labelled rows that it was trained on.' })
export class FitHybridInput {
  @Field(() => String, { description: 'Name of the adapter.' })
  adapter!: string;

  @Field(() => Int, { description: 'Number of the version, from 1.' })
  version!: number;

  @Field(() => Int, {
    nullable: true,
    defaultValue: 300,
    description: `Most rows for validation, 1 to ${MOST_FIT_ROWS}; of more a sample is drawn.`,
  })
  rows!: number;

  @Field(() => Int, {
    nullable: true,
    defaultValue: 1,
    description: 'Of the sample: the same seed draws the same rows.',
  })
  seed!: number;

  @Field(() => ID, { description: IDEMPOTENCY_KEY })
  idempotencyKey!: string;
}

const FitHybridPayload = hybridFitRuns.payload('FitHybridPayload', 'The run that fits.');
type FitHybridPayload = InstanceType<typeof FitHybridPayload>;

@ObjectType({ description: 'How much adapter and rows count, and what each says alone.' })
export class HybridWeights {
  @Field(() => Float, { description: 'Power to which the adapter’s probabilities are taken.' })
  adapter!: number;

  @Field(() => Float, { description: 'Power to which the rows’ are taken.' })
  neighbours!: number;

  @Field(() => Int, { description: 'Rows that they were fitted on.' })
  rows!: number;

  @Field(() => Float, { description: 'Share of those rows that the adapter alone labels rightly, 0 to 1.' })
  adapterAccuracy!: number;

  @Field(() => Float, { description: 'The same of the labelled rows alone.' })
  neighboursAccuracy!: number;

  @Field(() => Float, { description: 'The same of both together.' })
  accuracy!: number;
}

export interface HybridFitResolverParts {
  hybridFitter: HybridFitter;
  adapters: AdapterRegistry;
}

@Resolver(() => HybridFitRun)
export class HybridFitResolver {
  constructor(private readonly parts: HybridFitResolverParts) {}

  @Needs('EDIT')
  @SpendsBudget('RUN')
  @Mutation(() => FitHybridPayload, {
    description:
      'Fits how much a version and the labelled rows that it was trained on count together, on its rows for validation; `HYBRID` answers with the weights from then on. Until then both count the same.',
    complexity: cost(20),
  })
  async fitHybrid(
    @Arg('input', () => FitHybridInput, { description: 'Which version, on how many rows.' }) input: FitHybridInput,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<FitHybridPayload> {
    return { run: runObject(await this.parts.hybridFitter.start(workspaceId, input)) };
  }

  @FieldResolver(() => AdapterVersion, {
    nullable: true,
    description: 'The version; null when it was deleted.',
    complexity: cost(2),
  })
  version(@Root() { row }: HybridFitRun, @Ctx() context: GraphContext): Promise<AdapterVersion | null> {
    return loadAdapterVersion(context, this.parts.adapters, hybridFit.inputOf(row).adapterVersionId);
  }

  @FieldResolver(() => HybridWeights, { nullable: true, description: 'What was found; null until the run succeeded.' })
  weights(@Root() { row }: HybridFitRun): HybridWeights | null {
    const found = hybridFit.outputOf(row);
    if (!found) return null;
    const { adapter, neighbours, both } = found.accuracy;
    return make(HybridWeights, {
      ...found.weights,
      adapterAccuracy: adapter,
      neighboursAccuracy: neighbours,
      accuracy: both,
    });
  }
}
