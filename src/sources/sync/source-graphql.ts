import { Arg, Args, Ctx, FieldResolver, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import {
  ConnectionArgs,
  connectionTypes,
  cost,
  fieldsOf,
  fromGlobalId,
  idempotencyKey,
  inputType,
  loadRow,
  loadRun,
  loadValue,
  make,
  mapPage,
  Needs,
  nodeType,
  objectType,
  ofType,
  recordInput,
  runGraph,
  toConnection,
  toGlobalId,
  toOne,
  type ConnectionOf,
  type GraphContext,
  type NodeRegistry,
} from '../../kit/graphql/index.js';
import { badInput } from '../../kernel/errors.js';
import { encodeCursor, pageRequest } from '../../kernel/pagination.js';
import { boolean, date, id, int, oneOf, string } from '../../kernel/record.js';
import { Collection, loadCollection, type KnowledgeStores } from '../knowledge/index.js';
import { sourceSync } from './folder-run.js';
import { MANIFEST_LIMITS, newItem } from './manifest.js';
import { itemsOfFile } from './manifest-file.js';
import { readFolder, type FolderParts } from './read-folder.js';
import { isStale, SourceKind, SourceState, type SourceRow } from './source.js';
import type { SourceStore } from './source-store.js';

const Source = nodeType('Source', 'A place whose documents a collection has.', {
  name: string('Unique in the workspace: 1 to 63 letters, digits, `.`, `_` or `-`.'),
  kind: oneOf(SourceKind, 'Who says what it has.'),
  labelled: boolean(
    'Whether its items come with the groups that may see them; one without any is then seen by nobody.',
  ),
  folder: string('The folder that is read; null where a client says what it has.').nullable(),
  everyMinutes: int('How often it is synced, in minutes; null where nobody says so.').nullable(),
  stale: boolean(
    'Whether two of its intervals have passed since `lastSyncedAt`: an alert is then open. False without an interval.',
  ),
  lastSyncedAt: date('The collection has what the source had then; null before the first sync.').nullable(),
  nextSyncAt: date('When its folder is read next; null where it is read by hand, or by a client.').nullable(),
  row: z.custom<SourceRow>(),
});
type Source = InstanceType<typeof Source>;

const SourceCountsType = objectType('SourceCounts', 'What became of the things that a source has.', {
  in: int('Documents that search sees, with the bytes that the source has.'),
  failed: int('Things that are no documents: `failures` has the reasons.'),
  empty: int('Files without text, such as scans without text recognition; `failures` has them, too.'),
  gone: int('Documents that went away with the last sync.'),
});

const SourceFailure = objectType('SourceFailure', 'A thing of a source that is no document.', {
  path: string('Where it lies in the source.'),
  reason: string('Why, and what to do about it.'),
  modifiedAt: date('When it was changed last, in the source; null where that isn’t known.').nullable(),
});
type SourceFailure = InstanceType<typeof SourceFailure>;

const { Connection: SourceConnection } = connectionTypes(Source);

const CreateSourceInput = inputType('CreateSourceInput', 'A new source.', {
  name: string('Unique in the workspace: 1 to 63 letters, digits, `.`, `_` or `-`, starting with a letter or digit.'),
  collection: string(
    'Name of the collection that gets its documents. It may have several sources, with paths of their own.',
  ),
  kind: z.enum(SourceKind).default('MANIFEST').describe('Who says what it has.'),
  labelled: z
    .boolean()
    .default(false)
    .describe('Whether its items come with the groups that may see them. An item without any is then seen by nobody.'),
  folder: string(
    'For the kind `FOLDER`: a name of GRAFT_SOURCE_FOLDERS, and the way from there, such as `handbook/2026`. Hidden files are left out, symbolic links are not followed.',
  ).nullish(),
  everyMinutes: int(
    'How often the folder is read, or its client means to sync it, 5 to 44,640 minutes. After two intervals without a sync there is an alert. A folder is read by hand alone by default.',
  ).nullish(),
});
type CreateSourceInput = InstanceType<typeof CreateSourceInput>;

const CreateSourcePayload = objectType('CreateSourcePayload', 'What `createSource` made.', {
  source: ofType(() => Source).describe('The new source, without documents.'),
});

const DeleteSourceInput = inputType('DeleteSourceInput', 'Which source to forget.', {
  source: string('Its name.'),
});
type DeleteSourceInput = InstanceType<typeof DeleteSourceInput>;

const DeleteSourcePayload = objectType('DeleteSourcePayload', 'What `deleteSource` did.', {
  name: string('The name, which is free again.'),
});
type DeleteSourcePayload = InstanceType<typeof DeleteSourcePayload>;

const SyncSourceInput = inputType('SyncSourceInput', 'All that a source has.', {
  source: string('Name of the source.'),
  items: z
    .array(ofType(() => SourceItemInput))
    .max(MANIFEST_LIMITS.inlineItems)
    .nullish()
    .describe('All of it, at most 5,000 items. What isn’t listed counts as gone.'),
  manifest: id(
    'The same as a file of `POST /files` in place of `items`: a JSON object a line, at most 20,000. It is deleted once it is read.',
  ).nullish(),
  retryFailed: z
    .boolean()
    .default(false)
    .describe('Whether files that are known to be no documents are asked for again, as after an update of Graft.'),
});
type SyncSourceInput = InstanceType<typeof SyncSourceInput>;
const SourceItemInput = recordInput(newItem);

const SyncSourcePayload = objectType('SyncSourcePayload', 'What a list changes, and what to upload.', {
  sync: id('The open sync, for `commitSync`. Another one of the source takes its place.'),
  source: ofType(() => Source).describe('The source; nothing that search sees has changed yet.'),
  new: z.array(z.string()).describe('Paths to upload and ingest under these names.'),
  changed: z.array(z.string()).describe('The same of those that replace a version; until then search sees that.'),
  gone: z.array(z.string()).describe('Paths whose documents `commitSync` deletes.'),
  unchanged: int('How many items are there as they are listed.'),
  relabelled: int('How many of these others may see from `commitSync` on.'),
  failed: int('How many can’t be documents; `Source.failures` has the reasons after `commitSync`.'),
});
type SyncSourcePayload = InstanceType<typeof SyncSourcePayload>;

const acceptLoss = z
  .boolean()
  .default(false)
  .describe('Whether it is meant that less than half of the documents stay, or none. A person should say so.');

const CommitSyncInput = inputType('CommitSyncInput', 'Which sync to end.', {
  sync: id('What `syncSource` returned.'),
  acceptLoss,
});
type CommitSyncInput = InstanceType<typeof CommitSyncInput>;

const CommitSyncPayload = objectType('CommitSyncPayload', 'How a sync ended.', {
  source: ofType(() => Source).describe('The source, of which the collection has what was listed.'),
});
type CommitSyncPayload = InstanceType<typeof CommitSyncPayload>;

const SyncFolderInput = inputType('SyncFolderInput', 'Which folder to read.', {
  source: string('Name of a source of the kind `FOLDER`.'),
  acceptLoss,
  idempotencyKey,
});

interface SourceParts extends FolderParts {
  stores: KnowledgeStores;
}

const toSource = (row: SourceRow): Source =>
  make(Source, {
    ...row,
    id: toGlobalId('Source', row.id),
    kind: row.kind as SourceKind,
    lastSyncedAt: row.syncedAt,
    stale: isStale(row, new Date()),
    row,
  });

const loadSource = async (context: GraphContext, sources: SourceStore, rowId: string): Promise<Source | null> => {
  const row = await loadRow(context, 'sources.byId', rowId, (ids) => sources.byIds(context.workspaceId, ids));
  return row && toSource(row);
};

export const sourceSyncRuns = runGraph(sourceSync.handledBy(readFolder));

export const FolderSyncResolver = sourceSyncRuns.startedBy('syncFolder', {
  description:
    'Reads the folder of a source, as a run: what is new or changed is ingested, what is gone is deleted at its end. A file that can’t be read stops no other.',
  input: SyncFolderInput,
  argument: 'Which source.',
  payload: 'The run that reads the folder.',
  run: async ({ sync, sources }: SourceParts, { source, ...request }, { workspaceId }) =>
    sync.startFolder(await sources.require(workspaceId, source), request),
  fields: {
    source: toOne(
      () => Source,
      'The source; null once it is deleted.',
      ({ row }, context, { sources }: SourceParts) => loadSource(context, sources, sourceSync.inputOf(row).sourceId),
    ),
  },
});

export const SourceFieldsResolver = fieldsOf<Source, SourceParts>(() => Source, {
  collection: toOne(
    () => Collection,
    'The collection that has its documents.',
    ({ row }, context, { stores }) => loadCollection(context, stores, row.collectionId),
  ),
  lastRun: toOne(
    () => sourceSyncRuns.Run,
    'The run that read its folder last; null before, and for other kinds.',
    ({ row }, context, { runs }) => loadRun(context, runs, row.runId),
  ),
});

@Resolver(() => Source)
export class SourceResolver {
  constructor(private readonly parts: SourceParts) {}

  @Needs('ASK')
  @Query(() => SourceConnection, { description: 'The sources of the workspace, by name.', complexity: cost(5) })
  async sources(
    @Ctx() { workspaceId }: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
  ): Promise<ConnectionOf<Source>> {
    const page = args.request();
    const rows = await this.parts.sources.list(workspaceId, page);
    return toConnection(mapPage(rows, toSource), ({ name }) => encodeCursor([name]), page.after);
  }

  @Needs('ASK')
  @Query(() => Source, {
    nullable: true,
    description: 'The source of this name: what of it is in, what failed and why, and how fresh that is.',
    complexity: cost(2),
  })
  async source(
    @Ctx() { workspaceId }: GraphContext,
    @Arg('name', () => String, { description: 'Its name.' }) name: string,
  ): Promise<Source | null> {
    const row = await this.parts.sources.get(workspaceId, name);
    return row && toSource(row);
  }

  @FieldResolver(() => SourceState, { description: 'How it stands.', complexity: cost(2) })
  async state(@Root() { row }: Source, @Ctx() context: GraphContext): Promise<SourceState> {
    const run = await loadRun(context, this.parts.runs, row.runId);
    if (run?.error) return 'FAILED';
    if (row.isOpen || run?.finishedAt === null) return 'SYNCING';
    return row.syncedAt === null ? 'NEW' : 'SYNCED';
  }

  @FieldResolver(() => SourceCountsType, { description: 'What became of the things that it has.', complexity: cost(5) })
  async counts(@Root() { row }: Source, @Ctx() context: GraphContext) {
    const counts = await loadValue(context, 'sources.counts', row.id, (ids) =>
      this.parts.sources.counts(context.workspaceId, ids),
    );
    return { in: 0, failed: 0, empty: 0, ...counts, gone: row.gone };
  }

  @FieldResolver(() => [SourceFailure], {
    description: 'Things of it that are no documents, by path, without those that you may not see.',
    complexity: cost(5),
  })
  failures(
    @Root() { row }: Source,
    @Ctx() { workspaceId, caller }: GraphContext,
    @Arg('first', () => Int, { defaultValue: 20, nullable: true, description: 'How many to return, 1 to 100.' })
    first?: number | null,
  ): Promise<SourceFailure[]> {
    return this.parts.sources.failures(workspaceId, row.id, pageRequest(first).first, caller.groups);
  }

  @Needs('EDIT')
  @Mutation(() => CreateSourcePayload, { description: 'Makes a source of a collection.', complexity: cost(5) })
  async createSource(
    @Arg('input', () => CreateSourceInput, { description: 'What it is.' }) input: CreateSourceInput,
    @Ctx() { workspaceId }: GraphContext,
  ) {
    return { source: toSource(await this.parts.sync.create(workspaceId, input)) };
  }

  @Needs('EDIT')
  @Mutation(() => DeleteSourcePayload, {
    description: 'Forgets a source. Its documents stay; a new source that lists them has them at once.',
    complexity: cost(5),
  })
  async deleteSource(
    @Arg('input', () => DeleteSourceInput, { description: 'Which source.' }) input: DeleteSourceInput,
    @Ctx() { workspaceId, change }: GraphContext,
  ): Promise<DeleteSourcePayload> {
    const { id: rowId, name, kind } = await this.parts.sync.remove(workspaceId, input.source);
    change.subject = toGlobalId('Source', rowId);
    change.before = { name, kind };
    return { name };
  }

  @Needs('EDIT')
  @Mutation(() => SyncSourcePayload, {
    description:
      'Opens a sync with the list of all that a source has, and says what to upload. Then `ingestDocuments` brings it under its paths, and `commitSync` ends it.',
    complexity: cost(20),
  })
  async syncSource(
    @Arg('input', () => SyncSourceInput, { description: 'All that the source has.' }) input: SyncSourceInput,
    @Ctx() { caller }: GraphContext,
  ): Promise<SyncSourcePayload> {
    const { sync, files } = this.parts;
    const { source: name, retryFailed, items = null, manifest = null } = input;
    if ((items === null) === (manifest === null))
      throw badInput('input', 'A sync has either items or manifest, and one of them.');
    const fileId = manifest === null ? null : fromGlobalId(manifest, 'File', 'input.manifest');
    const listed = items ?? (await itemsOfFile(files, caller.workspaceId, fileId!));
    const { syncId, source, comparison } = await sync.openManifest(caller, {
      source: name,
      items: listed,
      retryFailed,
    });
    if (fileId !== null) await files.remove(caller.workspaceId, fileId);
    return make(SyncSourcePayload, {
      sync: toGlobalId('SourceSync', syncId),
      source: toSource({ ...source, isOpen: true }),
      new: comparison.new.map(({ path }) => path),
      changed: comparison.changed.map(({ path }) => path),
      gone: comparison.gone.flatMap(({ path, live, foreign }) => (live === null || foreign ? [] : [path])),
      unchanged: comparison.unchanged.length,
      relabelled: comparison.relabelled.length,
      failed: comparison.failed.length,
    });
  }

  @Needs('EDIT')
  @Mutation(() => CommitSyncPayload, {
    description:
      'Ends a sync once all that it asked for was ingested, in one step: what is gone goes, groups change, failures are told. Again it does nothing.',
    complexity: cost(20),
  })
  async commitSync(
    @Arg('input', () => CommitSyncInput, { description: 'Which sync.' }) input: CommitSyncInput,
    @Ctx() { caller, change }: GraphContext,
  ): Promise<CommitSyncPayload> {
    const syncId = fromGlobalId(input.sync, 'SourceSync', 'input.sync');
    const row = await this.parts.sync.commit(caller, { syncId, acceptLoss: input.acceptLoss });
    change.subject = toGlobalId('Source', row.id);
    change.after = { name: row.name, gone: row.gone };
    return { source: toSource(row) };
  }
}

/** Lets `node(id)` find sources. */
export const registerSourceNodes = (nodes: NodeRegistry, sources: SourceStore): void =>
  nodes.register('Source', (context, rowId) => loadSource(context, sources, rowId));
