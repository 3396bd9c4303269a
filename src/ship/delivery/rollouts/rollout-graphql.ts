import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root, Subscription } from 'type-graphql';
import {
  afterEvent,
  ConnectionArgs,
  cost,
  fromGlobalId,
  mapPage,
  Needs,
  SpendsBudget,
  runGraph,
  runObject,
  subscribeWith,
  toConnection,
  type ConnectionOf,
  type GraphContext,
  type StoredEventLike,
  type SubscriptionRequest,
  loadRow,
} from '../../../kit/graphql/index.js';
import { notFound } from '../../../kernel/errors.js';
import { callerName } from '../../../kernel/caller.js';
import { encodeCursor } from '../../../kernel/pagination.js';
import type { EventLog } from '../../../platform/events/index.js';
import type { RunQueue } from '../../../platform/runs/index.js';
import type { AdapterRegistry } from '../../../sources/registry/index.js';
import { AdapterVersion, loadAdapterVersion } from '../../../learn/training/index.js';
import type { Command } from './decide.js';
import { isLive } from './rollout.js';
import { allAsOfNow } from './rollout-now.js';
import { rolloutKind, watchRollout, type RolloutRunParts } from './rollout-run.js';
import type { RolloutService } from './rollout-service.js';
import { rolloutStream, type RolloutStore } from './rollout-store.js';
import { JumpRolloutInput, RolloutOrderInput, StartRolloutInput } from './rollout-inputs.js';
import {
  Rollout,
  RolloutConnection,
  RolloutDecision,
  RolloutDecisionConnection,
  RolloutEvent,
  RolloutPayload,
  StartRolloutPayload,
} from './rollout-types.js';
import { toDecision, toRollout } from './rollout-view.js';

export const rolloutRuns = runGraph(
  rolloutKind.handledBy(({ watching }: { watching: RolloutRunParts }, context) => watchRollout(watching, context)),
);
const RolloutWatchRun = rolloutRuns.Run;
type RolloutWatchRun = InstanceType<typeof RolloutWatchRun>;

interface RolloutResolverParts {
  rolloutService: RolloutService;
  rollouts: RolloutStore;
  adapters: AdapterRegistry;
  events: EventLog;
  runs: RunQueue;
}

interface EventsArgs {
  rolloutId: string;
  after?: string | null;
}

/** A rollout by row id, batched over the request. */
export async function loadRollout(context: GraphContext, rollouts: RolloutStore, id: string): Promise<Rollout | null> {
  const row = await loadRow(context, 'delivery.rolloutsById', id, async (ids) =>
    allAsOfNow(rollouts, await rollouts.byIds(context.workspaceId, ids)),
  );
  return row && toRollout(row);
}

@Resolver(() => Rollout)
export class RolloutResolver {
  constructor(readonly parts: RolloutResolverParts) {}

  @Needs('ASK')
  @Query(() => RolloutConnection, { description: 'Rollouts, newest first.', complexity: cost(5) })
  async rollouts(
    @Ctx() { workspaceId }: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Arg('adapter', () => String, { nullable: true, description: 'Only those of this adapter.' })
    adapter?: string | null,
  ): Promise<ConnectionOf<Rollout>> {
    const page = args.request();
    const { rollouts } = this.parts;
    const { items, ...rest } = await rollouts.list(workspaceId, { adapter: adapter ?? null }, page);
    const rows = { ...rest, items: await allAsOfNow(rollouts, items) };
    return toConnection(mapPage(rows, toRollout), ({ row }) => encodeCursor([row.id]), page.after);
  }

