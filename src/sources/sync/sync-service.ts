import { callerName, type Caller } from '../../kernel/caller.js';
import { badInput, GraftError, notFound } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { checkedName } from '../../kernel/text.js';
import type { Database, Transaction } from '../../platform/database/index.js';
import { requestErasure } from '../../platform/erasure/index.js';
import type { RunQueue, RunRow } from '../../platform/runs/index.js';
import { ingestion, lockCollection, type Knowledge } from '../knowledge/index.js';
import { sourceSync } from './folder-run.js';
import type { Folders } from './folders.js';
import {
  accessOf,
  checkedItems,
  compare,
  narrowed,
  type Comparison,
  type Item,
  type KnownItem,
  type NewItem,
} from './manifest.js';
import { INTERVAL, type SourceKind, type SourceRow } from './source.js';
import type { CommittedItem, IngestedItem, SourceStore } from './source-store.js';

export interface SyncParts extends Pick<Knowledge, 'collections' | 'documents' | 'labels'> {
  database: Database;
  runs: RunQueue;
  sources: SourceStore;
  folders: Folders;
}

/** A manifest beside what the collection has, and the id by which it is committed. */
export interface OpenedSync {
  syncId: string;
  source: SourceRow;
  /** In the order in which they were listed. */
  items: Item[];
  comparison: Comparison;
}

/** Faults of a document itself, which the same bytes have again. An earlier version of it is not what the source has. */
const OWN_FAULTS = ['DOCUMENT_UNREADABLE', 'UNSUPPORTED_MEDIA_TYPE', 'PAYLOAD_TOO_LARGE'];
/** How many names an error tells. */
const SHOWN = 3;

/**
 * Sources: what a collection has of a place, by the list of all that is there. `open` compares the list with the collection and changes
 * nothing that search sees. What is new or changed is ingested as always. `commit` then ends it in one transaction. Interrupted anywhere,
 * it is begun again with a new list.
 */
export class SyncService {
  constructor(private readonly parts: SyncParts) {}

  /** @throws NOT_FOUND, ALREADY_EXISTS, BAD_USER_INPUT */
  async create(
    workspaceId: WorkspaceId,
    input: {
      name: string;
      collection: string;
      kind: SourceKind;
      labelled: boolean;
      folder?: string | null;
      everyMinutes?: number | null;
    },
  ): Promise<SourceRow> {
    const { collections, folders, sources } = this.parts;
    const { kind, labelled, folder = null, everyMinutes = null } = input;
    const name = checkedName(input.name, 'input.name');
    if ((kind === 'FOLDER') !== (folder !== null))
      throw badInput('input.folder', 'A source of the kind FOLDER has a folder, and no other has one.');
    if (everyMinutes !== null && !(everyMinutes >= INTERVAL.least && everyMinutes <= INTERVAL.most))
      throw badInput('input.everyMinutes', `everyMinutes must be ${INTERVAL.least} to ${INTERVAL.most}.`);
    if (folder !== null && labelled)
      throw badInput('input.labelled', 'A folder doesn’t say who may see its files: sync it as a MANIFEST.');
    if (folder !== null) await folders.resolve(folder, 'input.folder');
    const { id: collectionId } = await collections.require(workspaceId, input.collection, 'input.collection');
    const nextSyncAt = folder === null || everyMinutes === null ? null : new Date();
    return sources.create({ workspaceId, collectionId, name, kind, labelled, folder, everyMinutes, nextSyncAt });
  }

  /** Forgets a source; its documents stay. @throws NOT_FOUND */
  async remove(workspaceId: WorkspaceId, name: string): Promise<SourceRow> {
    const source = await this.parts.sources.require(workspaceId, name);
    await this.parts.sources.remove(source.id);
    return source;
  }

  /** @throws NOT_FOUND, BAD_USER_INPUT, FORBIDDEN; CONFLICT for a folder, and where another source has one of the paths */
  async openManifest(
    caller: Caller,
    input: { source: string; items: readonly NewItem[]; retryFailed: boolean },
  ): Promise<OpenedSync> {
    const source = await this.parts.sources.require(caller.workspaceId, input.source);
    if (source.kind !== 'MANIFEST')
      throw new GraftError('CONFLICT', `${source.name} reads a folder, and takes no list.`, {
        field: 'input.source',
        hint: 'Sync it with syncFolder.',
      });
    return this.open(caller, source, input.items, input.retryFailed);
  }

