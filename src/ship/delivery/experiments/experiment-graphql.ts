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
import { callerName } from '../../../kernel/caller.js';
import { notFound } from '../../../kernel/errors.js';
import { encodeCursor } from '../../../kernel/pagination.js';
import type { EventLog } from '../../../platform/events/index.js';
import type { RunQueue } from '../../../platform/runs/index.js';
import { Proposal } from '../proposals/proposal-graphql.js';
import type { ExperimentCommand } from './experiment-decider.js';
import { ExperimentStatus, isLive } from './experiment.js';
import { experimentKind, watchExperiment, type ExperimentRunParts } from './experiment-run.js';
import type { ExperimentService } from './experiment-service.js';
import { experimentStream, type ExperimentStore } from './experiment-store.js';
import {
  CreateExperimentInput,
  ExperimentOrderInput,
  PlanExperimentInput,
  WidenExperimentInput,
} from './experiment-inputs.js';
import {
  ArmResult,
  CreateExperimentPayload,
  Experiment,
  ExperimentConclusion,
  ExperimentConnection,
  ExperimentDecision,
  ExperimentDecisionConnection,
  ExperimentEvent,
  ExperimentPayload,
  ExperimentPointType,
  ExperimentProgress,
  SamplePlan,
} from './experiment-types.js';
import { toConclusion, toDecision, toExperiment, toResults } from './experiment-view.js';
import type { SamplePlanner } from './sample-planner.js';

export const experimentRuns = runGraph(
  experimentKind.handledBy(({ testing }: { testing: ExperimentRunParts }, context) =>
    watchExperiment(testing, context),
  ),
);
const ExperimentWatchRun = experimentRuns.Run;
type ExperimentWatchRun = InstanceType<typeof ExperimentWatchRun>;

interface ExperimentResolverParts {
  experimentService: ExperimentService;
  experiments: ExperimentStore;
  planner: SamplePlanner;
  events: EventLog;
  runs: RunQueue;
}

interface EventsArgs {
  experimentId: string;
  after?: string | null;
}

/** An experiment by row id, batched over the request. */
export async function loadExperiment(
  context: GraphContext,
  experiments: ExperimentStore,
  id: string,
): Promise<Experiment | null> {
  const row = await loadRow(context, 'delivery.experimentsById', id, (ids) =>
    experiments.byIds(context.workspaceId, ids),
  );
  return row && toExperiment(row);
}

@Resolver(() => Experiment)
export class ExperimentResolver {
  constructor(readonly parts: ExperimentResolverParts) {}

  @Needs('ASK')
  @Query(() => ExperimentConnection, { description: 'Experiments, newest first.', complexity: cost(5) })
  async experiments(
    @Ctx() { workspaceId }: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Arg('status', () => ExperimentStatus, { nullable: true, description: 'Only those that are so far.' })
    status?: ExperimentStatus | null,
    @Arg('adapter', () => String, { nullable: true, description: 'Only those on this adapter’s questions.' })
    adapter?: string | null,
  ): Promise<ConnectionOf<Experiment>> {
    const page = args.request();
    const filter = { status: status ?? null, adapter: adapter ?? null };
    const rows = await this.parts.experiments.list(workspaceId, filter, page);
    return toConnection(mapPage(rows, toExperiment), ({ row }) => encodeCursor([row.id]), page.after);
  }

