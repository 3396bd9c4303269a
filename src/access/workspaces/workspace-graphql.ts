import { Arg, Args, Ctx, Field, InputType, Mutation, ObjectType, Query, Resolver } from 'type-graphql';
import {
  ConnectionArgs,
  cost,
  make,
  mapPage,
  Needs,
  toConnection,
  type ConnectionOf,
  type GraphContext,
} from '../../graphql-kit/index.js';
import { encodeCursor } from '../../kernel/pagination.js';
import type { WorkspaceService } from './workspace-service.js';
import { toWorkspace, Workspace, WorkspaceConnection } from './workspace-types.js';

@InputType({ description: 'A workspace to make.' })
export class CreateWorkspaceInput {
  @Field(() => String, { description: 'Its name: 1 to 100 characters, unique among workspaces.' })
  name!: string;
}

@ObjectType({ description: 'What `createWorkspace` made.' })
export class CreateWorkspacePayload {
  @Field(() => Workspace, { description: 'The workspace. It is empty but for the models that come with Graft.' })
  workspace!: Workspace;
}

@Resolver()
export class WorkspaceResolver {
  constructor(private readonly parts: { workspaces: WorkspaceService }) {}

  @Needs('ADMIN')
  @Query(() => WorkspaceConnection, {
    description:
      'The workspaces that you look after, oldest first: all of them for administrators of the first workspace, else your own.',
  })
  async workspaces(
    @Ctx() { caller }: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
  ): Promise<ConnectionOf<Workspace>> {
    const page = mapPage(await this.parts.workspaces.page(caller, args.request()), (row) => ({
      row,
      node: toWorkspace(row),
    }));
    const connection = toConnection(page, ({ row }) => encodeCursor([row.id]), args.after);
    return { ...connection, edges: connection.edges.map(({ cursor, node: { node } }) => ({ cursor, node })) };
  }

  @Needs('ADMIN')
  @Mutation(() => CreateWorkspacePayload, {
    description:
      'Makes a workspace with the models that come with Graft; for administrators of the first workspace only. Make its first key with `createApiKey`.',
    complexity: cost(20),
  })
  async createWorkspace(
    @Arg('input', () => CreateWorkspaceInput, { description: 'The workspace.' }) { name }: CreateWorkspaceInput,
    @Ctx() { caller }: GraphContext,
  ): Promise<CreateWorkspacePayload> {
    return make(CreateWorkspacePayload, {
      workspace: toWorkspace(await this.parts.workspaces.create(caller, name)),
    });
  }
}
