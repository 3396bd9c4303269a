import { localCaller } from '../../kernel/caller.js';
import { GraftError, isGraftError } from '../../kernel/errors.js';
import type { Uuid, WorkspaceId } from '../../kernel/ids.js';
import type { FileService, StoredFileRow } from '../../platform/artifacts/index.js';
import { pause } from '../../platform/events/index.js';
import { filesBelow, listedFile, openWithin, readProblem, type FolderFile } from '../../platform/folder-files.js';
import { runEnd, type RunQueue } from '../../platform/runs/index.js';
import { INGESTION_LIMITS, type Knowledge } from '../knowledge/index.js';
import type { SourceSyncContext } from './folder-run.js';
import type { Folders } from './folders.js';
import { MANIFEST_LIMITS, type Item, type NewItem } from './manifest.js';
import type { SourceRow } from './source.js';
import type { SourceStore } from './source-store.js';
import type { SyncService } from './sync-service.js';

export interface FolderParts {
  sync: SyncService;
  sources: SourceStore;
  folders: Folders;
  knowledge: Pick<Knowledge, 'service' | 'collections'>;
  files: FileService;
  runs: RunQueue;
}

const LOOK_MS = 200;
/** The share of a run's progress that digests take. */
const DIGESTS = 0.1;

/** An item that is new or changed, and the file that it is of. */
type WantedFile = Item & { file: FolderFile };

/**
 * A SOURCE_SYNC run: the folder is listed, opened as a sync, ingested in batches and committed. A killed one begins anew: what is there
 * already is then unchanged.
 */
export async function readFolder(parts: FolderParts, context: SourceSyncContext) {
  const { sync, sources, folders } = parts;
  const workspaceId = context.run.workspaceId as WorkspaceId;
  const caller = localCaller(workspaceId);
  const [source] = await sources.byIds(workspaceId, [context.input.sourceId]);
  if (source?.folder == null) throw new GraftError('NOT_FOUND', 'The source no longer exists.');
  const root = await folders.resolve(source.folder, 'input.source');
  await ingestionsEnded(parts, source, context);
  const files = await filesBelow(root, { limit: MANIFEST_LIMITS.items, signal: context.signal });
  const items: NewItem[] = [];
  for (const [index, file] of files.entries()) {
    context.signal.throwIfAborted();
    items.push(await listedFile(root, file, INGESTION_LIMITS.fileBytes));
    if (index % 100 === 0)
      await context.progress((DIGESTS * index) / files.length, `${index} of ${files.length} files read`);
  }
  const { syncId, items: listed, comparison } = await sync.open(caller, source, items);
  const fileByPath = new Map(listed.map(({ path }, index) => [path, files[index]!]));
  const wantedItems = [...comparison.new, ...comparison.changed].map((item) => ({
    ...item,
    file: fileByPath.get(item.path)!,
  }));
  const unread = new Map<string, string>();
  for (let begin = 0; begin < wantedItems.length; begin += INGESTION_LIMITS.documents) {
    const inPlace = files.length - wantedItems.length + begin;
    const message = `${begin} of ${wantedItems.length} new or changed files ingested`;
    await context.progress(DIGESTS + ((0.99 - DIGESTS) * inPlace) / files.length, message);
    const batch = wantedItems.slice(begin, begin + INGESTION_LIMITS.documents);
    await ingestBatch(parts, context, { source, root, batch, unread, key: `${syncId} ${begin}` });
  }
  await ingestionsEnded(parts, source, context);
  const committed = await sync.commit(caller, { syncId, acceptLoss: context.input.acceptLoss }, unread);
  const { failed = 0, empty = 0 } = (await sources.counts(workspaceId, [source.id])).get(source.id) ?? {};
  return { ingested: wantedItems.length, failed: failed + empty, gone: committed.gone };
}

/** Ingests files as they were listed; why one could not be is written to `unread`. */
async function ingestBatch(
  { knowledge, files, runs }: FolderParts,
  context: SourceSyncContext,
  work: { source: SourceRow; root: string; batch: readonly WantedFile[]; unread: Map<string, string>; key: string },
): Promise<void> {
  const { source, root, batch, unread, key } = work;
  const workspaceId = source.workspaceId as WorkspaceId;
  const documents: { name: string; fileId: Uuid }[] = [];
  for (const { path, sha256, file } of batch) {
    context.signal.throwIfAborted();
    const upload = await storedFile(files, { workspaceId, root, file, name: path });
    if (typeof upload === 'string') unread.set(path, upload);
    else if (upload.sha256 === sha256) documents.push({ name: path, fileId: upload.id as Uuid });
    else {
      unread.set(path, 'It changed while it was read. The next sync takes it.');
      await files.remove(workspaceId, upload.id);
    }
  }
  if (documents.length === 0) return;
  const [collection] = await knowledge.collections.byIds(workspaceId, [source.collectionId]);
  if (collection === undefined) throw new GraftError('NOT_FOUND', 'The collection no longer exists.');
  const run = await knowledge.service.ingestDocuments(localCaller(workspaceId), {
    collection: collection.name,
    documents,
    idempotencyKey: key,
  });
  await runEnd({ runs, context, everyMs: LOOK_MS }, run).catch((error: unknown) => {
    // A run of which every document failed; if it is another fault, the commit finds documents missing.
    if (!isGraftError(error, 'CONFLICT') || context.signal.aborted) throw error;
  });
}

/** The file as an upload would be stored, or why it can't be read. */
async function storedFile(
  files: FileService,
  { workspaceId, root, file, name }: { workspaceId: WorkspaceId; root: string; file: FolderFile; name: string },
): Promise<StoredFileRow | string> {
  const handle = await openWithin(root, file.path).catch(readProblem);
  if (typeof handle === 'string') return handle;
  try {
    const maxBytes = INGESTION_LIMITS.fileBytes;
    const mediaType = 'application/octet-stream';
    return await files.store(workspaceId, { name, mediaType, source: handle.createReadStream(), maxBytes });
  } catch (error) {
    if (!isGraftError(error, 'PAYLOAD_TOO_LARGE')) throw error;
    return error.message;
  } finally {
    await handle.close();
  }
}

/** Waits for what an earlier attempt, or somebody else, is still bringing in. */
async function ingestionsEnded({ sources }: FolderParts, source: SourceRow, context: SourceSyncContext): Promise<void> {
  for (let isFirst = true; (await sources.unfinishedIngestion(source)) !== null; isFirst = false) {
    if (isFirst) await context.progress(context.run.progress, 'Waits for ingestions that have not ended');
    await pause(LOOK_MS, context.signal);
    context.signal.throwIfAborted();
  }
}