  @Needs('ASK')
  @Query(() => Experiment, {
    nullable: true,
    description: 'The experiment of this id; null when there is none.',
    complexity: cost(2),
  })
  experiment(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { description: 'Its id.' }) id: string,
  ): Promise<Experiment | null> {
    return loadExperiment(context, this.parts.experiments, fromGlobalId(id, 'Experiment', 'id'));
  }

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
    const { advanced, ...wish } = input;
    const by = input.by ?? callerName(caller);
    const row = await this.parts.experimentService.create(workspaceId, { ...wish, ...advanced, by });
    return { experiment: toExperiment(row) };
  }

  @Needs('OPERATE')
  @SpendsBudget('RUN')
  @Mutation(() => ExperimentPayload, {
    description: 'Lets questions be drawn into an experiment. CONFLICT when it was started before, or an arm is gone.',
    complexity: cost(10),
  })
  async startExperiment(
    @Arg('input', () => ExperimentOrderInput, { description: 'Which, and why.' }) input: ExperimentOrderInput,
    @Ctx() { workspaceId, caller }: GraphContext,
  ): Promise<ExperimentPayload> {
    const id = fromGlobalId(input.experiment, 'Experiment', 'input.experiment');
    const who = { by: input.by ?? callerName(caller), reason: input.reason };
    const row = await this.parts.experimentService.start(workspaceId, id, who);
    return { experiment: toExperiment(row) };
  }

  @Needs('OPERATE')
  @Mutation(() => ExperimentPayload, {
    description: 'Lets production answer everything for a while; arms stay what they are.',
    complexity: cost(10),
  })
  pauseExperiment(
    @Arg('input', () => ExperimentOrderInput, { description: 'Which, and why.' }) input: ExperimentOrderInput,
    @Ctx() context: GraphContext,
  ): Promise<ExperimentPayload> {
    return this.#order(context, input, { kind: 'PAUSE' });
  }

  @Needs('OPERATE')
  @Mutation(() => ExperimentPayload, { description: 'Lets a paused experiment go on.', complexity: cost(10) })
  resumeExperiment(
    @Arg('input', () => ExperimentOrderInput, { description: 'Which, and why.' }) input: ExperimentOrderInput,
    @Ctx() context: GraphContext,
  ): Promise<ExperimentPayload> {
    return this.#order(context, input, { kind: 'RESUME' });
  }

  @Needs('OPERATE')
  @Mutation(() => ExperimentPayload, {
    description:
      'Ends an experiment with what it says now, by sequences, which hold at any time: it may be ended because of what it shows. Nothing is shipped.',
    complexity: cost(10),
  })
  endExperiment(
    @Arg('input', () => ExperimentOrderInput, { description: 'Which, and why.' }) input: ExperimentOrderInput,
    @Ctx() context: GraphContext,
  ): Promise<ExperimentPayload> {
    return this.#order(context, input, { kind: 'END' });
  }

  @Needs('OPERATE')
  @Mutation(() => ExperimentPayload, {
    description: 'Gives an experiment up, planned or running: production answers everything again, at once.',
    complexity: cost(10),
  })
  stopExperiment(
    @Arg('input', () => ExperimentOrderInput, { description: 'Which, and why.' }) input: ExperimentOrderInput,
    @Ctx() context: GraphContext,
  ): Promise<ExperimentPayload> {
    return this.#order(context, input, { kind: 'STOP' });
  }

  @Needs('OPERATE')
  @Mutation(() => ExperimentPayload, {
    description: 'Lets more of the questions take part. Nobody changes arms.',
    complexity: cost(10),
  })
  widenExperiment(
    @Arg('input', () => WidenExperimentInput, { description: 'Which, and how many.' }) input: WidenExperimentInput,
    @Ctx() context: GraphContext,
  ): Promise<ExperimentPayload> {
    return this.#order(context, input, { kind: 'WIDEN', coverage: input.coverage });
  }

  async #order(
    { workspaceId, caller }: GraphContext,
    { experiment, by, reason }: ExperimentOrderInput,
    command: ExperimentCommand,
  ): Promise<ExperimentPayload> {
    const id = fromGlobalId(experiment, 'Experiment', 'input.experiment');
    const order = { command, reason, by: by ?? callerName(caller) };
    const row = await this.parts.experimentService.order(workspaceId, id, order);
    return { experiment: toExperiment(row) };
  }

  @FieldResolver(() => [ArmResult], { description: 'What was counted of each arm.', complexity: cost(5) })
  results(@Root() { row }: Experiment): ArmResult[] {
    return toResults(row);
  }

  @FieldResolver(() => ExperimentConclusion, {
    description: 'What it says now, or said at its end. It may be read after every answer.',
    complexity: cost(20),
  })
  conclusion(@Root() { row }: Experiment): ExperimentConclusion {
    return toConclusion(row);
  }

  @FieldResolver(() => ExperimentProgress, {
    description: 'What it can see, and how long it still runs.',
    complexity: cost(20),
  })
  progress(@Root() { row }: Experiment): Promise<ExperimentProgress> {
    return this.parts.planner.of(row);
  }

  @FieldResolver(() => [ExperimentPointType], {
    description: 'How its intervals were, each some 8 % more answers after the one before: at most 300 a phase.',
    complexity: cost(10),
  })
  async history(@Root() { row }: Experiment, @Ctx() context: GraphContext): Promise<ExperimentPointType[]> {
    const points = context.loader<string, ExperimentPointType[]>('delivery.experimentPoints', async (ids) => {
      const found = await this.parts.experiments.points(ids);
      return ids.map((id) => found.get(id)!);
    });
    return (await points.load(row.id)) ?? [];
  }

  @FieldResolver(() => ExperimentWatchRun, {
    nullable: true,
    description: 'The run that watches it; null before it is started.',
    complexity: cost(2),
  })
  async run(@Root() { row }: Experiment, @Ctx() { workspaceId }: GraphContext): Promise<ExperimentWatchRun | null> {
    const run = row.runId === null ? null : await this.parts.runs.get(workspaceId, row.runId);
    return run && runObject(run);
  }

  @FieldResolver(() => ExperimentDecisionConnection, {
    description: 'Everything that happened to it, oldest first.',
    complexity: cost(5),
  })
  async decisions(
    @Root() { row }: Experiment,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
  ): Promise<ConnectionOf<ExperimentDecision>> {
    const page = args.request();
    const rows = await this.parts.experiments.decisions(row.id, page);
    return toConnection(mapPage(rows, toDecision), (decision) => encodeCursor([decision.id]), page.after);
  }

  @Needs('ASK')
  @Subscription(() => ExperimentEvent, {
    description:
      'Everything that happens to an experiment, from the first or behind `after`, as it comes; completes when it has ended. It is stored: who comes back misses nothing.',
    complexity: cost(5),
    subscribe: subscribeWith(
      () => ExperimentResolver,
      (resolver, { args, context }: SubscriptionRequest<EventsArgs>) => follow(resolver.parts, args, context),
    ),
  })
  experimentEvents(
    @Root() event: ExperimentEvent,
    @Arg('experimentId', () => ID, { description: 'Id of the experiment.' }) _experimentId: string,
    @Arg('after', () => String, {
      nullable: true,
      description: 'Id of the last event seen; by default from the first on.',
    })
    _after?: string | null,
  ): ExperimentEvent {
    return event;
  }
}

