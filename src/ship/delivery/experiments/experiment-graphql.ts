import { Arg, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import {
  cost,
  fieldsOf,
  loadRow,
  loadRun,
  loadValue,
  Needs,
  queriesOf,
  runGraph,
  toItsOwn,
  toMany,
  toOne,
  type GraphContext,
} from '../../../kit/graphql/index.js';
import { deciderOf } from '../../../kernel/caller.js';
import type { RunQueue } from '../../../platform/runs/index.js';
import { commandsOf, decisionsOf, eventsOf } from '../live-test-graphql.js';
import { Proposal } from '../proposals/proposal-graphql.js';
import type { ExperimentCommand } from './experiment-decider.js';
import { ExperimentStatus } from './experiment.js';
import { experimentKind, watchExperiment, type ExperimentRunParts } from './experiment-run.js';
import type { ExperimentService } from './experiment-service.js';
import type { ExperimentStore } from './experiment-store.js';
import {
  ArmResult,
  CreateExperimentInput,
  CreateExperimentPayload,
  Experiment,
  ExperimentConclusion,
  ExperimentConnection,
  ExperimentDecisionConnection,
  ExperimentEvent,
  ExperimentOrderInput,
  ExperimentPayload,
  ExperimentPointType,
  ExperimentProgress,
  PlanExperimentInput,
  SamplePlan,
  WidenExperimentInput,
} from './experiment-types.js';
import { toConclusion, toDecision, toExperiment, toResults } from './experiment-view.js';
import type { SamplePlanner } from './sample-planner.js';

export const experimentRuns = runGraph(
  experimentKind.handledBy(({ testing }: { testing: ExperimentRunParts }, context) =>
    watchExperiment(testing, context),
  ),
);
const ExperimentWatchRun = experimentRuns.Run;

interface ExperimentParts {
  experimentService: ExperimentService;
  experiments: ExperimentStore;
  planner: SamplePlanner;
  runs: RunQueue;
}

/** An experiment by row id, batched over the request. */
export async function loadExperiment(
  context: GraphContext,
  experiments: ExperimentStore,
  id: string | null,
): Promise<Experiment | null> {
  const row = await loadRow(context, 'delivery.experimentsById', id, (ids) =>
    experiments.byIds(context.workspaceId, ids),
  );
  return row && toExperiment(row);
}

@Resolver(() => Experiment)
class ExperimentResolver {
  constructor(readonly parts: ExperimentParts) {}

  @Needs('ASK')
  @Query(() => SamplePlan, {
    description:
      'What an experiment could see before it is made: its size for a difference that would matter, or the least difference that a size shows, measured on recent answers. Nothing is stored.',
    complexity: cost(20),
  })
  planExperiment(
    @Arg('input', () => PlanExperimentInput, { description: 'What is asked.' }) input: PlanExperimentInput,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<SamplePlan> {
    return this.parts.planner.plan(workspaceId, input);
  }

  @Needs('OPERATE')
  @Mutation(() => CreateExperimentPayload, {
    description:
      'Plans an experiment; nobody is drawn until it is started. Look at `progress` for what it can see. NOT_FOUND or CONFLICT for an arm that can’t answer.',
    complexity: cost(10),
  })
  async createExperiment(
    @Arg('input', () => CreateExperimentInput, { description: 'The plan.' }) input: CreateExperimentInput,
    @Ctx() { workspaceId, caller }: GraphContext,
  ): Promise<CreateExperimentPayload> {
    const { advanced, ...request } = input;
    const actor = deciderOf(caller, input.by);
    const row = await this.parts.experimentService.create(workspaceId, { ...request, ...advanced, by: actor });
    return { experiment: toExperiment(row) };
  }
}

export const experimentResolvers = [
  ExperimentResolver,
  queriesOf({
    type: Experiment,
    Connection: ExperimentConnection,
    descriptions: { list: 'Experiments, newest first.', one: 'The experiment of this id; null when there is none.' },
    filters: {
      status: [ExperimentStatus, 'Only those that are so far.'],
      adapter: [String, 'Only those on this adapter’s questions.'],
    },
    list: ({ experiments }: ExperimentParts, { workspaceId }, filter, page) =>
      experiments.list(workspaceId, filter, page),
    toNode: toExperiment,
    load: ({ experiments }, context, id) => loadExperiment(context, experiments, id),
  }),
  commandsOf({
    type: Experiment,
    Payload: ExperimentPayload,
    input: ExperimentOrderInput,
    mutations: {
      startExperiment: {
        kind: 'START',
        description:
          'Lets questions be drawn into an experiment. CONFLICT when it was started before, or an arm is gone.',
        spends: 'RUN',
      },
      pauseExperiment: {
        kind: 'PAUSE',
        description: 'Lets production answer everything for a while; arms stay what they are.',
      },
      resumeExperiment: { kind: 'RESUME', description: 'Lets a paused experiment go on.' },
      endExperiment: {
        kind: 'END',
        description:
          'Ends an experiment with what it says now, by sequences, which hold at any time: it may be ended because of what it shows. Nothing is shipped.',
      },
      stopExperiment: {
        kind: 'STOP',
        description: 'Gives an experiment up, planned or running: production answers everything again, at once.',
      },
      widenExperiment: {
        kind: 'WIDEN',
        description: 'Lets more of the questions take part. Nobody changes arms.',
        input: WidenExperimentInput,
        which: 'Which, and how many.',
      },
    },
    apply: async (
      { experimentService }: ExperimentParts,
      workspaceId,
      id,
      { command, ...who }: { command: ExperimentCommand | { kind: 'START' }; by: string; reason: string },
    ) =>
      toExperiment(
        command.kind === 'START'
          ? await experimentService.start(workspaceId, id, who)
          : await experimentService.order(workspaceId, id, { command, ...who }),
      ),
  }),
  fieldsOf<Experiment, ExperimentParts>(() => Experiment, {
    results: toMany(
      () => ArmResult,
      'What was counted of each arm.',
      ({ row }) => toResults(row),
    ),
    conclusion: toItsOwn(
      () => ExperimentConclusion,
      'What it says now, or said at its end. It may be read after every answer.',
      ({ row }) => toConclusion(row),
      { cost: 20 },
    ),
    progress: toItsOwn(
      () => ExperimentProgress,
      'What it can see, and how long it still runs.',
      ({ row }, _, { planner }) => planner.of(row),
      { cost: 20 },
    ),
    history: toMany(
      () => ExperimentPointType,
      'How its intervals were, each some 8 % more answers after the one before: at most 300 a phase.',
      async ({ row }, context, { experiments }) =>
        (await loadValue(context, 'delivery.experimentPoints', row.id, (ids) => experiments.points(ids))) ?? [],
      { cost: 10 },
    ),
    run: toOne(
      () => ExperimentWatchRun,
      'The run that watches it; null before it is started.',
      ({ row }, context, { runs }) => loadRun(context, runs, row.runId),
    ),
  }),
  decisionsOf(
    Experiment,
    ExperimentDecisionConnection,
    'Everything that happened to it, oldest first.',
    ({ experiments }: ExperimentParts, id, page) => experiments.decisions(id, page),
    toDecision,
  ),
  eventsOf({
    type: Experiment,
    Event: ExperimentEvent,
    description:
      'Everything that happens to an experiment, from the first or behind `after`, as it comes; completes when it has ended. It is stored: who comes back misses nothing.',
    storeOf: ({ experiments }: ExperimentParts) => experiments,
    read: async ({ sequence, payload }, { experiments }, workspaceId) => ({
      id: sequence.toString(),
      decision: toDecision(await experiments.requireDecision(workspaceId, (payload as { id: string }).id)),
    }),
    isLast: ({ decision: { action } }) => action === 'END' || action === 'STOP',
  }),
  fieldsOf<InstanceType<typeof ExperimentWatchRun>, ExperimentParts>(() => ExperimentWatchRun, {
    experiment: toOne(
      () => Experiment,
      'The experiment that it watches.',
      ({ row }, context, { experiments }) =>
        loadExperiment(context, experiments, experimentKind.inputOf(row).experimentId),
    ),
  }),
  fieldsOf<Proposal, ExperimentParts>(() => Proposal, {
    experiment: toOne(
      () => Experiment,
      'The experiment that speaks for it; null without one.',
      ({ row }, context, { experiments }) => loadExperiment(context, experiments, row.experimentId),
    ),
  }),
] as const;