  @Needs('ASK')
  @Query(() => Rollout, {
    nullable: true,
    description: 'The rollout of this id; null when there is none.',
    complexity: cost(2),
  })
  rollout(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { description: 'Its id.' }) id: string,
  ): Promise<Rollout | null> {
    return loadRollout(context, this.parts.rollouts, fromGlobalId(id, 'Rollout', 'id'));
  }

  @Needs('OPERATE')
  @SpendsBudget('RUN')
  @Mutation(() => StartRolloutPayload, {
    description:
      'Gives a version that passed the gate to ever more users beside a control of the same minutes, and takes it back by itself when it is worse. The last step awaits an approval, with a proposal. GATE_REFUSED says what it hasn’t passed; CONFLICT that the adapter has a live rollout, no production, or not the shadow that is wanted.',
    complexity: cost(10),
  })
  async startRollout(
    @Arg('input', () => StartRolloutInput, { description: 'Which version, and how.' }) input: StartRolloutInput,
    @Ctx() { workspaceId, caller }: GraphContext,
  ): Promise<StartRolloutPayload> {
    const by = input.by ?? callerName(caller);
    const { shadow: named, advanced, ...wish } = input;
    const shadow = named == null ? null : fromGlobalId(named, 'Shadow', 'input.shadow');
    const row = await this.parts.rolloutService.start(workspaceId, { ...wish, ...advanced, shadow, by });
    return { rollout: toRollout(row) };
  }

  @Needs('OPERATE')
  @Mutation(() => RolloutPayload, {
    description: 'Holds a rollout at its step; guardrails still roll it back.',
    complexity: cost(10),
  })
  pauseRollout(
    @Arg('input', () => RolloutOrderInput, { description: 'Which, and why.' }) input: RolloutOrderInput,
    @Ctx() context: GraphContext,
  ): Promise<RolloutPayload> {
    return this.#order(context, input, { kind: 'PAUSE' });
  }

  @Needs('OPERATE')
  @Mutation(() => RolloutPayload, { description: 'Lets a paused rollout go on.', complexity: cost(10) })
  resumeRollout(
    @Arg('input', () => RolloutOrderInput, { description: 'Which, and why.' }) input: RolloutOrderInput,
    @Ctx() context: GraphContext,
  ): Promise<RolloutPayload> {
    return this.#order(context, input, { kind: 'RESUME' });
  }

  @Needs('OPERATE')
  @Mutation(() => RolloutPayload, {
    description: 'Leaves a step before its least answers and time; never past a guardrail or an approval.',
    complexity: cost(10),
  })
  advanceRollout(
    @Arg('input', () => RolloutOrderInput, { description: 'Which, and why.' }) input: RolloutOrderInput,
    @Ctx() context: GraphContext,
  ): Promise<RolloutPayload> {
    return this.#order(context, input, { kind: 'ADVANCE' });
  }

  @Needs('OPERATE')
  @Mutation(() => RolloutPayload, {
    description: 'Moves a rollout to another step, forward or back; never past an approval.',
    complexity: cost(10),
  })
  jumpRollout(
    @Arg('input', () => JumpRolloutInput, { description: 'Which, where to, and why.' }) input: JumpRolloutInput,
    @Ctx() context: GraphContext,
  ): Promise<RolloutPayload> {
    return this.#order(context, input, { kind: 'JUMP', step: input.step });
  }

  @Needs('OPERATE')
  @Mutation(() => RolloutPayload, {
    description:
      'Approves that the step is left, as soon as it may be. At the last step that is the approval of the proposal: production names the candidate from then on.',
    complexity: cost(10),
  })
  approveRollout(
    @Arg('input', () => RolloutOrderInput, { description: 'Which, and why.' }) input: RolloutOrderInput,
    @Ctx() context: GraphContext,
  ): Promise<RolloutPayload> {
    return this.#order(context, input, { kind: 'APPROVE' });
  }

  @Needs('OPERATE')
  @Mutation(() => RolloutPayload, {
    description: 'Ends a rollout: production answers everything again, at once.',
    complexity: cost(10),
  })
  abortRollout(
    @Arg('input', () => RolloutOrderInput, { description: 'Which, and why.' }) input: RolloutOrderInput,
    @Ctx() context: GraphContext,
  ): Promise<RolloutPayload> {
    return this.#order(context, input, { kind: 'ABORT' });
  }

  async #order(
    { workspaceId, caller }: GraphContext,
    { rollout, by, reason }: RolloutOrderInput,
    command: Command,
  ): Promise<RolloutPayload> {
    const id = fromGlobalId(rollout, 'Rollout', 'input.rollout');
    const order = { command, reason, by: by ?? callerName(caller) };
    return { rollout: toRollout(await this.parts.rolloutService.order(workspaceId, id, order)) };
  }

  @FieldResolver(() => AdapterVersion, {
    nullable: true,
    description: 'The version that is delivered; null when it was deleted.',
    complexity: cost(2),
  })
  candidate(@Root() { row }: Rollout, @Ctx() context: GraphContext): Promise<AdapterVersion | null> {
    return loadAdapterVersion(context, this.parts.adapters, row.candidateId);
  }

  @FieldResolver(() => AdapterVersion, {
    nullable: true,
    description: 'The version that it is held against; null when it was deleted.',
    complexity: cost(2),
  })
  against(@Root() { row }: Rollout, @Ctx() context: GraphContext): Promise<AdapterVersion | null> {
    return loadAdapterVersion(context, this.parts.adapters, row.againstId);
  }

  @FieldResolver(() => RolloutWatchRun, {
    nullable: true,
    description: 'The run that watches it.',
    complexity: cost(2),
  })
  async run(@Root() { row }: Rollout, @Ctx() { workspaceId }: GraphContext): Promise<RolloutWatchRun | null> {
    const run = await this.parts.runs.get(workspaceId, row.runId);
    return run && runObject(run);
  }

  @FieldResolver(() => RolloutDecisionConnection, {
    description: 'Everything that was decided of it, oldest first.',
    complexity: cost(5),
  })
  async decisions(
    @Root() { row }: Rollout,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
  ): Promise<ConnectionOf<RolloutDecision>> {
    const page = args.request();
    const rows = await this.parts.rollouts.decisions(row.id, page);
    return toConnection(mapPage(rows, toDecision), (decision) => encodeCursor([decision.id]), page.after);
  }

  @Needs('ASK')
  @Subscription(() => RolloutEvent, {
    description:
      'Every decision of a rollout with what it rested on, from the first or behind `after`, as they come; completes when the rollout has ended. Decisions are stored: who comes back misses none.',
    complexity: cost(5),
    subscribe: subscribeWith(
      () => RolloutResolver,
      (resolver, { args, context }: SubscriptionRequest<EventsArgs>) => follow(resolver.parts, args, context),
    ),
  })
  rolloutEvents(
    @Root() event: RolloutEvent,
    @Arg('rolloutId', () => ID, { description: 'Id of the rollout.' }) _rolloutId: string,
    @Arg('after', () => String, {
      nullable: true,
      description: 'Id of the last event seen; by default from the first on.',
    })
    _after?: string | null,
  ): RolloutEvent {
    return event;
  }
}

