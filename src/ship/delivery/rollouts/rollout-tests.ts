import { inWorkspace, type Database } from '../../../platform/database/index.js';
import { rolloutTest } from '../assignment/index.js';
import type { LiveTest, TestSource } from '../live-tests.js';
import type { RolloutDecider } from './rollout-decider.js';
import type { RolloutStore } from './rollout-store.js';

interface LiveRow {
  id: string;
  workspaceId: string;
  adapter: string;
  candidateVersion: number;
  againstVersion: number;
  step: number;
  share: number;
  controls: number;
  salt: string;
}

/** The rollouts that questions are drawn into: those that run and are watched. */
export class RolloutTests implements TestSource {
  constructor(private readonly parts: { database: Database; rollouts: RolloutStore; decider: RolloutDecider }) {}

  async live(): Promise<LiveTest[]> {
    const { database, rollouts, decider } = this.parts;
    for (const { workspaceId, id, why } of await rollouts.unwatched())
      await inWorkspace(workspaceId, () => decider.abort(workspaceId, id, why));
    const { rows } = await database.pool.query<LiveRow>({
      name: 'rollouts-live',
      text: `SELECT id, workspace_id AS "workspaceId", adapter, candidate_version AS "candidateVersion",
                    against_version AS "againstVersion", step, share, controls, salt
               FROM rollout WHERE finished_at IS NULL AND status IN ('RUNNING', 'PAUSED')`,
    });
    return rows.map(({ id, workspaceId, adapter, candidateVersion, againstVersion, step, share, controls, salt }) => ({
      kind: 'ROLLOUT',
      id,
      workspaceId,
      adapter,
      stage: step,
      salt,
      test: rolloutTest(id, share, controls),
      changes: [{ adapter: `${adapter}@${candidateVersion}` }, { adapter: `${adapter}@${againstVersion}` }],
    }));
  }
}
