import { factsOf, Split, type Data } from '../../sources/data/index.js';
import { GraftError } from '../../kernel/errors.js';
import type { WorkerClient } from '../../platform/worker/index.js';
import { askRow } from '../evaluations/ask-row.js';
import { scoreRow } from '../evaluations/figures.js';
import { sampleRows, type AskedRow } from '../evaluations/sample-rows.js';
import type { Adapted } from './measure-retention.js';
import type { OtherRow } from './retention.js';

/** Test rows of each other task that are asked. */
const OTHER_ROWS = 100;

/**
 * Test rows of another task, asked as the base model is asked, without and with an adapter that is not made for them.
 * @throws DATASET_UNUSABLE, also when the version has no test rows, and what the worker throws
 */
export async function measureOtherTask(
  { data, worker }: { data: Data; worker: Pick<WorkerClient, 'generate' | 'scoreNext'> },
  { workspaceId, variant, adapter }: Adapted,
  datasetVersionId: string,
  signal: AbortSignal,
): Promise<OtherRow[]> {
  const { dataset, version, rowGroups } = await data.datasets.usableVersion(
    workspaceId,
    datasetVersionId,
    'input.otherTasks',
  );
  const stream = data.rows.stream(dataset.task, rowGroups, { split: Split.TEST, quarantined: false });
  const rows = await sampleRows(stream, OTHER_ROWS, 1);
  if (rows.length === 0)
    throw new GraftError(
      'DATASET_UNUSABLE',
      `Version ${version.version} of ${dataset.name} has no TEST rows to look for forgetting on.`,
    );
  const context = await data.rows.taskContext(dataset.task, rowGroups);
  const views = version.manifest.features.map(({ view }) => view);
  const scores = async (alwaysOn: Adapted['adapter']['file'] | null): Promise<number[]> => {
    const side = { workspaceId, variant, adapter: null, alwaysOn, context };
    const ask = async (row: AskedRow): Promise<number> => {
      const answer = await askRow(worker, side, { row: row.content, facts: factsOf(row, views) }, signal);
      return scoreRow(row.content, answer, context);
    };
    const rowScores: number[] = [];
    for (const row of rows) rowScores.push(await ask(row));
    return rowScores;
  };
  const [base, adapted] = [await scores(null), await scores(adapter.file)];
  return base.map((score, i) => ({ base: score, adapted: adapted[i]! }));
}
