import { inputText, rightLabel, Split, type Data } from '../../../sources/data/index.js';
import { seededRandom, shuffled } from '../../../kernel/random.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { AdapterRegistry } from '../../../sources/registry/index.js';

const SEED = 1;

export interface TrainingInput {
  text: string;
  /** null where its task has none. */
  label: string | null;
}

/**
 * Inputs of rows that an adapter version was trained on with their labels, at most so many, each equally likely to be among them
 * (reservoir sampling, Vitter 1985, algorithm R), in random order. Empty where it wasn't trained here, or its rows are withdrawn.
 */
export async function trainingInputs(
  { adapters, data }: { adapters: AdapterRegistry; data: Data },
  workspaceId: WorkspaceId,
  adapterVersionId: string,
  limit: number,
): Promise<TrainingInput[]> {
  const match = await adapters.requireVersionById(workspaceId, adapterVersionId).catch(() => null);
  const datasetVersionId = match?.version.datasetVersionId ?? null;
  if (datasetVersionId === null) return [];
  const usable = await data.datasets.usableVersion(workspaceId, datasetVersionId, 'input').catch(() => null);
  if (usable === null) return [];
  const { dataset, rowGroups } = usable;
  const random = seededRandom(SEED);
  const sample: TrainingInput[] = [];
  let rowCount = 0;
  for await (const rows of data.rows.stream(dataset.task, rowGroups, { split: Split.TRAIN, quarantined: false }))
    for (const { content } of rows) {
      if (content === null) continue;
      rowCount += 1;
      const place = rowCount <= limit ? rowCount - 1 : Math.floor(random() * rowCount);
      if (place < limit) sample[place] = { text: inputText(content), label: rightLabel(content) };
    }
  return shuffled(sample, random);
}