  /** Opens a sync with the list of all that a source has. An earlier one that is still open can no longer be committed. */
  async open(
    caller: Caller,
    source: SourceRow,
    newItems: readonly NewItem[],
    retryFailed = false,
  ): Promise<OpenedSync> {
    const { sources, database } = this.parts;
    const items = checkedItems(newItems, source.labelled);
    return database.prisma.$transaction(async (tx) => {
      const collection = await this.#locked(tx, source);
      const paths = items.map(({ path }) => path);
      const takenItem = await sources.claim(tx, source, paths);
      if (retryFailed) await sources.forgetFailures(tx, source);
      const knownItems = await sources.known(tx, source);
      await this.#requireSeen(tx, caller, source, [...paths, ...knownItems.map(({ path }) => path)]);
      if (takenItem !== null)
        throw new GraftError('CONFLICT', `The source ${takenItem.source} has ${JSON.stringify(takenItem.path)}, too.`, {
          field: 'input.items',
          hint: 'Give each source paths of its own, or a collection.',
        });
      const comparison = compare(knownItems, items, source);
      if (source.labelled) {
        // From now on, so that no version of a document is ever seen by who may not see both.
        const oldAccess = new Map(
          knownItems.flatMap(({ path, live, access }) => (live === null ? [] : [[path, access]])),
        );
        const labels = [...comparison.new, ...comparison.changed].map((item) => ({
          path: item.path,
          access: oldAccess.has(item.path) ? narrowed(oldAccess.get(item.path)!, accessOf(item)) : accessOf(item),
        }));
        await sources.setAccess(tx, collection, labels, callerName(caller));
      }
      const syncId = await sources.open(tx, source, items);
      return { syncId, source, items, comparison };
    });
  }

