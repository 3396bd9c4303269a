import { Arg, Args, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import {
  ConnectionArgs,
  cost,
  mapPage,
  Needs,
  toConnection,
  type ConnectionOf,
  type GraphContext,
  inputType,
  ofType,
  objectType,
} from '../../../kit/graphql/index.js';
import { encodeCursor } from '../../../kernel/pagination.js';
import { string } from '../../../kernel/record.js';
import type { WorkspaceService } from './workspace-service.js';
import { toWorkspace, Workspace, WorkspaceConnection } from './workspace-types.js';

const CreateWorkspaceInput = inputType('CreateWorkspaceInput', 'A workspace to make.', {
  name: string('Its name: 1 to 100 characters, unique among workspaces.'),
});
type CreateWorkspaceInput = InstanceType<typeof CreateWorkspaceInput>;

const CreateWorkspacePayload = objectType('CreateWorkspacePayload', 'What `createWorkspace` made.', {
  workspace: ofType(() => Workspace, 'The workspace. It is empty but for the models that come with Graft.'),
});
type CreateWorkspacePayload = InstanceType<typeof CreateWorkspacePayload>;

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
    const page = mapPage(await this.parts.workspaces.page(caller, args.request()), toWorkspace);
    return toConnection(page, ({ row }) => encodeCursor([row.id]), args.after);
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
    return {
      workspace: toWorkspace(await this.parts.workspaces.create(caller, name)),
    };
  }
}
