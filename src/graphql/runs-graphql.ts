import { Arg, Args, ArgsType, Ctx, Field, ID, InputType, Mutation, ObjectType, Query, Resolver } from 'type-graphql';
import type { WorkspaceId } from '../kernel/ids.js';
import { encodeCursor, type Page, type PageRequest } from '../kernel/pagination.js';
import {
  ConnectionArgs,
  connectionTypes,
  fromGlobalId,
  NodeRegistry,
  NodeType,
  RunKind,
  RunStatus,
  RunType,
  runObject,
  runTypeName,
  toConnection,
  type ConnectionOf,
  type GraphContext,
  type RunRowLike,
} from '../graphql-kit/index.js';

/** What these resolvers need of the run queue. */
export interface Runs {
  list(
    workspaceId: WorkspaceId,
    filter: { kind?: RunKind | null; status?: RunStatus | null },
    page: PageRequest,
  ): Promise<Page<RunRowLike>>;
  cancel(workspaceId: WorkspaceId, runId: string): Promise<RunRowLike>;
}

const { Connection: RunConnection } = connectionTypes(RunType, 'Run');

@ArgsType()
class RunsArgs extends ConnectionArgs {
  @Field(() => RunKind, { nullable: true, description: 'Only runs of this kind; all when left out.' })
  kind?: RunKind | null;

  @Field(() => RunStatus, { nullable: true, description: 'Only runs that are this far; all when left out.' })
  status?: RunStatus | null;
}

@InputType({ description: 'Names a run.' })
export class RunInput {
  @Field(() => ID, { description: 'Id of a run of any kind.' })
  id!: string;
}

@ObjectType({ description: 'The run as it is after the mutation.' })
export class RunPayload {
  @Field(() => RunType, { description: 'The run; its `status` changes as soon as its work has let go.' })
  run!: RunType;
}

const RUN_TYPES = Object.values(RunKind).map(runTypeName);

@Resolver()
export class RunResolver {
  constructor(private readonly parts: { runs: Runs }) {}

  @Query(() => RunConnection, { name: 'runs', description: 'Long work of this workspace, newest first.' })
  async list(
    @Ctx() { workspaceId }: GraphContext,
    @Args(() => RunsArgs) args: RunsArgs,
  ): Promise<ConnectionOf<RunType>> {
    const page = await this.parts.runs.list(workspaceId, { kind: args.kind, status: args.status }, args.request());
    const connection = toConnection(page, (row) => encodeCursor([row.id]), args.after);
    return { ...connection, edges: connection.edges.map(({ cursor, node }) => ({ cursor, node: runObject(node) })) };
  }

  @Mutation(() => RunPayload, {
    description:
      'Cancels a run. A queued one ends at once, a running one at its next step; cancelling twice is no error.',
  })
  async cancelRun(
    @Ctx() { workspaceId }: GraphContext,
    @Arg('input', () => RunInput, { description: 'Which run.' }) input: RunInput,
  ): Promise<RunPayload> {
    const id = fromGlobalId(input.id, RUN_TYPES, 'input.id');
    return { run: runObject(await this.parts.runs.cancel(workspaceId, id)) };
  }
}

@Resolver()
export class NodeResolver {
  constructor(private readonly parts: { nodes: NodeRegistry }) {}

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