  /**
   * Makes a sync the state of its source, once all that it asked for was ingested: what is gone goes. Again it does nothing.
   * @param unread why items could not be read meanwhile, by path: an earlier version stays
   * @throws NOT_FOUND, also for a sync that was replaced; CONFLICT while something is missing, and where much would go without `acceptLoss`
   */
  async commit(
    caller: Caller,
    { syncId, acceptLoss }: { syncId: string; acceptLoss: boolean },
    unread: ReadonlyMap<string, string> = new Map(),
  ): Promise<SourceRow> {
    const { sources, database } = this.parts;
    const source = await sources.bySync(caller.workspaceId, syncId);
    if (source === null) throw noSuchSync();
    await database.prisma.$transaction(async (tx) => {
      const collection = await this.#locked(tx, source);
      const items = await sources.manifest(tx, source.id, syncId);
      if (items === null) {
        if ((await tx.source.count({ where: { id: source.id, syncId } })) === 0) throw noSuchSync();
        return;
      }
      const knownItems = await sources.known(tx, source);
      await this.#requireSeen(
        tx,
        caller,
        source,
        knownItems.map(({ path }) => path),
      );
      const plan = await this.#plan(tx, source, { items, knownItems, unread });
      requireLoss(plan, acceptLoss);
      await this.#retire(tx, source, plan.retired);
      if (source.labelled) {
        const labels = items.map((item) => ({ path: item.path, access: accessOf(item) }));
        await sources.setAccess(tx, collection, labels, callerName(caller));
      }
      const goneItems = { paths: plan.gone.map(({ path }) => path), documents: plan.gone.filter(isDocument).length };
      await sources.commit(tx, source, plan.items, goneItems);
    });
    const [committed] = await sources.byIds(caller.workspaceId, [source.id]);
    if (committed === undefined) throw notFound('The source', source.name, 'input.sync');
    return committed;
  }

  /** Asks for a folder to be read. @throws NOT_FOUND, IDEMPOTENCY_CONFLICT; CONFLICT for no folder, and while it is read */
  async startFolder(
    source: SourceRow,
    { acceptLoss, idempotencyKey }: { acceptLoss: boolean; idempotencyKey: string },
  ): Promise<RunRow> {
    const { database, runs, sources } = this.parts;
    const workspaceId = source.workspaceId as WorkspaceId;
    if (source.folder === null)
      throw new GraftError('CONFLICT', `${source.name} has no folder: its client lists what it has.`, {
        field: 'input.source',
        hint: 'Sync it with syncSource.',
      });
    const input = { sourceId: source.id, acceptLoss };
    const request = { workspaceId, subjectId: source.collectionId, idempotencyKey, input };
    const earlierRun = await runs.byKey(workspaceId, sourceSync, idempotencyKey);
    if (earlierRun !== null) return runs.enqueue(sourceSync, request);
    return database.prisma.$transaction(async (tx) => {
      await this.#locked(tx, source);
      const run = await runs.enqueue(sourceSync, request, tx);
      const current = await tx.source.findFirst({ where: { id: source.id }, select: { runId: true } });
      if (current?.runId === run.id) return run;
      if (current?.runId && (await tx.run.count({ where: { id: current.runId, finishedAt: null } })) > 0)
        throw new GraftError('CONFLICT', `The folder of ${source.name} is being read.`, {
          field: 'input.source',
          hint: 'Wait until lastRun has ended.',
        });
      await sources.setRun(tx, source, run.id);
      return run;
    });
  }

  /** Begins what is due. The key names when it was due, so that of several gateways one begins it. */
  async startDue(source: SourceRow): Promise<void> {
    const { runs } = this.parts;
    const lastRun = source.runId && (await runs.get(source.workspaceId as WorkspaceId, source.runId));
    if (lastRun && lastRun.finishedAt === null) return;
    const idempotencyKey = `due ${source.id} ${source.nextSyncAt!.toISOString()}`;
    await this.startFolder(source, { acceptLoss: false, idempotencyKey });
  }

  /** Behind the lock nothing of the collection goes live. @throws NOT_FOUND */
  async #locked(tx: Transaction, { collectionId, workspaceId }: SourceRow) {
    await lockCollection(tx, collectionId);
    const collection = await tx.collection.findFirst({ where: { id: collectionId, workspaceId } });
    if (collection === null) throw new GraftError('NOT_FOUND', 'The collection no longer exists.');
    return collection;
  }

  /** Nobody changes what is hidden from them, nor who may see it. @throws FORBIDDEN */
  async #requireSeen(
    tx: Transaction,
    { workspaceId, groups }: Caller,
    { collectionId, labelled }: SourceRow,
    names: readonly string[],
  ): Promise<void> {
    if (groups === null) return;
    if (!labelled && (await this.parts.labels.hiddenIn(workspaceId, collectionId, names, groups, tx)).length === 0)
      return;
    throw new GraftError('FORBIDDEN', 'The source has documents that you may not see, or says who may see them.', {
      field: 'input.source',
      hint: 'Sync it with a key of role ADMIN.',
    });
  }

  /** What a commit does. @throws CONFLICT while something is missing */
  async #plan(
    tx: Transaction,
    source: SourceRow,
    {
      items,
      knownItems,
      unread,
    }: { items: readonly Item[]; knownItems: KnownItem[]; unread: ReadonlyMap<string, string> },
  ): Promise<Plan> {
    const { sources } = this.parts;
    const runId = await sources.unfinishedIngestion(source, tx);
    if (runId !== null)
      throw new GraftError('CONFLICT', `Documents of the source are still being ingested, by the run ${runId}.`, {
        field: 'input.sync',
        hint: 'Commit again when it has ended.',
      });
    const comparison = compare(knownItems, items, source);
    const pending = [...comparison.new, ...comparison.changed].filter(({ path }) => !unread.has(path));
    const ingested = pending.length === 0 ? [] : await sources.ingested(tx, source, pending);
    return planOf({ comparison, knownItems, ingested, unread });
  }

  async #retire(tx: Transaction, { workspaceId, collectionId }: SourceRow, names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const { documents, runs } = this.parts;
    const { ids } = await documents.retire(tx, collectionId, names);
    await runs.releaseKeys(ingestion, collectionId, tx);
    const request = { subject: 'documents', ids, subjectId: collectionId };
    await requestErasure(runs, workspaceId as WorkspaceId, request, tx);
  }
}

