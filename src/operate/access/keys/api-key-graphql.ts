import { Arg, Args, ArgsType, Ctx, Field, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import {
  ConnectionArgs,
  fromGlobalId,
  inOrder,
  mapPage,
  Needs,
  toConnection,
  type ConnectionOf,
  type GraphContext,
  inputType,
  ofType,
  objectType,
} from '../../../kit/graphql/index.js';
import { callerName, Role } from '../../../kernel/caller.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { encodeCursor } from '../../../kernel/pagination.js';
import { string, oneOf, list, date, id, int } from '../../../kernel/record.js';
import type { WorkspaceService } from '../workspaces/workspace-service.js';
import { toWorkspace, Workspace } from '../workspaces/workspace-types.js';
import { DEFAULT_OVERLAP_SECONDS, MOST_OVERLAP_SECONDS } from './api-key.js';
import type { ApiKeyService } from './api-key-service.js';
import type { ApiKeyStore } from './api-key-store.js';
import { ApiKey, ApiKeyConnection, toApiKey } from './api-key-types.js';

const EXPIRY = 'When it stops to work, a time to come';
const WORKSPACE =
  'Id of the workspace that it is of: your own by default; another for administrators of the first workspace only.';

@ArgsType()
class ApiKeysArgs extends ConnectionArgs {
  @Field(() => ID, { nullable: true, description: WORKSPACE })
  workspaceId?: string | null;
}

const CreateApiKeyInput = inputType('CreateApiKeyInput', 'A key to make.', {
  name: string('What it is for: 1 to 100 characters; it stands in what is recorded.'),
  role: oneOf(Role, 'What its owner may do.'),
  groups: list(
    z.string(),
    'Groups whose documents its owner sees, none by default: at most 100 names of 1 to 100 characters. Documents without labels are seen by all.',
  )
    .max(100)
    .nullish(),
  expiresAt: date(`${EXPIRY}; never by default.`).nullish(),
  workspaceId: id(WORKSPACE).nullish(),
});
type CreateApiKeyInput = InstanceType<typeof CreateApiKeyInput>;

const UpdateApiKeyInput = inputType('UpdateApiKeyInput', 'What to change of a key; what is left out stays.', {
  id: id('Id of the key.'),
  name: string('What it is for: 1 to 100 characters.').nullish(),
  role: oneOf(Role, 'What its owner may do from now on; streams that need more end within a second.').nullish(),
  groups: list(
    z.string(),
    'Groups whose documents its owner sees from now on: at most 100 names of 1 to 100 characters. Documents without labels are seen by all.',
  )
    .max(100)
    .nullish(),
  expiresAt: date(`${EXPIRY}; null for never.`).nullish(),
  workspaceId: id(WORKSPACE).nullish(),
});
type UpdateApiKeyInput = InstanceType<typeof UpdateApiKeyInput>;

const RotateApiKeyInput = inputType('RotateApiKeyInput', 'A key to replace.', {
  id: id('Id of the key.'),
  overlapSeconds: int(
    `For how long the old key still works, in seconds, 0 to ${MOST_OVERLAP_SECONDS}; null for the default.`,
  ).default(DEFAULT_OVERLAP_SECONDS),
  workspaceId: id(WORKSPACE).nullish(),
});
type RotateApiKeyInput = InstanceType<typeof RotateApiKeyInput>;

const RevokeApiKeyInput = inputType('RevokeApiKeyInput', 'A key to end.', {
  id: id('Id of the key.'),
  workspaceId: id(WORKSPACE).nullish(),
});
type RevokeApiKeyInput = InstanceType<typeof RevokeApiKeyInput>;

const NewApiKeyPayload = objectType('NewApiKeyPayload', 'A key as it was made.', {
  key: ofType(() => ApiKey, 'The key as it is listed.'),
  token: string('The key itself, for the header `Authorization: Bearer …`. It is shown here once, and nowhere again.'),
});
type NewApiKeyPayload = InstanceType<typeof NewApiKeyPayload>;

const ApiKeyPayload = objectType('ApiKeyPayload', 'A key as it is after the mutation.', {
  key: ofType(() => ApiKey, 'The key.'),
});
type ApiKeyPayload = InstanceType<typeof ApiKeyPayload>;

const Me = objectType('Me', 'Whoever sends this request.', {
  role: oneOf(Role, 'What you may do.'),
  name: string('As who you are recorded: a key’s name and prefix, or `local` on a gateway that asks for none.'),
  workspace: ofType(() => Workspace, 'The workspace that you work in.'),
  key: ofType(
    () => ApiKey,
    'Your key; null on a gateway that asks for none, and for who came with a token.',
  ).nullable(),
});
type Me = InstanceType<typeof Me>;

export interface ApiKeyResolverParts {
  keys: ApiKeyService;
  keyStore: ApiKeyStore;
  workspaces: WorkspaceService;
}

const keyId = (id: string): string => fromGlobalId(id, 'ApiKey', 'input.id');

@Resolver(() => ApiKey)
export class ApiKeyResolver {
  constructor(private readonly parts: ApiKeyResolverParts) {}

  @Needs('ASK')
  @Query(() => Me, { description: 'Who you are to this gateway.' })
  async me(@Ctx() context: GraphContext): Promise<Me> {
    const { workspaceId, role, key } = context.caller;
    const row = key && (await this.parts.keyStore.byId(workspaceId, key.id));
    const name = callerName(context.caller);
    return { role, name, workspace: await this.#workspace(context, workspaceId), key: row && toApiKey(row) };
  }

  @Needs('ADMIN')
  @Query(() => ApiKeyConnection, { description: 'The keys of a workspace, newest first; revoked ones too.' })
  async apiKeys(
    @Ctx() context: GraphContext,
    @Args(() => ApiKeysArgs) args: ApiKeysArgs,
  ): Promise<ConnectionOf<ApiKey>> {
    const read = (workspace: WorkspaceId) => this.parts.keyStore.page(workspace, args.request());
    const page = mapPage(await this.#within(context, args.workspaceId, read, 'workspaceId'), toApiKey);
    return toConnection(page, ({ row }) => encodeCursor([row.id]), args.after);
  }

  @Needs('ADMIN')
  @Mutation(() => NewApiKeyPayload, { description: 'Makes a key. Nobody can read it again: keep what is returned.' })
  async createApiKey(
    @Arg('input', () => CreateApiKeyInput, { description: 'The key.' }) input: CreateApiKeyInput,
    @Ctx() context: GraphContext,
  ): Promise<NewApiKeyPayload> {
    const { key, token } = await this.#within(context, input.workspaceId, (workspace) =>
      this.parts.keys.create(workspace, input, callerName(context.caller)),
    );
    return { key: toApiKey(key), token };
  }

  @Needs('ADMIN')
  @Mutation(() => ApiKeyPayload, { description: 'Changes a key. It holds within a second, on every gateway.' })
  async updateApiKey(
    @Arg('input', () => UpdateApiKeyInput, { description: 'The change.' }) input: UpdateApiKeyInput,
    @Ctx() context: GraphContext,
  ): Promise<ApiKeyPayload> {
    const key = await this.#within(context, input.workspaceId, (workspace) =>
      this.parts.keys.update(workspace, keyId(input.id), input),
    );
    return { key: toApiKey(key) };
  }

  @Needs('ADMIN')
  @Mutation(() => NewApiKeyPayload, {
    description:
      'Makes a key in place of another, with its name, role, expiry and budget; the old one works on for `overlapSeconds`, so that nobody is shut out meanwhile.',
  })
  async rotateApiKey(
    @Arg('input', () => RotateApiKeyInput, { description: 'The key.' }) input: RotateApiKeyInput,
    @Ctx() context: GraphContext,
  ): Promise<NewApiKeyPayload> {
    const { keys } = this.parts;
    const newKey = await this.#within(context, input.workspaceId, (workspace) =>
      keys.rotate(workspace, keyId(input.id), input.overlapSeconds, callerName(context.caller)),
    );
    return { key: toApiKey(newKey.key), token: newKey.token };
  }

  @Needs('ADMIN')
  @Mutation(() => ApiKeyPayload, {
    description: 'Ends a key. Within a second nothing is answered to it on any gateway, and what it streams has ended.',
  })
  async revokeApiKey(
    @Arg('input', () => RevokeApiKeyInput, { description: 'The key.' }) input: RevokeApiKeyInput,
    @Ctx() context: GraphContext,
  ): Promise<ApiKeyPayload> {
    const key = await this.#within(context, input.workspaceId, (workspace) =>
      this.parts.keys.revoke(workspace, keyId(input.id)),
    );
    return { key: toApiKey(key) };
  }

  @FieldResolver(() => Workspace, { description: 'The workspace that it lets into.' })
  workspace(@Root() { row }: ApiKey, @Ctx() context: GraphContext): Promise<Workspace> {
    return this.#workspace(context, row.workspaceId);
  }

  async #workspace(context: GraphContext, id: string): Promise<Workspace> {
    const { workspaces } = this.parts;
    const loader = context.loader(workspaces, async (ids: readonly string[]) =>
      inOrder(ids, await workspaces.byIds(ids)),
    );
    return toWorkspace((await loader.load(id))!);
  }

  #within<T>(
    { caller }: GraphContext,
    workspaceId: string | null | undefined,
    work: (workspace: WorkspaceId) => Promise<T>,
    field = 'input.workspaceId',
  ): Promise<T> {
    const id = workspaceId ? fromGlobalId(workspaceId, 'Workspace', field) : null;
    return this.parts.workspaces.within(caller, id, field, work);
  }
}
