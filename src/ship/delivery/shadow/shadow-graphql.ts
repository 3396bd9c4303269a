import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root, Subscription } from 'type-graphql';
import { AnswerType, loadAnswer, type AskService } from '../../../answer/ask/index.js';
import {
  afterEvent,
  ConnectionArgs,
  cost,
  fromGlobalId,
  make,
  mapPage,
  Needs,
  runGraph,
  runObject,
  SpendsBudget,
  subscribeWith,
  toConnection,
  type ConnectionOf,
  type GraphContext,
  type StoredEventLike,
  type SubscriptionRequest,
  loadRow,
} from '../../../kit/graphql/index.js';
import { callerName } from '../../../kernel/caller.js';
import { encodeCursor } from '../../../kernel/pagination.js';
import type { EventLog } from '../../../platform/events/index.js';
import type { RunQueue } from '../../../platform/runs/index.js';
import type { AdapterRegistry } from '../../../sources/registry/index.js';
import { AdapterVersion, loadAdapterVersion } from '../../../learn/training/index.js';
import type { PairStore } from './pair-store.js';
import type { ShadowRow } from './shadow.js';
import { reportOf, type ShadowFigures } from './shadow-report.js';
import { shadowKind, watchShadow, type ShadowRunParts } from './shadow-run.js';
import type { ShadowService } from './shadow-service.js';
import { shadowStream, type ShadowEventKind, type ShadowStore } from './shadow-store.js';
import {
  Shadow,
  ShadowConnection,
  ShadowEvent,
  ShadowPair,
  ShadowPairConnection,
  ShadowPayload,
  ShadowReport,
  StartShadowInput,
  StartShadowPayload,
  StopShadowInput,
  toPair,
  toShadow,
} from './shadow-types.js';

export const shadowRuns = runGraph(
  shadowKind.handledBy(({ shadowing }: { shadowing: ShadowRunParts }, context) => watchShadow(shadowing, context)),
);
const ShadowWatchRun = shadowRuns.Run;
type ShadowWatchRun = InstanceType<typeof ShadowWatchRun>;

interface ShadowResolverParts {
  shadowService: ShadowService;
  shadows: ShadowStore;
  pairs: PairStore;
  adapters: AdapterRegistry;
  events: EventLog;
  runs: RunQueue;
  asking: AskService;
}

interface EventsArgs {
  shadowId: string;
  after?: string | null;
}

/** A shadow by row id, batched over the request. */
export async function loadShadow(context: GraphContext, shadows: ShadowStore, id: string): Promise<Shadow | null> {
  const row = await loadRow(context, 'delivery.shadowsById', id, (ids) => shadows.byIds(context.workspaceId, ids));
  return row && toShadow(row);
}

@Resolver(() => Shadow)
export class ShadowResolver {
  constructor(readonly parts: ShadowResolverParts) {}

  @Needs('ASK')
  @Query(() => ShadowConnection, { description: 'Shadows, newest first.', complexity: cost(5) })
  async shadows(
    @Ctx() { workspaceId }: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Arg('adapter', () => String, { nullable: true, description: 'Only those of this adapter.' })
    adapter?: string | null,
  ): Promise<ConnectionOf<Shadow>> {
    const page = args.request();
    const rows = await this.parts.shadows.list(workspaceId, { adapter: adapter ?? null }, page);
    return toConnection(mapPage(rows, toShadow), ({ row }) => encodeCursor([row.id]), page.after);
  }

