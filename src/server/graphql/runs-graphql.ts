import { id } from '../../kernel/record.js';
import { Arg, Args, ArgsType, Ctx, Field, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { badInput } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { encodeCursor, type Page, type PageRequest } from '../../kernel/pagination.js';
import {
  Needs,
  SpendsBudget,
  afterEvent,
  ConnectionArgs,
  cost,
  connectionTypes,
  fromGlobalId,
  NodeRegistry,
  NodeType,
  RunKind,
  RunEventType,
  runEventsOf,
  RunStatus,
  RunType,
  runObject,
  runSubject,
  runTypeName,
  toConnection,
  type ConnectionOf,
  type GraphContext,
  type RunObject,
  type RunRowLike,
  type StoredEventLike,
  inputType,
  ofType,
  objectType,
} from '../../kit/graphql/index.js';

/** What these resolvers need of the run queue. */
interface Runs {
  list(
    workspaceId: WorkspaceId,
    filter: { kind?: string | null; status?: RunStatus | null },
    page: PageRequest,
  ): Promise<Page<RunRowLike>>;
  history(
    workspaceId: WorkspaceId,
    runId: string,
    page: { after: bigint; most: number },
  ): Promise<{ run: RunRowLike; events: StoredEventLike[] }>;
  cancel(workspaceId: WorkspaceId, runId: string): Promise<RunRowLike>;
  pause(workspaceId: WorkspaceId, runId: string): Promise<RunRowLike>;
  resume(workspaceId: WorkspaceId, runId: string): Promise<RunRowLike>;
}

const { Connection: RunConnection } = connectionTypes(RunType, 'Run');

@ArgsType()
class RunsArgs extends ConnectionArgs {
  @Field(() => RunKind, { nullable: true, description: 'Only runs of this kind; all when left out.' })
  kind?: string | null;

  @Field(() => RunStatus, { nullable: true, description: 'Only runs that are this far; all when left out.' })
  status?: RunStatus | null;
}

const RunInput = inputType('RunInput', 'Names a run.', {
  id: id('Id of a run of any kind.'),
});
type RunInput = InstanceType<typeof RunInput>;

const RunPayload = objectType('RunPayload', 'The run as it is after the mutation.', {
  run: ofType(() => RunType).describe('The run; its `status` changes as soon as its work has let go.'),
});
type RunPayload = InstanceType<typeof RunPayload>;

const runTypes = (): string[] => Object.keys(RunKind).map(runTypeName);
const rowId = ({ id }: RunInput): string => fromGlobalId(id, runTypes(), 'input.id');

/** Events a page at most: a training reports one a step. */
const MOST_EVENTS = 1_000;

@Resolver()
export class RunResolver {
  constructor(private readonly parts: { runs: Runs }) {}

  @Needs('ASK')
  @Query(() => RunConnection, { name: 'runs', description: 'Long work of this workspace, newest first.' })
  async list(
    @Ctx() { workspaceId }: GraphContext,
    @Args(() => RunsArgs) args: RunsArgs,
  ): Promise<ConnectionOf<RunType>> {
    const page = await this.parts.runs.list(workspaceId, { kind: args.kind, status: args.status }, args.request());
    const connection = toConnection(page, (row) => encodeCursor([row.id]), args.after);
    return { ...connection, edges: connection.edges.map(({ cursor, node }) => ({ cursor, node: runObject(node) })) };
  }

  @Needs('ASK')
  @Query(() => [RunEventType], {
    description: `What a run of any kind reported so far, oldest first, page by page; its subscription tells the same as it happens. Cost: 1 and the selection for every ten of \`first\`.`,
    complexity: ({ args, childComplexity }) => 1 + Math.ceil(Number(args['first'] ?? 100) / 10) * childComplexity,
  })
  async runEvents(
    @Ctx() { workspaceId }: GraphContext,
    @Arg('runId', () => ID, { description: 'Id of a run of any kind.' }) runId: string,
    @Arg('first', () => Int, { defaultValue: 100, description: `How many, 1 to ${MOST_EVENTS}.` }) first: number,
    @Arg('after', () => String, {
      nullable: true,
      description: 'Id of the last event seen; by default from the first on.',
    })
    cursor: string | null,
  ): Promise<RunEventType[]> {
    if (first < 1 || first > MOST_EVENTS)
      throw badInput('first', `first must be between 1 and ${MOST_EVENTS}, not ${first}.`);
    const page = { after: afterEvent(cursor) ?? 0n, most: first };
    const { run, events } = await this.parts.runs.history(workspaceId, fromGlobalId(runId, runTypes(), 'runId'), page);
    return runEventsOf(run.kind, events);
  }

  @Needs('EDIT')
  @Mutation(() => RunPayload, {
    description:
      'Cancels a run. A queued one ends at once, a running one at its next step; cancelling twice is no error.',
  })
  async cancelRun(
    @Ctx() { workspaceId }: GraphContext,
    @Arg('input', () => RunInput, { description: 'Which run.' }) input: RunInput,
  ): Promise<RunPayload> {
    return { run: runObject(await this.parts.runs.cancel(workspaceId, rowId(input))) };
  }

  @Needs('EDIT')
  @Mutation(() => RunPayload, {
    description:
      'Pauses a run of a kind that can be paused (else `CONFLICT`): a queued one at once, a running one at its next step. Pausing twice is no error.',
  })
  async pauseRun(
    @Ctx() { workspaceId }: GraphContext,
    @Arg('input', () => RunInput, { description: 'Which run.' }) input: RunInput,
  ): Promise<RunPayload> {
    return { run: runObject(await this.parts.runs.pause(workspaceId, rowId(input))) };
  }

  @Needs('EDIT')
  @SpendsBudget('RUN')
  @Mutation(() => RunPayload, {
    description: 'Queues a paused run again; it goes on from where it was. No error for one that is not paused.',
  })
  async resumeRun(
    @Ctx() { workspaceId }: GraphContext,
    @Arg('input', () => RunInput, { description: 'Which run.' }) input: RunInput,
  ): Promise<RunPayload> {
    return { run: runObject(await this.parts.runs.resume(workspaceId, rowId(input))) };
  }
}

/** What every run has, whatever its kind. */
@Resolver(() => RunType)
export class RunSubjectResolver {
  constructor(private readonly parts: { nodes: NodeRegistry }) {}

  @FieldResolver(() => NodeType, {
    nullable: true,
    description:
      'What it works on: a collection, dataset, adapter version, …; null for a kind that works on nothing by itself, and once it was deleted.',
    complexity: cost(2),
  })
  async subject(@Root() { row }: RunObject, @Ctx() context: GraphContext): Promise<object | null> {
    const id = runSubject(row);
    return id === null ? null : this.parts.nodes.fetch(context, id);
  }
}

@Resolver()
export class NodeResolver {
  constructor(private readonly parts: { nodes: NodeRegistry }) {}

  @Needs('ASK')
  @Query(() => NodeType, {
    nullable: true,
    description: 'Any object by its global id; null when your workspace has none with it.',
  })
  node(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { description: 'The `id` of any object.' }) id: string,
  ): Promise<object | null> {
    return this.parts.nodes.fetch(context, id);
  }
}
