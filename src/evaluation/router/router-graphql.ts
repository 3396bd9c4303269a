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
  registerEnumType,
  Resolver,
  Root,
} from 'type-graphql';
import {
  missingOf,
  modeInForce,
  routerFigures,
  RouterMode,
  type RouterRecord,
  type RouterStore,
} from '../../ask/index.js';
import { enumeration } from '../../kernel/enumeration.js';
import { notFound } from '../../kernel/errors.js';
import {
  SpendsBudget,
  Needs,
  cost,
  DateTime,
  IDEMPOTENCY_KEY,
  make,
  runGraph,
  runObject,
  type GraphContext,
  recordType,
} from '../../graphql-kit/index.js';
import { AliasMovedPayload } from '../../training/index.js';
import { LEAST_CALIBRATED } from '../membership/fit-membership.js';
import { LEAST_OWN } from './fit-router.js';
import { MOST } from './places.js';
import { routerFit } from './router-run.js';
import type { RouterFitter } from './router-fitter.js';

export const routerFitRuns = runGraph(
  routerFit.handledBy(({ routerFitter }: { routerFitter: RouterFitter }, context) => routerFitter.fit(context)),
);
const RouterFitRun = routerFitRuns.Run;
type RouterFitRun = InstanceType<typeof RouterFitRun>;

