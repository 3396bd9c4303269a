import {
  preprocessText,
  rowHashes,
  taskOf,
  type Data,
  type DatasetRecord,
  type PreprocessingStep,
  type TaskRow,
} from '../../../sources/data/index.js';
import type { TaughtRow } from './taught-row.js';

type Version = NonNullable<Awaited<ReturnType<Data['store']['latest']>>>;

/** Answers of the rows for testing, by their words. */
export type TestedAnswers = ReadonlyMap<string, ReadonlySet<string>>;

/** Empty where there is no version that is extended, or equal words may have several answers. */
export async function testedAnswers(
  { store, rows }: Pick<Data, 'store' | 'rows'>,
  { task }: DatasetRecord,
  version: Version | null,
): Promise<TestedAnswers> {
  const tested = new Map<string, Set<string>>();
  if (version === null || !taskOf(task).oneAnswer) return tested;
  for await (const batch of rows.stream(task, await store.rowGroups(version.id), { split: 'TEST', quarantined: false }))
    for (const { content } of batch) {
      if (content === null) continue;
      const { key, output } = placeOf(content);
      tested.set(key, (tested.get(key) ?? new Set()).add(output));
    }
  return tested;
}

/** Whether a row for testing has the words of this one and another answer: it would be replaced. */
export function contradictsTest(
  { record }: TaughtRow,
  task: DatasetRecord['task'],
  steps: readonly PreprocessingStep[],
  tested: TestedAnswers,
): boolean {
  if (tested.size === 0) return false;
  const text = preprocessText(record['text'] as string, steps).text;
  const { key, output } = placeOf({ ...record, task, text } as unknown as TaskRow);
  return tested.get(key)?.has(output) === false;
}

function placeOf(row: TaskRow): { key: string; output: string } {
  const { scope, words, output } = rowHashes(row);
  return { key: `${scope} ${words}`, output };
}
