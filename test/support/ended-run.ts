import type { Database } from '../../src/platform/database/index.js';
import type { RunRow } from '../../src/platform/runs/index.js';
import { eventually } from './eventually.js';

/** The run when it has ended, one way or the other. */
export const endedRun = (
  database: Database,
  { id, kind }: Pick<RunRow, 'id' | 'kind'>,
  withinMs = 60_000,
): Promise<RunRow> =>
  eventually(
    `the ${kind} run to end`,
    async () => {
      const now = await database.prisma.run.findFirstOrThrow({ where: { id } });
      return now.finishedAt && now;
    },
    withinMs,
  );
