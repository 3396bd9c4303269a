import type { RaftMaker } from '../../../sources/data/index.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { RouteReason } from '../answer.js';
import type { Plan } from '../plan.js';

/**
 * What should be known of an adapter that learned to read a collection as it no longer is; null when it is as it was, or the adapter
 * learned from something else.
 */
export async function originReason(
  origins: Pick<RaftMaker, 'originOf'>,
  workspaceId: WorkspaceId,
  { adaptation }: Plan,
): Promise<RouteReason | null> {
  const adapter = adaptation?.adapter;
  if (!adapter?.usage.reads || adapter.datasetVersionId === null) return null;
  const origin = await origins.originOf(workspaceId, adapter.datasetVersionId);
  if (origin === null || origin.state === 'SAME') return null;
  const change = origin.state === 'GONE' ? 'was deleted' : 'has other documents';
  return {
    feature: 'adapter.origin',
    value: 0,
    contribution: 0,
    sentence:
      `The collection ${origin.collection}, which ${adapter.adapter}@${adapter.version} learned to read, ${change} since. ` +
      'createRaftDataset makes a set of what is there now.',
  };
}
