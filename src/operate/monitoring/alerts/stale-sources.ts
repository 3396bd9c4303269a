import { isStale, type OpenSync } from '../../../sources/sync/index.js';
import type { NewAlert } from './alert.js';

/** Sources that were not synced for two of their intervals. An alert of one is resolved as soon as it is synced. */
export async function staleSources({ sources }: Pick<OpenSync, 'sources'>, now: Date): Promise<NewAlert[]> {
  const rows = await sources.withInterval();
  return rows
    .filter((row) => isStale(row, now))
    .map(({ id, workspaceId, name, everyMinutes, syncedAt }) => ({
      workspaceId,
      kind: 'SOURCE',
      source: `source:${id}`,
      ruleId: null,
      sentence: `The source ${name} ${syncedAt === null ? 'was never synced' : `was synced last at ${syncedAt.toISOString()}`}, and is to be every ${everyMinutes} minutes. Source name=${name} says why.`,
      evidence: 0,
      observations: 0,
      quietMinutes: 0,
    }));
}
