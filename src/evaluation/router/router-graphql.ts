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
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import { RouterMode, type RouterRecord, type RouterStore } from '../../ask/index.js';
import { notFound } from '../../kernel/errors.js';
import {
  cost,
  DateTime,
  IDEMPOTENCY_KEY,
  make,
  runGraph,
  runObject,
  type GraphContext,
} from '../../graphql-kit/index.js';
import { routerFit } from './router-run.js';
import type { RouterFitter } from './router-fitter.js';

export const routerFitRuns = runGraph(
  routerFit.handledBy((fitter: RouterFitter, context) => fitter.fit(context)),
  {},
);
const RouterFitRun = routerFitRuns.Run;
type RouterFitRun = InstanceType<typeof RouterFitRun>;

@InputType({ description: 'How the router is fitted.' })
export class FitRouterInput {
  @Field(() => RouterMode, {
    nullable: true,
    defaultValue: RouterMode.OBSERVE,
    description: 'Whether the new version decides, or first only says what it would have decided.',
  })
  mode!: RouterMode;

  @Field(() => Int, {
    nullable: true,
    defaultValue: 1,
    description: 'Of the questions that are made: the same seed makes the same.',
  })
  seed!: number;

  @Field(() => ID, { description: IDEMPOTENCY_KEY })
  idempotencyKey!: string;
}

const FitRouterPayload = routerFitRuns.payload('FitRouterPayload', 'The run that fits.');
type FitRouterPayload = InstanceType<typeof FitRouterPayload>;

@ObjectType({ description: 'A place that questions may belong to.' })
export class RouterPlace {
  @Field(() => String, { description: 'Name of the collection, or `name@3` of the adapter.' })
  name!: string;

  @Field(() => Boolean, { description: 'Whether it is an adapter.' })
  adapts!: boolean;

  @Field(() => Int, { description: 'Questions of its own that it was calibrated on.' })
  own!: number;

  @Field(() => Int, { description: 'Foreign questions that it was calibrated on.' })
  foreign!: number;

  @Field(() => Float, {
    description: 'Probability that a question of its own looks nearer than a foreign one, 0 to 1 (AUROC).',
  })
  auc!: number;
}

@ObjectType({ description: 'How well a version of the router places questions that it was not fitted on.' })
export class RouterFigures {
  @Field(() => Int, { description: 'Questions that it was measured on.' })
  questions!: number;

  @Field(() => Float, { description: 'Share that went where they belong, 0 to 1.' })
  accuracy!: number;

  @Field(() => Float, { description: 'The same of always taking the commonest place.' })
  commonest!: number;

  @Field(() => Float, {
    description: 'Expected calibration error: how far its probabilities are from how often it is right.',
  })
  calibrationError!: number;
}

@ObjectType({ description: 'A version of the router: what was learned of where questions belong.' })
export class RouterVersion {
  @Field(() => Int, { description: 'Its number, from 1.' })
  version!: number;

  @Field(() => RouterMode, { description: 'Whether it decides.' })
  mode!: RouterMode;

  @Field(() => [RouterPlace], {
    description: 'Collections and adapters that it knows; the base model is the place for everything else.',
  })
  places!: RouterPlace[];

  @Field(() => RouterFigures, { description: 'How well it places questions.' })
  figures!: RouterFigures;

  @Field(() => DateTime, { description: 'When it was fitted.' })
  createdAt!: Date;
}

const toRouter = ({ version, mode, createdAt, learned }: RouterRecord): RouterVersion =>
  make(RouterVersion, {
    ...{ version, mode, createdAt },
    figures: make(RouterFigures, learned.figures),
    places: [
      ...learned.collections.map(({ name, calibration: { own, foreign, auc } }) =>
        make(RouterPlace, { name, adapts: false, own, foreign, auc }),
      ),
      ...learned.adapters.map(({ name, version: number, calibration: { own, foreign, auc } }) =>
        make(RouterPlace, { name: `${name}@${number}`, adapts: true, own, foreign, auc }),
      ),
    ],
  });

export interface RouterResolverParts {
  routerFitter: RouterFitter;
  routers: RouterStore;
}

@Resolver(() => RouterFitRun)
export class RouterResolver {
  constructor(private readonly parts: RouterResolverParts) {}

  @Query(() => RouterVersion, {
    nullable: true,
    description:
      'The newest version of the router; null before `fitRouter` made one: then `AUTO` reads where there are documents.',
    complexity: cost(2),
  })
  async router(@Ctx() { workspaceId }: GraphContext): Promise<RouterVersion | null> {
    const record = await this.parts.routers.newest(workspaceId);
    return record && toRouter(record);
  }

  @Mutation(() => FitRouterPayload, {
    description:
      'Fits a version of the router to the collections and the adapters in production as they are now, as a run: from questions that it makes of their own texts, and measured on others. Fit it again when they change.',
    complexity: cost(20),
  })
  async fitRouter(
    @Arg('input', () => FitRouterInput, { description: 'How.' }) input: FitRouterInput,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<FitRouterPayload> {
    return { run: runObject(await this.parts.routerFitter.start(workspaceId, input)) };
  }

  @Mutation(() => RouterVersion, {
    description: 'Lets a version decide, or only observe. The newest one is asked.',
    complexity: cost(2),
  })
  async setRouterMode(
    @Arg('version', () => Int, { description: 'Number of the version.' }) version: number,
    @Arg('mode', () => RouterMode, { description: 'What it does from now on.' }) mode: RouterMode,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<RouterVersion> {
    const record = await this.parts.routers.setMode(workspaceId, version, mode);
    if (!record) throw notFound('The router version', String(version), 'version');
    return toRouter(record);
  }

  @FieldResolver(() => Int, {
    nullable: true,
    description: 'Number of the version that it made; null until it succeeded.',
  })
  version(@Root() { row }: RouterFitRun): number | null {
    return routerFit.outputOf(row)?.version ?? null;
  }
}
