import { defineDomain, offer, type Offer } from '../../kit/domain/index.js';
import type { NodeRegistry } from '../../kit/graphql/index.js';
import { MINUTE_MS } from '../../kernel/duration.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { asSystem, inEachWorkspace } from '../../platform/database/index.js';
import type { Platform } from '../../platform/platform.js';
import type { Knowledge } from '../knowledge/index.js';
import { Folders } from './folders.js';
import {
  FolderSyncResolver,
  registerSourceNodes,
  SourceFieldsResolver,
  SourceResolver,
  sourceSyncRuns,
} from './source-graphql.js';
import { SourceStore } from './source-store.js';
import { SyncService } from './sync-service.js';

export const syncDomain = defineDomain({
  classes: [SourceResolver, SourceFieldsResolver, FolderSyncResolver],
  runs: [sourceSyncRuns],
  registerNodes: (nodes: NodeRegistry, { sources }: { sources: SourceStore }) => registerSourceNodes(nodes, sources),
});

/** What collections have of other places. */
export interface OpenSync {
  readonly sync: SyncService;
  readonly sources: SourceStore;
  readonly offer: Offer;
}

export function openSync(platform: Platform, { knowledge }: { knowledge: Knowledge }): OpenSync {
  const { database, runs, files, clock, config } = platform;
  const { collections, documents, labels } = knowledge;
  const sources = new SourceStore(database);
  const folders = new Folders(config.GRAFT_SOURCE_FOLDERS);
  const sync = new SyncService({ database, runs, sources, folders, collections, documents, labels });
  const look = async () =>
    inEachWorkspace(
      await asSystem(() => sources.due(clock.now())),
      ({ workspaceId }) => workspaceId as WorkspaceId,
      (source) => sync.startDue(source),
    );
  const stores = { collections, documents, labels };
  return {
    sync,
    sources,
    offer: offer(
      syncDomain,
      runs,
      { sync, sources, folders, knowledge, files, runs, stores },
      {
        chores: [{ name: 'read folders of sources', everyMs: MINUTE_MS, work: look }],
      },
    ),
  };
}
