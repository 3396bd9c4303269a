import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import {
  fieldsOf,
  fromGlobalId,
  loadRow,
  loadRun,
  Needs,
  queriesOf,
  runGraph,
  SpendsBudget,
  cost,
  toOne,
  type GraphContext,
} from '../../../kit/graphql/index.js';
import { deciderOf } from '../../../kernel/caller.js';
import type { RunQueue } from '../../../platform/runs/index.js';
import type { AdapterRegistry } from '../../../sources/registry/index.js';
import { toVersion } from '../../../learn/training/index.js';
import { commandsOf, decisionsOf, eventsOf } from '../live-test-graphql.js';
import type { Order } from './rollout.js';
import { allAsOfNow } from './rollout-now.js';
import { rolloutKind, watchRollout, type RolloutRunParts } from './rollout-run.js';
import type { RolloutService } from './rollout-service.js';
import type { RolloutStore } from './rollout-store.js';
import {
  JumpRolloutInput,
  Rollout,
  RolloutConnection,
  RolloutDecisionConnection,
  RolloutEvent,
  RolloutOrderInput,
  RolloutPayload,
  StartRolloutInput,
  StartRolloutPayload,
} from './rollout-types.js';
import { toDecision, toRollout } from './rollout-view.js';

export const rolloutRuns = runGraph(
  rolloutKind.handledBy(({ watching }: { watching: RolloutRunParts }, context) => watchRollout(watching, context)),
);
const RolloutWatchRun = rolloutRuns.Run;

interface RolloutParts {
  rolloutService: RolloutService;
  rollouts: RolloutStore;
  adapters: AdapterRegistry;
  runs: RunQueue;
}

/** A rollout by row id, batched over the request. */
export async function loadRollout(
  context: GraphContext,
  rollouts: RolloutStore,
  id: string | null,
): Promise<Rollout | null> {
  const row = await loadRow(context, 'delivery.rolloutsById', id, async (ids) =>
    allAsOfNow(rollouts, await rollouts.byIds(context.workspaceId, ids)),
  );
  return row && toRollout(row);
}

@Resolver(() => Rollout)
class StartRolloutResolver {
  constructor(private readonly parts: RolloutParts) {}

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
    const { shadow: shadowId, advanced, ...request } = input;
    const shadow = shadowId == null ? null : fromGlobalId(shadowId, 'Shadow', 'input.shadow');
    const actor = deciderOf(caller, input.by);
    const row = await this.parts.rolloutService.start(workspaceId, { ...request, ...advanced, shadow, by: actor });
    return { rollout: toRollout(row) };
  }
}

export const rolloutResolvers = [
  StartRolloutResolver,
  queriesOf({
    type: Rollout,
    Connection: RolloutConnection,
    descriptions: { list: 'Rollouts, newest first.', one: 'The rollout of this id; null when there is none.' },
    filters: { adapter: [String, 'Only those of this adapter.'] },
    list: async ({ rollouts }: RolloutParts, { workspaceId }, filter, page) => {
      const { items, ...rest } = await rollouts.list(workspaceId, filter, page);
      return { ...rest, items: await allAsOfNow(rollouts, items) };
    },
    toNode: toRollout,
    load: ({ rollouts }, context, id) => loadRollout(context, rollouts, id),
  }),
  commandsOf({
    type: Rollout,
    Payload: RolloutPayload,
    input: RolloutOrderInput,
    mutations: {
      pauseRollout: { kind: 'PAUSE', description: 'Holds a rollout at its step; guardrails still roll it back.' },
      resumeRollout: { kind: 'RESUME', description: 'Lets a paused rollout go on.' },
      advanceRollout: {
        kind: 'ADVANCE',
        description: 'Leaves a step before its least answers and time; never past a guardrail or an approval.',
      },
      jumpRollout: {
        kind: 'JUMP',
        description: 'Moves a rollout to another step, forward or back; never past an approval.',
        input: JumpRolloutInput,
        which: 'Which, where to, and why.',
      },
      approveRollout: {
        kind: 'APPROVE',
        description:
          'Approves that the step is left, as soon as it may be. At the last step that is the approval of the proposal: production names the candidate from then on.',
      },
      abortRollout: {
        kind: 'ABORT',
        description: 'Ends a rollout: production answers everything again, at once.',
      },
    },
    apply: async ({ rolloutService }: RolloutParts, workspaceId, id, order: Order) =>
      toRollout(await rolloutService.order(workspaceId, id, order)),
  }),
  fieldsOf<Rollout, RolloutParts>(() => Rollout, {
    candidate: toVersion('The version that is delivered; null when it was deleted.', ({ row }) => row.candidateId),
    against: toVersion('The version that it is held against; null when it was deleted.', ({ row }) => row.againstId),
    run: toOne(
      () => RolloutWatchRun,
      'The run that watches it.',
      ({ row }, context, { runs }) => loadRun(context, runs, row.runId),
    ),
  }),
  decisionsOf(
    Rollout,
    RolloutDecisionConnection,
    'Everything that was decided of it, oldest first.',
    ({ rollouts }: RolloutParts, id, page) => rollouts.decisions(id, page),
    toDecision,
  ),
  eventsOf({
    type: Rollout,
    Event: RolloutEvent,
    description:
      'Every decision of a rollout with what it rested on, from the first or behind `after`, as they come; completes when the rollout has ended. Decisions are stored: who comes back misses none.',
    storeOf: ({ rollouts }: RolloutParts) => rollouts,
    read: async ({ sequence, payload }, { rollouts }, workspaceId) => ({
      id: sequence.toString(),
      decision: toDecision(await rollouts.requireDecision(workspaceId, (payload as { id: string }).id)),
    }),
    isLast: ({ decision }) => ENDS.has(decision.action),
  }),
  fieldsOf<InstanceType<typeof RolloutWatchRun>, RolloutParts>(() => RolloutWatchRun, {
    rollout: toOne(
      () => Rollout,
      'The rollout that it watches.',
      ({ row }, context, { rollouts }) => loadRollout(context, rollouts, rolloutKind.inputOf(row).rolloutId),
    ),
  }),
] as const;

const ENDS = new Set(['ROLL_BACK', 'COMPLETE', 'ABORT']);
