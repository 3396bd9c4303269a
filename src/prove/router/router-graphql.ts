import { Arg, Ctx, FieldResolver, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import {
  missingOf,
  modeInForce,
  routerFigures,
  RouterMode,
  type RouterRecord,
  type RouterStore,
} from '../../answer/ask/index.js';
import { notFound } from '../../kernel/errors.js';
import {
  Needs,
  cost,
  make,
  runGraph,
  runObject,
  type GraphContext,
  inputType,
  objectType,
  listOf,
  idempotencyKey,
} from '../../kit/graphql/index.js';
import { choice, oneOf, int, string, boolean, float, list, date } from '../../kernel/record.js';
import { AliasMovedPayload } from '../../learn/training/index.js';
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

const FitRouterInput = inputType('FitRouterInput', 'How the router is fitted.', {
  mode: oneOf(RouterMode, 'Whether the new version decides, or only says what it would have decided.').default(
    RouterMode.APPLY,
  ),
  seed: int('Of the questions that are made: the same seed makes the same.').default(1),
  idempotencyKey,
});

const PlaceChangeKind = choice('RouterPlaceChangeKind', 'What became of a place since the router was fitted.', {
  ADDED: 'It wasn’t there: its questions are read, or answered by another.',
  CHANGED: 'A tenth of the collection’s passages or more came or went, or another version is in production.',
  REMOVED: 'It is gone, or not in production any more: no question is sent there.',
});
type PlaceChangeKind = keyof typeof PlaceChangeKind;

const RouterPlaceChange = objectType('RouterPlaceChange', 'A place that is not as it was when the router was fitted.', {
  name: string('Name of the collection, or `name@3` of the adapter.'),
  adapts: boolean('Whether it is an adapter.'),
  change: oneOf(PlaceChangeKind, 'What became of it.'),
});
type RouterPlaceChange = InstanceType<typeof RouterPlaceChange>;

const RouterPlace = objectType('RouterPlace', 'A place that questions may belong to.', {
  name: string('Name of the collection, or `name@3` of the adapter.'),
  adapts: boolean('Whether it is an adapter.'),
  passages: int('Passages that the collection had when the router was fitted; null for an adapter.').nullable(),
  own: int('Questions of its own that it was calibrated on.'),
  foreign: int('Foreign questions that it was calibrated on.'),
  auc: float('Probability that a question of its own looks nearer than a foreign one, 0 to 1 (AUROC).'),
});

export const RouterVersion = objectType(
  'RouterVersion',
  'A version of the router: what was learned of where questions belong.',
  {
    version: int('Its number, from 1.'),
    mode: oneOf(RouterMode, 'Whether it is to decide.'),
    missing: string(
      'Why it decides nothing whatever its mode is: what is missing until it is shown to be better than always taking the commonest place. Null where it decides.',
    ).nullable(),
    places: listOf(() => RouterPlace, 'Collections and adapters that it knows; everything else belongs to nothing.'),
    leftOut: list(
      z.string(),
      `Collections and adapters (as \`name@3\`) that it does not know, of the ${MOST.collections} largest collections and ${MOST.adapters} adapters that it looked at: fewer than ${3 * LEAST_OWN} questions could be made of them, or they have fewer than ${LEAST_CALIBRATED} rows.`,
    ),
    figures: routerFigures.describe('How well it places questions.'),
    createdAt: date('When it was fitted.'),
    record: z.custom<RouterRecord>(),
  },
);
export type RouterVersion = InstanceType<typeof RouterVersion>;

export const toRouter = (record: RouterRecord): RouterVersion => {
  const { version, mode, createdAt, learned } = record;
  const placeIds = new Set([
    ...learned.collections.map(({ id }) => id),
    ...learned.adapters.map((adapter) => adapter.versionId),
  ]);
  const passages = new Map(learned.fittedOn.collections.map((collection) => [collection.id, collection.passages]));
  return {
    version,
    mode,
    createdAt,
    record,
    missing: missingOf(learned),
    figures: learned.figures,
    leftOut: [
      ...learned.fittedOn.collections.flatMap(({ id, name }) => (placeIds.has(id) ? [] : [name])),
      ...learned.fittedOn.adapters.flatMap((adapter) =>
        placeIds.has(adapter.versionId) ? [] : [`${adapter.name}@${adapter.version}`],
      ),
    ],
    places: [
      ...learned.collections.map(({ id, name, calibration: { own, foreign, auc } }) =>
        make(RouterPlace, { name, adapts: false, own, foreign, auc, passages: passages.get(id) ?? null }),
      ),
      ...learned.adapters.map(({ name, version: number, membership: { calibration } }) => {
        const { rows: ownRows, foreign, auc } = calibration;
        return make(RouterPlace, {
          name: `${name}@${number}`,
          adapts: true,
          own: ownRows,
          foreign,
          auc,
          passages: null,
        });
      }),
    ],
  };
};

interface RouterResolverParts {
  routerFitter: RouterFitter;
  routers: RouterStore;
}

@Resolver(() => RouterFitRun)
export class RouterResolver extends routerFitRuns.startedBy('fitRouter', {
  description:
    'Fits a version of the router to the collections and the adapters in production as they are now, as a run: from their own rows and questions that it makes of their texts, and measured on others. A fit follows by itself when an adapter gets into production and when anything changes, unless `GRAFT_ROUTER_REFIT` is off.',
  needs: 'OPERATE',
  input: FitRouterInput,
  argument: 'How.',
  payload: 'The run that fits.',
  run: (parts: RouterResolverParts, input, { workspaceId }) => parts.routerFitter.start(workspaceId, input),
}) {
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
    return changes.map((change) => change);
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
