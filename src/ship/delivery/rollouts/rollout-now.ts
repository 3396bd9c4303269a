import type { WorkspaceId } from '../../../kernel/ids.js';
import { behind, MOST_IN_A_LOOK } from '../counting.js';
import { count, countVerdicts } from './evaluate.js';
import { listens } from './plan.js';
import { isLive, storedPlan, storedState, type RolloutRow } from './rollout.js';
import type { RolloutStore } from './rollout-store.js';

/**
 * A rollout with what has come since its row was written, counted in memory as its run does, so that every gateway shows the same. Nothing is decided or
 * written by it.
 */
async function asOfNow(
  rollouts: Pick<RolloutStore, 'byIds' | 'poll' | 'uncountedVerdicts'>,
  row: RolloutRow,
): Promise<RolloutRow> {
  if (!isLive(row.status)) return row;
  const plan = storedPlan.decode(row.plan);
  const [pollResult, verdicts] = await Promise.all([
    rollouts.poll(row, behind({ last: row.lastSequence, recent: row.recentSequences }), MOST_IN_A_LOOK),
    listens(plan)
      ? rollouts.uncountedVerdicts(
          row.id,
          behind({ last: row.lastVerdict, recent: row.recentVerdicts }),
          MOST_IN_A_LOOK,
        )
      : [],
  ]);
  if (pollResult && pollResult.around.revision !== row.revision) {
    // It was written meanwhile, which happens every fifteen seconds.
    const [currentRow] = await rollouts.byIds(row.workspaceId as WorkspaceId, [row.id]);
    return currentRow && currentRow.revision !== row.revision ? asOfNow(rollouts, currentRow) : row;
  }
  if (!pollResult || pollResult.outcomes.length + verdicts.length === 0) return row;
  const progress = storedState.decode(structuredClone(row.state));
  count(plan, progress, pollResult.outcomes, row.watchedMs);
  countVerdicts(plan, progress, verdicts);
  return { ...row, state: storedState.encode(progress) };
}

/** The same of each of them. */
export const allAsOfNow = (
  rollouts: Parameters<typeof asOfNow>[0],
  rows: readonly RolloutRow[],
): Promise<RolloutRow[]> => Promise.all(rows.map((row) => asOfNow(rollouts, row)));
