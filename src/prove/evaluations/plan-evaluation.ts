import type { z } from 'zod';
import { hasLabel, Split, type Data } from '../../sources/data/index.js';
import { badInput } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { record, int, float, string } from '../../kernel/record.js';
import { pairedPower, powerSentence } from '../../kernel/statistics/paired-power.js';
import { MOST_ROWS } from './evaluator.js';

export const evaluationPlan = record(
  'EvaluationPlan',
  'What a comparison of two versions on the same rows can tell, before it is made.',
  {
    testRows: int('Rows for testing that the dataset version has.'),
    rows: int('Rows that would be asked.'),
    gain: float('The gain that is to be found, as a share of the rows.'),
    leastPower: float('Probability with which it is found, 0 to 1, where the two differ on many rows (8 %).'),
    mostPower: float('The same where they differ on few (5 %).'),
    leastRows: int('Rows that find it in 80 of 100 cases, where they differ on few rows.'),
    mostRows: int('The same where they differ on many.'),
    sentence: string('All of it in words, with what is missing.'),
  },
);
export type EvaluationPlan = z.infer<typeof evaluationPlan>;

/** @throws NOT_FOUND, DATASET_UNUSABLE, BAD_USER_INPUT for rows or a gain out of range, and for a task whose answers aren't right or wrong */
export async function planEvaluation(
  { datasets, rows: versionRows }: Pick<Data, 'datasets' | 'rows'>,
  workspaceId: WorkspaceId,
  { datasetVersionId, rows: limit, gain }: { datasetVersionId: string; rows: number; gain: number },
): Promise<EvaluationPlan> {
  if (limit < 1 || limit > MOST_ROWS) throw badInput('rows', `rows must be between 1 and ${MOST_ROWS}, not ${limit}.`);
  if (!(gain > 0 && gain < 1)) throw badInput('gain', `gain must be between 0 and 1, not ${gain}.`);
  const { dataset, rowGroups } = await datasets.usableVersion(workspaceId, datasetVersionId, 'datasetVersion');
  if (!hasLabel(dataset.task))
    throw badInput(
      'datasetVersion',
      `Answers of ${dataset.task} are more or less right; this is told of labels alone.`,
    );
  const testRows = await versionRows.count(rowGroups, { split: Split.TEST, quarantined: false });
  const rows = Math.min(testRows, limit);
  const { least, most: mostPower, leastRows, mostRows } = pairedPower(rows, gain);
  const sentence = powerSentence({ rows, gain, least, most: mostPower, leastRows, mostRows });
  const missing =
    least < 0.8 && testRows < mostRows
      ? ` The version has ${testRows} rows for testing: add more, or make a version with a larger \`test\` in its \`splitRule\`.`
      : '';
  return { testRows, rows, gain, leastPower: least, mostPower, leastRows, mostRows, sentence: sentence + missing };
}