interface Plan {
  items: CommittedItem[];
  gone: KnownItem[];
  /** Names of documents that go. */
  retired: string[];
  /** Documents that there were, and how many of them stay under no name. */
  before: number;
  lost: number;
}

const isDocument = ({ live, foreign }: KnownItem): boolean => live !== null && !foreign;

/** @throws CONFLICT while something is missing */
function planOf({
  comparison,
  knownItems,
  ingested,
  unread,
}: {
  comparison: Comparison;
  knownItems: readonly KnownItem[];
  ingested: readonly IngestedItem[];
  unread: ReadonlyMap<string, string>;
}): Plan {
  const knownByPath = new Map(knownItems.map((knownItem) => [knownItem.path, knownItem]));
  const reports = new Map(ingested.map((report) => [report.name, report]));
  const missing: string[] = [];
  const retired = comparison.gone.filter(isDocument).map(({ path }) => path);
  const committed = (item: Item, outcome: Pick<CommittedItem, 'sha256' | 'failure' | 'lasting'>): CommittedItem => {
    const { path, etag, modifiedAt } = item;
    return { path, etag, modifiedAt, ...outcome };
  };
  const afterIngestion = (item: Item): CommittedItem => {
    const { live } = knownByPath.get(item.path)!;
    const report = reports.get(item.path);
    const reason = unread.get(item.path);
    if (reason !== undefined) return committed(item, { sha256: null, failure: reason, lasting: false });
    if (report === undefined || (report.outcome !== 'FAILED' && report.sha256 !== live)) missing.push(item.path);
    if (report?.outcome !== 'FAILED') return committed(item, { sha256: live, failure: null, lasting: false });
    const lasting = OWN_FAULTS.includes(report.code ?? '');
    if (lasting && live !== null) retired.push(item.path);
    return committed(item, { sha256: item.sha256, failure: report.message, lasting });
  };
  const items = [
    ...comparison.unchanged.map((item) =>
      committed(item, { sha256: knownByPath.get(item.path)!.live, failure: null, lasting: false }),
    ),
    ...comparison.failed.map((item) => {
      const { live, failure, sha256 } = knownByPath.get(item.path)!;
      if (!item.unreadable && live !== null) retired.push(item.path);
      return committed(item, { sha256, failure: item.problem ?? failure, lasting: item.problem === null });
    }),
    ...[...comparison.new, ...comparison.changed].map(afterIngestion),
  ];
  if (missing.length > 0)
    throw new GraftError('CONFLICT', `${missing.length} items were neither ingested nor refused: ${named(missing)}.`, {
      field: 'input.sync',
      hint: 'Upload them as they were listed, ingest them under their paths, and commit again.',
    });
  const keptDigests = new Set(items.flatMap(({ sha256, failure }) => (failure === null ? [sha256] : [])));
  // What this sync brought is not what there was before it.
  const documents = knownItems.filter((item) => isDocument(item) && (item.sha256 !== null || item.failure !== null));
  const goingPaths = new Set(retired);
  const lostCount = documents.filter(({ path, live }) => goingPaths.has(path) && !keptDigests.has(live)).length;
  return { items, gone: comparison.gone, retired, before: documents.length, lost: lostCount };
}

/** @throws CONFLICT where less than half of the documents would stay, and nobody said that this is meant */
function requireLoss(plan: Plan, acceptLoss: boolean): void {
  if (acceptLoss || (plan.before - plan.lost) * 2 >= plan.before) return;
  throw new GraftError(
    'CONFLICT',
    `${plan.lost} of the source’s ${plan.before} documents would go, so nothing was deleted.`,
    {
      field: 'input.acceptLoss',
      hint: 'If they are gone for good, say so with `acceptLoss: true` (`--accept-loss`). If not, find out why the list is short, and sync again.',
    },
  );
}

const named = (names: readonly string[]): string =>
  [...names.slice(0, SHOWN).map((name) => JSON.stringify(name)), ...(names.length > SHOWN ? ['…'] : [])].join(', ');

const noSuchSync = (): GraftError =>
  new GraftError('NOT_FOUND', 'There is no such sync, or another was opened since.', {
    field: 'input.sync',
    hint: 'Begin again with a new list.',
  });
