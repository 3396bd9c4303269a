import { Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { AnswerConnection, answersPage, type AnswerType, type AskService } from '../../answer/ask/index.js';
import { DatasetVersion } from '../../sources/data/index.js';
import {
  ConnectionArgs,
  connectionTypes,
  cost,
  mapPage,
  Needs,
  runObject,
  toConnection,
  type ConnectionOf,
  type GraphContext,
  type RunObject,
} from '../../kit/graphql/index.js';
import { encodeCursor } from '../../kernel/pagination.js';
import type { RunQueue } from '../../platform/runs/index.js';
import type { AdapterRegistry } from '../../sources/registry/index.js';
import { AdapterVersion, toAdapterVersion } from './adapters/adapter-types.js';
import { trainingRuns } from './runs/training-graphql.js';
import { training } from './runs/training-run.js';

const TrainingRun = trainingRuns.Run;

const { Connection: TrainingRunConnection } = connectionTypes(TrainingRun, 'TrainingRun');

interface LineageResolverParts {
  adapters: AdapterRegistry;
  runs: Pick<RunQueue, 'get' | 'list'>;
  asking: AskService;
}

/** From rows to what learned from them. */
@Resolver(() => DatasetVersion)
export class TrainedOnResolver {
  constructor(private readonly parts: LineageResolverParts) {}

  @FieldResolver(() => TrainingRunConnection, {
    description: 'The runs that trained on it, or tried to, newest first.',
    complexity: cost(5),
  })
  async trainings(
    @Root() { record }: DatasetVersion,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<ConnectionOf<RunObject>> {
    const page = args.request();
    const runs = await this.parts.runs.list(workspaceId, { kind: training.kind, subjectId: record.id }, page);
    return toConnection(mapPage(runs, runObject), ({ row }) => encodeCursor([row.id]), page.after);
  }

  @FieldResolver(() => [AdapterVersion], {
    description: 'The adapter versions that learned from it, and those that went on from them, oldest first.',
    complexity: cost(5),
  })
  async adapterVersions(
    @Root() { record }: DatasetVersion,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<AdapterVersion[]> {
    return (await this.parts.adapters.store.versionsTrainedOn(workspaceId, record.id)).map(toAdapterVersion);
  }
}

/** From a version to the run that made it, and to what it answered. */
@Resolver(() => AdapterVersion)
export class VersionLineageResolver {
  constructor(private readonly parts: LineageResolverParts) {}

  @FieldResolver(() => TrainingRun, {
    nullable: true,
    description: 'The run that trained it; null for an imported one.',
    complexity: cost(2),
  })
  async trainedBy(@Root() { row }: AdapterVersion, @Ctx() { workspaceId }: GraphContext): Promise<RunObject | null> {
    const run = row.runId === null ? null : await this.parts.runs.get(workspaceId, row.runId);
    return run?.kind === training.kind ? runObject(run) : null;
  }

  @Needs('EDIT')
  @FieldResolver(() => AnswerConnection, { description: 'What it answered, newest first.', complexity: cost(5) })
  answers(
    @Root() { row }: AdapterVersion,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Ctx() context: GraphContext,
  ): Promise<ConnectionOf<AnswerType>> {
    return answersPage(context, this.parts.asking, { adapterVersionId: row.id }, args.request());
  }
}
