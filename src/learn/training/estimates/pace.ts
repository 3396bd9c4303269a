import type { WorkspaceId } from '../../../kernel/ids.js';
import { storedMetrics, type AdapterRegistry } from '../../../sources/registry/index.js';
import type { ExecutorChoice } from '../runs/executor-choice.js';

export interface PaceParts {
  adapters: Pick<AdapterRegistry, 'store'>;
  executors: Pick<ExecutorChoice, 'chosen'>;
}

/**
 * Tokens/s that this machine learns of a model, without padding: as its newest adapter was trained, else as its executors were timed;
 * null before either.
 */
export async function paceOf(
  { adapters, executors }: PaceParts,
  workspaceId: WorkspaceId,
  { variantId, sha256 }: { variantId: string; sha256: string },
): Promise<number | null> {
  const newest = await adapters.store.newestTrained(workspaceId, variantId);
  const time = newest && storedMetrics.decode(newest.metrics).time;
  if (time) return time.tokensPerSecond;
  const timed = (await executors.chosen()).filter(({ modelSha256 }) => modelSha256 === sha256).at(-1);
  return timed?.measured.find(({ executor }) => executor === timed.executor)?.tokensPerSecond ?? null;
}
