import { labelIndexing } from '../../sources/data/index.js';
import { newId } from '../../kernel/ids.js';
import { systemClock } from '../../kernel/clock.js';
import { reindexing } from '../../sources/knowledge/index.js';
import { openDatabase } from '../../platform/database/index.js';
import { EventLog } from '../../platform/events/index.js';
import { RunQueue } from '../../platform/runs/index.js';
import { silentLogger } from '../../platform/telemetry/index.js';
import type { Restored } from './restore.js';

/**
 * Asks for the vectors that a restore didn't bring, as runs that the next gateway does, with progress as any.
 * @returns how many there are
 */
export async function embedAnew(databaseUrl: string, { collections, labels }: Restored['toEmbed']): Promise<number> {
  // Indexes of one collection by several embedders: it is embedded by the one that is configured.
  const collectionsById = new Map(collections.map((collection) => [collection.collectionId, collection]));
  if (collectionsById.size + labels.length === 0) return 0;
  const database = await openDatabase(databaseUrl, { unsaid: 'system' });
  const log = silentLogger();
  const events = new EventLog({ database, log });
  const runs = new RunQueue({ database, events, clock: systemClock, log, owner: newId() });
  try {
    for (const [collectionId, { workspaceId }] of collectionsById)
      await runs.enqueue(reindexing, {
        workspaceId,
        subjectId: collectionId,
        idempotencyKey: `restore ${newId()}`,
        input: { collectionId },
      });
    for (const { workspaceId, indexId, versionId } of labels) {
      const input = { datasetVersionId: versionId };
      const { id } = await runs.enqueue(labelIndexing, {
        workspaceId,
        subjectId: versionId,
        idempotencyKey: `restore ${newId()}`,
        input,
      });
      // Under the id that it had, so that what was fitted to it still holds.
      const checkpoint = labelIndexing.checkpoint!.encode({ indexId, ordinal: 0, rows: 0 }) as object;
      await database.prisma.run.update({ where: { id }, data: { checkpoint } });
    }
    return collectionsById.size + labels.length;
  } finally {
    await runs.stop();
    await events.close();
    await database.close();
  }
}
