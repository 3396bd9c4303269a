import type { Addition } from './facts.js';
import { RESOLUTIONS, TOTAL, type Resolution, type SeriesKey } from './metric.js';
import type { Added } from './series-store.js';

/** Something that happened to answers of a key, and what it adds. */
interface SeriesIncrement {
  workspaceId: string;
  at: Date;
  key: SeriesKey;
  additions: readonly Addition[];
}

/** What is added to the buckets of all resolutions, to those of their key and to the totals: additions of the same bucket become one. */
export function rollUp(increments: readonly SeriesIncrement[], now: Date): Added[] {
  const buckets = new Map<string, Added>();
  for (const { workspaceId, at, key, additions } of increments) {
    for (const [name, { seconds, keptDays }] of Object.entries(RESOLUTIONS)) {
      const resolution = name as Resolution;
      // What has grown too old for a resolution would be deleted from it at once.
      if (at.getTime() < now.getTime() - keptDays * 86_400_000) continue;
      const start = Math.floor(at.getTime() / (1000 * seconds)) * 1000 * seconds;
      for (const addition of additions) {
        const added = { ...addition, resolution, start, workspaceId };
        merge(buckets, { ...added, key });
        merge(buckets, { ...added, key: TOTAL });
      }
    }
  }
  return [...buckets.values()];
}

function merge(buckets: Map<string, Added>, added: Added): void {
  const { workspaceId, resolution, start, metric, bin, detail, key } = added;
  const { model, adapter, strategy, collection, subject, arm } = key;
  const id = [
    workspaceId,
    resolution,
    start,
    metric,
    bin,
    model,
    adapter,
    strategy,
    collection,
    subject,
    arm,
    detail,
  ].join('\0');
  const bucket = buckets.get(id);
  if (bucket === undefined) return void buckets.set(id, { ...added });
  bucket.count += added.count;
  bucket.sum += added.sum;
}