@InputType({ description: 'How the router is fitted.' })
export class FitRouterInput {
  @Field(() => RouterMode, {
    nullable: true,
    defaultValue: RouterMode.APPLY,
    description: 'Whether the new version decides, or only says what it would have decided.',
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

const PlaceChangeKind = enumeration('ADDED', 'CHANGED', 'REMOVED');
type PlaceChangeKind = keyof typeof PlaceChangeKind;
registerEnumType(PlaceChangeKind, {
  name: 'RouterPlaceChangeKind',
  description: 'What became of a place since the router was fitted.',
  valuesConfig: {
    ADDED: { description: 'It wasn’t there: its questions are read, or answered by another.' },
    CHANGED: {
      description: 'A tenth of the collection’s passages or more came or went, or another version is in production.',
    },
    REMOVED: { description: 'It is gone, or not in production any more: no question is sent there.' },
  },
});

@ObjectType({ description: 'A place that is not as it was when the router was fitted.' })
export class RouterPlaceChange {
  @Field(() => String, { description: 'Name of the collection, or `name@3` of the adapter.' })
  name!: string;

  @Field(() => Boolean, { description: 'Whether it is an adapter.' })
  adapts!: boolean;

  @Field(() => PlaceChangeKind, { description: 'What became of it.' })
  change!: PlaceChangeKind;
}

@ObjectType({ description: 'A place that questions may belong to.' })
export class RouterPlace {
  @Field(() => String, { description: 'Name of the collection, or `name@3` of the adapter.' })
  name!: string;

  @Field(() => Boolean, { description: 'Whether it is an adapter.' })
  adapts!: boolean;

  @Field(() => Int, {
    nullable: true,
    description: 'Passages that the collection had when the router was fitted; null for an adapter.',
  })
  passages!: number | null;

  @Field(() => Int, { description: 'Questions of its own that it was calibrated on.' })
  own!: number;

  @Field(() => Int, { description: 'Foreign questions that it was calibrated on.' })
  foreign!: number;

  @Field(() => Float, {
    description: 'Probability that a question of its own looks nearer than a foreign one, 0 to 1 (AUROC).',
  })
  auc!: number;
}

const RouterFigures = recordType(routerFigures);
type RouterFigures = InstanceType<typeof RouterFigures>;

@ObjectType({ description: 'A version of the router: what was learned of where questions belong.' })
export class RouterVersion {
  @Field(() => Int, { description: 'Its number, from 1.' })
  version!: number;

  @Field(() => RouterMode, { description: 'Whether it is to decide.' })
  mode!: RouterMode;

  @Field(() => String, {
    nullable: true,
    description:
      'Why it decides nothing whatever its mode is: what is missing until it is shown to be better than always taking the commonest place. Null where it decides.',
  })
  missing!: string | null;

  @Field(() => [RouterPlace], {
    description: 'Collections and adapters that it knows; everything else belongs to nothing.',
  })
  places!: RouterPlace[];

  @Field(() => [String], {
    description: `Collections and adapters (as \`name@3\`) that it does not know, of the ${MOST.collections} largest collections and ${MOST.adapters} adapters that it looked at: fewer than ${3 * LEAST_OWN} questions could be made of them, or they have fewer than ${LEAST_CALIBRATED} rows.`,
  })
  leftOut!: string[];

  @Field(() => RouterFigures, { description: 'How well it places questions.' })
  figures!: RouterFigures;

  @Field(() => DateTime, { description: 'When it was fitted.' })
  createdAt!: Date;

  readonly record!: RouterRecord;
}

export const toRouter = (record: RouterRecord): RouterVersion => {
  const { version, mode, createdAt, learned } = record;
  const known = new Set([
    ...learned.collections.map(({ id }) => id),
    ...learned.adapters.map((each) => each.versionId),
  ]);
  const passages = new Map(learned.fittedOn.collections.map((each) => [each.id, each.passages]));
  return make(RouterVersion, {
    version,
    mode,
    createdAt,
    record,
    missing: missingOf(learned),
    figures: learned.figures,
    leftOut: [
      ...learned.fittedOn.collections.flatMap(({ id, name }) => (known.has(id) ? [] : [name])),
      ...learned.fittedOn.adapters.flatMap((each) =>
        known.has(each.versionId) ? [] : [`${each.name}@${each.version}`],
      ),
    ],
    places: [
      ...learned.collections.map(({ id, name, calibration: { own, foreign, auc } }) =>
        make(RouterPlace, { name, adapts: false, own, foreign, auc, passages: passages.get(id) ?? null }),
      ),
      ...learned.adapters.map(({ name, version: number, membership: { calibration } }) => {
        const { rows: own, foreign, auc } = calibration;
        return make(RouterPlace, { name: `${name}@${number}`, adapts: true, own, foreign, auc, passages: null });
      }),
    ],
  });
};

export interface RouterResolverParts {
  routerFitter: RouterFitter;
  routers: RouterStore;
}

@Resolver(() => RouterFitRun)
export class RouterResolver {
  constructor(private readonly parts: RouterResolverParts) {}

  @Needs('ASK')
  @Query(() => RouterVersion, {
    nullable: true,
    description:
      'The newest version of the router; null before the first: then `AUTO` reads where there are documents.',
    complexity: cost(2),
  })
  async router(@Ctx() { workspaceId }: GraphContext): Promise<RouterVersion | null> {
    const record = await this.parts.routers.newest(workspaceId);
    return record && toRouter(record);
  }

  @Needs('OPERATE')
  @SpendsBudget('RUN')
  @Mutation(() => FitRouterPayload, {
    description:
      'Fits a version of the router to the collections and the adapters in production as they are now, as a run: from their own rows and questions that it makes of their texts, and measured on others. A fit follows by itself when an adapter gets into production and when anything changes, unless `GRAFT_ROUTER_REFIT` is off.',
    complexity: cost(20),
  })
  async fitRouter(
    @Arg('input', () => FitRouterInput, { description: 'How.' }) input: FitRouterInput,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<FitRouterPayload> {
    return { run: runObject(await this.parts.routerFitter.start(workspaceId, input)) };
  }

  @Needs('OPERATE')
  @Mutation(() => RouterVersion, {
    description:
      'Lets a version decide, or only observe. The newest one is asked, and a fit that is under way meanwhile keeps to what was said of it. One with something `missing` decides nothing all the same.',
    complexity: cost(2),
  })
  async setRouterMode(
    @Arg('version', () => Int, { description: 'Number of the version.' }) version: number,
    @Arg('mode', () => RouterMode, { description: 'What it does from now on.' }) mode: RouterMode,
    @Ctx() { workspaceId, change }: GraphContext,
  ): Promise<RouterVersion> {
    change.before = { version, mode: await this.parts.routers.modeOf(workspaceId, version) };
    const record = await this.parts.routers.setMode(workspaceId, version, mode);
    if (!record) throw notFound('The router version', String(version), 'version');
    change.after = { version, mode };
    return toRouter(record);
  }

  @FieldResolver(() => Boolean, {
    description:
      'Whether a change of collections or adapters asked for it: one of collections waits while anything else works.',
  })
  automatic(@Root() { row }: RouterFitRun): boolean {
    return routerFit.inputOf(row).automatic ?? false;
  }

  @FieldResolver(() => Int, {
    nullable: true,
    description: 'Number of the version that it made; null until it succeeded.',
  })
  version(@Root() { row }: RouterFitRun): number | null {
    return routerFit.outputOf(row)?.version ?? null;
  }
}

@Resolver(() => RouterVersion)
export class RouterVersionResolver {
  constructor(private readonly parts: RouterResolverParts) {}

  @FieldResolver(() => [RouterPlaceChange], {
    description:
      'What has changed notably since it was fitted; empty while it is up to date, or where that was not kept.',
    complexity: cost(5),
  })
  async changes(@Root() { record }: RouterVersion, @Ctx() { workspaceId }: GraphContext): Promise<RouterPlaceChange[]> {
    const { changes } = await this.parts.routerFitter.changes(workspaceId, record);
    return changes.map((each) => make(RouterPlaceChange, each));
  }

  @FieldResolver(() => RouterFitRun, {
    nullable: true,
    description: 'The run that fits the next version, while it waits or works.',
    complexity: cost(2),
  })
  async fitting(@Ctx() { workspaceId }: GraphContext): Promise<RouterFitRun | null> {
    const run = await this.parts.routerFitter.fitting(workspaceId);
    return run && runObject(run);
  }
}

@Resolver(() => AliasMovedPayload)
export class RoutedPromotionResolver {
  constructor(private readonly parts: Pick<RouterResolverParts, 'routers'>) {}

  @FieldResolver(() => String, {
    description: 'What `ask` without `strategy` does from now on.',
    complexity: cost(2),
  })
  async routing(
    @Root() { adapter: { name }, change: { alias } }: AliasMovedPayload,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<string> {
    const router = await this.parts.routers.newest(workspaceId);
    if (alias !== 'production') return 'Nothing changes: plain questions reach what is in production.';
    if (router && router.mode === 'OBSERVE')
      return `Plain questions don’t reach ${name}: somebody let the router only observe (setRouterMode).`;
    const now =
      router && modeInForce(router) === 'APPLY'
        ? 'Until then the router goes on as it was.'
        : 'Until then documents are read, where there are any.';
    return `The router begins to learn which messages belong to ${name} (Router.fitting shows when it is done). From then on plain questions that do are answered by it, others from documents, and what belongs to nothing is refused (setBaseAnswers). ${now}`;
  }
}
