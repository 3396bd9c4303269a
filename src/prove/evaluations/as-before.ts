import { rowHashes, type Data, type TaskContext, type TaskRow, type UsableVersion } from '../../sources/data/index.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { AdapterRegistry } from '../../sources/registry/index.js';
import { measureAnswers, type Answered, type FiguresAsBefore } from './figures.js';

interface AsBeforeParts {
  data: Pick<Data, 'rows' | 'store'>;
  adapters: Pick<AdapterRegistry, 'store'>;
}

/** Test rows as they were answered, by a version and by the one that it is compared with. */
interface AnsweredRows extends Pick<UsableVersion, 'dataset' | 'version'> {
  rows: readonly TaskRow[];
  answers: readonly Answered[];
  against: readonly Answered[];
  againstVersionId: string;
  context: TaskContext;
}

/**
 * Measures the same answers by what the rows said when the comparison learned: whoever changes test rows may choose what is shown to be right.
 * @returns null where no row has another answer now, or the comparison learned from another dataset
 */
export async function figuresAsBefore(
  { data, adapters }: AsBeforeParts,
  workspaceId: WorkspaceId,
  { dataset, version, rows, answers, against, againstVersionId, context }: AnsweredRows,
): Promise<FiguresAsBefore | null> {
  const [compared] = await adapters.store.versionsById(workspaceId, [againstVersionId]);
  if (!compared?.datasetVersionId || compared.datasetVersionId === version.id) return null;
  const [earlier] = await data.store.versionsByIds(workspaceId, [compared.datasetVersionId]);
  if (!earlier || earlier.withdrawnAt !== null || earlier.datasetId !== dataset.id) return null;
  const rowsByWords = new Map<string, TaskRow>();
  const groups = await data.store.rowGroups(earlier.id);
  for await (const batch of data.rows.stream(dataset.task, groups, { split: 'TEST', quarantined: false }))
    for (const { content } of batch) if (content) rowsByWords.set(wordsOf(content), content);
  const places = [...rows.keys()].filter((place) => rowsByWords.has(wordsOf(rows[place]!)));
  const earlierRows = places.map((place) => rowsByWords.get(wordsOf(rows[place]!))!);
  const changed = places.filter(
    (place, i) => rowHashes(rows[place]!).output !== rowHashes(earlierRows[i]!).output,
  ).length;
  if (changed === 0) return null;
  const subsetOf = (list: readonly Answered[]): Answered[] => places.map((place) => list[place]!);
  const { metrics } = measureAnswers(earlierRows, subsetOf(answers), subsetOf(against), context);
  return { rows: places.length, changed, metric: metrics[0]! };
}

function wordsOf(row: TaskRow): string {
  const { scope, words } = rowHashes(row);
  return `${scope} ${words}`;
}