/** @throws BAD_USER_INPUT on the ids, NOT_FOUND */
async function* follow(
  { rollouts, events }: RolloutResolverParts,
  { rolloutId, after }: EventsArgs,
  { workspaceId, signal }: GraphContext,
): AsyncGenerator<RolloutEvent> {
  const id = fromGlobalId(rolloutId, 'Rollout', 'rolloutId');
  const behind = afterEvent(after);
  const row = await rollouts.require(workspaceId, id, 'rolloutId');
  yield* events.followToEnd(workspaceId, rolloutStream(row.id), {
    after: behind,
    signal,
    ended: !isLive(row.status),
    read: (event) => toEvent(rollouts, workspaceId, event),
    isLast: ({ decision }) => ENDS.has(decision.action),
  });
}

const ENDS = new Set(['ROLL_BACK', 'COMPLETE', 'ABORT']);

async function toEvent(
  rollouts: RolloutStore,
  workspaceId: GraphContext['workspaceId'],
  { sequence, payload }: StoredEventLike,
): Promise<RolloutEvent> {
  const { id } = payload as { id: string };
  const [row] = await rollouts.decisionsById(workspaceId, [id]);
  if (!row) throw notFound('The decision', id);
  return { id: sequence.toString(), decision: toDecision(row) };
}

/** The way from a run to what it watches. */
@Resolver(() => RolloutWatchRun)
export class RolloutRunResolver {
  constructor(private readonly parts: RolloutResolverParts) {}

  @FieldResolver(() => Rollout, { nullable: true, description: 'The rollout that it watches.', complexity: cost(2) })
  rollout(@Root() { row }: RolloutWatchRun, @Ctx() context: GraphContext): Promise<Rollout | null> {
    return loadRollout(context, this.parts.rollouts, rolloutKind.inputOf(row).rolloutId);
  }
}
