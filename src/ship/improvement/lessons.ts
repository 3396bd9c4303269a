import type { Data, TaskKind } from '../../sources/data/index.js';
import type { StartCuration } from '../../learn/feedback/index.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { AdapterRow, AdapterVersionRow } from '../../sources/registry/index.js';
import type { PolicySettings } from './policy.js';

/** What is learned has to be right with this probability, given who said so: as often as is supposed of anybody. */
const LEAST_PROBABILITY = 0.8;

/**
 * What an improvement learns from: answers of the version in production, into the dataset that the policy names or production was trained on.
 * @returns null where neither names one
 */
export async function lessons(
  { data }: { data: Pick<Data, 'store'> },
  workspaceId: WorkspaceId,
  {
    adapter,
    production,
    settings,
  }: { adapter: AdapterRow; production: AdapterVersionRow | null; settings: PolicySettings },
): Promise<Omit<StartCuration, 'idempotencyKey' | 'steps' | 'splitRule' | 'leastRows'> | null> {
  const datasetId = settings.datasetId ?? (await trainedOn(data, workspaceId, production));
  const [dataset] = datasetId === null ? [] : await data.store.byIds(workspaceId, [datasetId]);
  if (!dataset || production === null) return null;
  return {
    dataset: dataset.name,
    task: adapter.task as TaskKind,
    extend: true,
    leastProbability: LEAST_PROBABILITY,
    filter: { adapterVersionId: production.id },
  };
}

async function trainedOn(
  data: Pick<Data, 'store'>,
  workspaceId: WorkspaceId,
  production: AdapterVersionRow | null,
): Promise<string | null> {
  if (!production?.datasetVersionId) return null;
  const [version] = await data.store.versionsByIds(workspaceId, [production.datasetVersionId]);
  return version?.datasetId ?? null;
}
