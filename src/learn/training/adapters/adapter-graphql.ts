import { Arg, Args, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { AppliedAdapter } from '../../../answer/ask/index.js';
import { DatasetVersion, loadVersion, TaskKind, type Data } from '../../../sources/data/index.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { deciderOf } from '../../../kernel/caller.js';
import { encodeCursor } from '../../../kernel/pagination.js';
import {
  Needs,
  ConnectionArgs,
  cost,
  DateTime,
  mapPage,
  toConnection,
  loadRow,
  loadValue,
  toOne,
  fieldsOf,
  toMany,
  toItsOwn,
} from '../../../kit/graphql/index.js';
import type { Change, ConnectionOf, GraphContext, NodeRegistry } from '../../../kit/graphql/index.js';
import { loadVariant, Model, ModelVariant, toModel } from '../../../sources/registry/index.js';
import type {
  AdapterRegistry,
  AdapterVersionRow,
  AliasChangeRow,
  ModelRegistry,
  ModelRow,
} from '../../../sources/registry/index.js';
import {
  Adapter,
  AdapterAlias,
  AdapterConnection,
  AdapterVersion,
  AliasChange,
  AliasChangeConnection,
  AliasMovedPayload,
  RollbackAdapterInput,
  toAdapter,
  toAdapterVersion,
  toAliasChange,
  toAliasMoved,
} from './adapter-types.js';

interface AdapterResolverParts {
  adapters: AdapterRegistry;
  registry: ModelRegistry;
  data: Data;
}

/** A version by row id, batched over the request: for the fields of others that point to one. */
export async function loadAdapterVersion(
  context: GraphContext,
  adapters: AdapterRegistry,
  id: string | null,
): Promise<AdapterVersion | null> {
  const row = await loadRow(context, 'adapters.versionsById', id, (ids) =>
    adapters.store.versionsById(context.workspaceId, ids),
  );
  return row && toAdapterVersion(row);
}

/** A field that leads to a version. @param idOf its id, as the object has it */
export const toVersion = <Root>(description: string, idOf: (root: Root) => string | null) =>
  toOne(
    () => AdapterVersion,
    description,
    (root: Root, context, { adapters }: { adapters: AdapterRegistry }) =>
      loadAdapterVersion(context, adapters, idOf(root)),
  );

@Resolver(() => Adapter)
export class AdapterResolver {
  constructor(private readonly parts: AdapterResolverParts) {}

  @Needs('ASK')
  @Query(() => AdapterConnection, { description: 'The adapters of the workspace, by name.', complexity: cost(5) })
  async adapters(
    @Ctx() context: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Arg('task', () => TaskKind, { nullable: true, description: 'Only those for this kind of task.' })
    task?: TaskKind | null,
  ): Promise<ConnectionOf<Adapter>> {
    const page = args.request();
    const rows = await this.parts.adapters.store.adapters(context.workspaceId, task ?? null, page);
    return toConnection(mapPage(rows, toAdapter), ({ name }) => encodeCursor([name]), page.after);
  }

  @Needs('ASK')
  @Query(() => Adapter, {
    nullable: true,
    description: 'The adapter of this name; null when there is none.',
    complexity: cost(2),
  })
  async adapter(
    @Ctx() context: GraphContext,
    @Arg('name', () => String, { description: 'Its name.' }) name: string,
  ): Promise<Adapter | null> {
    const row = await this.parts.adapters.store.byName(context.workspaceId, name);
    return row ? toAdapter(row) : null;
  }

  @FieldResolver(() => Model, { description: 'The base model that it adapts.', complexity: cost(2) })
  async model(@Root() { row }: Adapter, @Ctx() context: GraphContext): Promise<Model> {
    const rows = context.loader<string, ModelRow>('registry.modelsById', (ids) =>
      this.parts.registry.modelsById(context.workspaceId, ids),
    );
    return toModel((await rows.load(row.modelId))!);
  }

  @FieldResolver(() => [AdapterVersion], { description: 'Its versions, newest first.', complexity: cost(5) })
  async versions(@Root() { row }: Adapter, @Ctx() context: GraphContext): Promise<AdapterVersion[]> {
    const loader = context.loader<string, AdapterVersionRow[]>('adapters.versionsOf', async (ids) => {
      const rows = await this.parts.adapters.store.versionsOf(context.workspaceId, ids);
      return ids.map((id) => rows.filter(({ adapterId }) => adapterId === id));
    });
    return ((await loader.load(row.id)) ?? []).map(toAdapterVersion);
  }

  @FieldResolver(() => AdapterVersion, {
    nullable: true,
    description: 'The version that an alias names, now or at a moment of the past; null when it named none.',
    complexity: cost(2),
  })
  async named(
    @Root() { row }: Adapter,
    @Ctx() { workspaceId }: GraphContext,
    @Arg('alias', () => AdapterAlias, { defaultValue: AdapterAlias.PRODUCTION, description: 'Which alias.' })
    alias: AdapterAlias,
    @Arg('asOf', () => DateTime, { nullable: true, description: 'The moment; now by default.' }) asOf?: Date | null,
  ): Promise<AdapterVersion | null> {
    const { adapters } = this.parts;
    const version = asOf
      ? await adapters.asOf(workspaceId, row, alias, asOf)
      : await adapters.store.resolve(row, { alias });
    return version ? toAdapterVersion(version) : null;
  }

  @FieldResolver(() => AliasChangeConnection, {
    description: 'Every move of its aliases, newest first.',
    complexity: cost(5),
  })
  async history(
    @Root() { row }: Adapter,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
  ): Promise<ConnectionOf<AliasChange>> {
    const page = args.request();
    const changes = await this.parts.adapters.store.changes(row, page);
    return toConnection(mapPage(changes, toAliasChange), (change) => encodeCursor([change.row.id]), page.after);
  }

  @Needs('OPERATE')
  @Mutation(() => AliasMovedPayload, {
    description: 'Lets an alias name again what it named before its last promotion; again, and it goes back one more.',
    complexity: cost(10),
  })
  async rollbackAdapter(
    @Arg('input', () => RollbackAdapterInput, { description: 'Which alias.' }) input: RollbackAdapterInput,
    @Ctx() { workspaceId, caller, change: auditEntry }: GraphContext,
  ): Promise<AliasMovedPayload> {
    const { adapter: name, alias, reason } = input;
    const change = await this.parts.adapters.rollback(workspaceId, {
      name,
      alias,
      reason,
      by: deciderOf(caller, input.by),
    });
    Object.assign(auditEntry, await aliasMove(this.parts.adapters.store, change));
    return toAliasMoved(await this.parts.adapters.require(workspaceId, name), change);
  }
}

export const AdapterVersionResolver = fieldsOf<AdapterVersion, AdapterResolverParts>(() => AdapterVersion, {
  adapter: toItsOwn(
    () => Adapter,
    'The adapter that it is a version of.',
    async ({ row }, context, { adapters }) => (await loadAdapter(context, adapters, row.adapterId))!,
    { cost: 2 },
  ),
  model: toItsOwn(
    () => ModelVariant,
    'The stored form of the model that it was trained against.',
    async ({ row }, context, { registry }) => (await loadVariant(context, registry, row.variantId))!,
    { cost: 2 },
  ),
  aliases: toMany(
    () => AdapterAlias,
    'The aliases that name it now.',
    async ({ row }, context, { adapters }) =>
      (await loadValue(context, 'adapters.aliases', row.id, (ids) => adapters.store.aliasesOf(ids))) ?? [],
    { cost: 2 },
  ),
  trainedOn: toOne(
    () => DatasetVersion,
    'The rows that it learned from; null for an imported one.',
    ({ row }, context, { data }) => loadVersion(context, data, row.datasetVersionId),
  ),
  parent: toVersion(
    'The version that its training started from; null when it started from the base model, or when that version was deleted.',
    ({ row }) => row.parentId,
  ),
});

/** The way from an answer to the rows that trained its adapter. */
@Resolver(() => AppliedAdapter)
export class AppliedAdapterResolver {
  constructor(private readonly parts: AdapterResolverParts) {}

  @FieldResolver(() => AdapterVersion, {
    name: 'version',
    nullable: true,
    description: 'The version that answered, with what it was trained on; null when it was deleted.',
    complexity: cost(2),
  })
  // The stored record calls the number so.
  answeringVersion(
    @Root() { versionId }: AppliedAdapter,
    @Ctx() context: GraphContext,
  ): Promise<AdapterVersion | null> {
    return loadAdapterVersion(context, this.parts.adapters, versionId);
  }
}

export const AliasChangeResolver = fieldsOf<AliasChange, AdapterResolverParts>(() => AliasChange, {
  from: toVersion('What it named before; null when nothing.', ({ row }) => row.fromVersionId),
  to: toVersion('What it named from then on; null when nothing.', ({ row }) => row.toVersionId),
});

/** A move as the audit log tells it: which version the alias named before and after. */
export async function aliasMove(
  store: Pick<AdapterRegistry['store'], 'versionsById'>,
  { workspaceId, alias, fromVersionId, toVersionId }: AliasChangeRow,
): Promise<Required<Pick<Change, 'before' | 'after'>>> {
  const ids = [fromVersionId, toVersionId].filter((id) => id !== null);
  const versions = new Map(
    (await store.versionsById(workspaceId as WorkspaceId, ids)).map((row) => [row.id, row.version]),
  );
  const stateOf = (id: string | null) => ({ alias, version: (id && versions.get(id)) ?? null });
  return { before: stateOf(fromVersionId), after: stateOf(toVersionId) };
}

/** An adapter by row id, batched over the request. */
export async function loadAdapter(
  context: GraphContext,
  { store }: AdapterRegistry,
  id: string,
): Promise<Adapter | null> {
  const row = await loadRow(context, 'adapters.byId', id, (ids) => store.byIds(context.workspaceId, ids));
  return row && toAdapter(row);
}

/** Lets `node(id)` find adapters and their versions. */
export function registerAdapterNodes(nodes: NodeRegistry, adapters: AdapterRegistry): void {
  nodes.register('Adapter', (context, id) => loadAdapter(context, adapters, id));
  nodes.register('AdapterVersion', (context, id) => loadAdapterVersion(context, adapters, id));
}