/** @throws BAD_USER_INPUT on the ids, NOT_FOUND */
async function* follow(
  { experiments, events }: ExperimentResolverParts,
  { experimentId, after }: EventsArgs,
  { workspaceId, signal }: GraphContext,
): AsyncGenerator<ExperimentEvent> {
  const id = fromGlobalId(experimentId, 'Experiment', 'experimentId');
  const behind = afterEvent(after);
  const row = await experiments.require(workspaceId, id, 'experimentId');
  yield* events.followToEnd(workspaceId, experimentStream(row.id), {
    after: behind,
    signal,
    ended: row.status !== 'DRAFT' && !isLive(row.status),
    read: (event) => toEvent(experiments, workspaceId, event),
    isLast: ({ decision }) => ENDS.has(decision.action),
  });
}

const ENDS = new Set(['END', 'STOP']);

async function toEvent(
  experiments: ExperimentStore,
  workspaceId: GraphContext['workspaceId'],
  { sequence, payload }: StoredEventLike,
): Promise<ExperimentEvent> {
  const { id } = payload as { id: string };
  const [row] = await experiments.decisionsById(workspaceId, [id]);
  if (!row) throw notFound('The decision', id);
  return { id: sequence.toString(), decision: toDecision(row) };
}

/** The way from a run to what it watches. */
@Resolver(() => ExperimentWatchRun)
export class ExperimentRunResolver {
  constructor(private readonly parts: ExperimentResolverParts) {}

  @FieldResolver(() => Experiment, {
    nullable: true,
    description: 'The experiment that it watches.',
    complexity: cost(2),
  })
  experiment(@Root() { row }: ExperimentWatchRun, @Ctx() context: GraphContext): Promise<Experiment | null> {
    return loadExperiment(context, this.parts.experiments, experimentKind.inputOf(row).experimentId);
  }
}

/** The way from a proposal to the experiment that speaks for it. */
@Resolver(() => Proposal)
export class ProposalExperimentResolver {
  constructor(private readonly parts: ExperimentResolverParts) {}

  @FieldResolver(() => Experiment, {
    nullable: true,
    description: 'The experiment that speaks for it; null without one.',
    complexity: cost(2),
  })
  async experiment(@Root() { row }: Proposal, @Ctx() context: GraphContext): Promise<Experiment | null> {
    return row.experimentId === null ? null : loadExperiment(context, this.parts.experiments, row.experimentId);
  }
}
