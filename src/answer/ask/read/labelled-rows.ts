import { UNFITTED, type Blend, type LabelIndexes, type LabelIndexRecord } from '../../../sources/data/index.js';
import { badInput } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { ServedAdapter } from '../../../sources/registry/index.js';

/** Labelled rows that an answer is read from, and how much they count beside an adapter. */
export interface LabelledRows {
  index: LabelIndexRecord;
  blend: Blend;
}

/**
 * The labelled rows that are read beside an adapter: those that the caller named, else those that it was trained on where they are
 * indexed; null when there are none.
 * @throws BAD_USER_INPUT for an adapter that can't be read together with rows
 */
export async function rowsBeside(
  labelIndexes: Pick<LabelIndexes, 'find' | 'store'>,
  workspaceId: WorkspaceId,
  adapter: ServedAdapter,
  namedIndex: LabelIndexRecord | null,
): Promise<LabelledRows | null> {
  const byToken = adapter.usage.answer.form === 'label-token';
  if (namedIndex && !byToken)
    throw badInput(
      'input.adapter',
      `${adapter.adapter} writes its answers as text: they have no probabilities that rows could add to.`,
      'Use RAG, which asks the rows alone, or an adapter that learned one token for each label.',
    );
  if (!byToken) return null;
  const { datasetVersionId } = adapter;
  const index = namedIndex ?? (datasetVersionId && (await labelIndexes.find(workspaceId, { datasetVersionId })));
  return index ? { index, blend: await labelIndexes.store.blend(index.id, adapter.versionId) } : null;
}

/** Rows that answer alone. */
export const rowsAlone = (index: LabelIndexRecord): LabelledRows => ({ index, blend: UNFITTED });
