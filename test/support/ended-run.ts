import type { Database } from '../../src/platform/database/index.js';
import type { RunRow } from '../../src/platform/runs/index.js';
import { eventually } from './eventually.js';

/** The run when it has ended, one way or the other: waited for as long as a slow test may take, since the test's own limit ends it where it is shorter. */
export const endedRun = (
  database: Database,
  { id, kind }: Pick<RunRow, 'id' | 'kind'>,
  withinMs = 200_000,
): Promise<RunRow> =>
  eventually(
    `the ${kind} run to end`,
    async () => {
      const now = await database.prisma.run.findFirstOrThrow({ where: { id } });
      return now.finishedAt && now;
    },
    withinMs,
  );