  @Needs('ASK')
  @Query(() => Shadow, {
    nullable: true,
    description: 'The shadow of this id; null when there is none.',
    complexity: cost(2),
  })
  shadow(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { description: 'Its id.' }) id: string,
  ): Promise<Shadow | null> {
    return loadShadow(context, this.parts.shadows, fromGlobalId(id, 'Shadow', 'id'));
  }

  @Needs('OPERATE')
  @SpendsBudget('RUN')
  @Mutation(() => StartShadowPayload, {
    description:
      'Lets a version answer a sample of the questions that production answers, behind everybody’s and unseen, and compares both in pairs. Nothing of what it says is kept but how it differs. CONFLICT says that the adapter has a live shadow, or no production; ADAPTER_UNPROVEN that the version isn’t attested.',
    complexity: cost(10),
  })
  async startShadow(
    @Arg('input', () => StartShadowInput, { description: 'Which version, and what it may cost.' })
    input: StartShadowInput,
    @Ctx() { workspaceId, caller }: GraphContext,
  ): Promise<StartShadowPayload> {
    const row = await this.parts.shadowService.start(workspaceId, { ...input, by: input.by ?? callerName(caller) });
    return { shadow: toShadow(row) };
  }

  @Needs('OPERATE')
  @Mutation(() => ShadowPayload, {
    description: 'Ends a shadow before it is complete; what it found stays. CONFLICT when it has ended.',
    complexity: cost(10),
  })
  async stopShadow(
    @Arg('input', () => StopShadowInput, { description: 'Which, and why.' }) input: StopShadowInput,
    @Ctx() { workspaceId, caller }: GraphContext,
  ): Promise<ShadowPayload> {
    const id = fromGlobalId(input.shadow, 'Shadow', 'input.shadow');
    const order = { reason: input.reason, by: input.by ?? callerName(caller) };
    return { shadow: toShadow(await this.parts.shadowService.stop(workspaceId, id, order)) };
  }

  @FieldResolver(() => AdapterVersion, {
    nullable: true,
    description: 'The version that answers unseen; null when it was deleted.',
    complexity: cost(2),
  })
  candidate(@Root() { row }: Shadow, @Ctx() context: GraphContext): Promise<AdapterVersion | null> {
    return loadAdapterVersion(context, this.parts.adapters, row.candidateId);
  }

  @FieldResolver(() => AdapterVersion, {
    nullable: true,
    description: 'The version whose answers are sampled; null when it was deleted.',
    complexity: cost(2),
  })
  against(@Root() { row }: Shadow, @Ctx() context: GraphContext): Promise<AdapterVersion | null> {
    return loadAdapterVersion(context, this.parts.adapters, row.againstId);
  }

  @FieldResolver(() => ShadowWatchRun, { nullable: true, description: 'The run that asks.', complexity: cost(2) })
  async run(@Root() { row }: Shadow, @Ctx() { workspaceId }: GraphContext): Promise<ShadowWatchRun | null> {
    const run = await this.parts.runs.get(workspaceId, row.runId);
    return run && runObject(run);
  }

  @FieldResolver(() => ShadowReport, { description: 'What it found so far.', complexity: cost(5) })
  async report(@Root() { row }: Shadow, @Ctx() context: GraphContext): Promise<ShadowReport> {
    const figures = context.loader<ShadowRow, ShadowFigures>('delivery.shadowFigures', (rows) =>
      this.parts.shadowService.figures(context.workspaceId, rows),
    );
    const named = (version: number): string => `${row.adapter}@${version}`;
    return reportOf(named(row.candidateVersion), named(row.againstVersion), (await figures.load(row))!);
  }

  @FieldResolver(() => ShadowPairConnection, {
    description: 'The pairs that were compared, or that the candidate failed on, newest first.',
    complexity: cost(5),
  })
  async pairs(
    @Root() { row }: Shadow,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Ctx() { workspaceId }: GraphContext,
    @Arg('differing', () => Boolean, {
      nullable: true,
      description: 'Only compared ones: those that differ (true), or are the same (false).',
    })
    differing?: boolean | null,
  ): Promise<ConnectionOf<ShadowPair>> {
    const page = args.request();
    const rows = await this.parts.pairs.list(workspaceId, row.id, differing ?? null, page);
    return toConnection(mapPage(rows, toPair), (pair) => encodeCursor([pair.answerId]), page.after);
  }

  @Needs('ASK')
  @Subscription(() => ShadowEvent, {
    description:
      'What happens in a shadow, from its start or behind `after`, as it comes; completes when it has ended. Events are stored: who comes back misses none.',
    complexity: cost(5),
    subscribe: subscribeWith(
      () => ShadowResolver,
      (resolver, { args, context }: SubscriptionRequest<EventsArgs>) => follow(resolver.parts, args, context),
    ),
  })
  shadowEvents(
    @Root() event: ShadowEvent,
    @Arg('shadowId', () => ID, { description: 'Id of the shadow.' }) _shadowId: string,
    @Arg('after', () => String, {
      nullable: true,
      description: 'Id of the last event seen; by default from the first on.',
    })
    _after?: string | null,
  ): ShadowEvent {
    return event;
  }
}

/** @throws BAD_USER_INPUT on the ids, NOT_FOUND */
async function* follow(
  { shadows, events }: ShadowResolverParts,
  { shadowId, after }: EventsArgs,
  { workspaceId, signal }: GraphContext,
): AsyncGenerator<ShadowEvent> {
  const id = fromGlobalId(shadowId, 'Shadow', 'shadowId');
  const behind = afterEvent(after);
  const row = await shadows.require(workspaceId, id, 'shadowId');
  yield* events.followToEnd(workspaceId, shadowStream(row.id), {
    after: behind,
    signal,
    ended: row.finishedAt !== null,
    read: toEvent,
    isLast: ({ kind }) => kind === 'ENDED',
  });
}

function toEvent({ sequence, type, payload }: StoredEventLike): ShadowEvent {
  const { answerId } = payload as { answerId: string | null };
  return make(ShadowEvent, { id: sequence.toString(), kind: type as ShadowEventKind, answerId });
}

/** The way from a run to its shadow. */
@Resolver(() => ShadowWatchRun)
export class ShadowRunResolver {
  constructor(private readonly parts: ShadowResolverParts) {}

  @FieldResolver(() => Shadow, { nullable: true, description: 'The shadow that it asks for.', complexity: cost(2) })
  shadow(@Root() { row }: ShadowWatchRun, @Ctx() context: GraphContext): Promise<Shadow | null> {
    return loadShadow(context, this.parts.shadows, shadowKind.inputOf(row).shadowId);
  }
}

/** The way from a pair to its answer. */
@Resolver(() => ShadowPair)
export class ShadowPairResolver {
  constructor(private readonly parts: ShadowResolverParts) {}

  @Needs('EDIT')
  @FieldResolver(() => AnswerType, {
    nullable: true,
    description: 'What was served, with the question; null when it was deleted.',
    complexity: cost(2),
  })
  served(@Root() { answerId }: ShadowPair, @Ctx() context: GraphContext): Promise<AnswerType | null> {
    return loadAnswer(context, this.parts.asking, answerId);
  }
}
