import type { Arm } from '../../../answer/ask/index.js';
import { inWorkspace } from '../../../platform/database/index.js';
import type { LiveTest, TestSource } from '../live-tests.js';
import type { ExperimentDecider } from './experiment-decider.js';
import { storedExperimentState, storedSettings, testOf, type ExperimentArm, type ExperimentRow } from './experiment.js';
import type { ExperimentStore } from './experiment-store.js';

/** The experiments that questions are drawn into: those that run and are watched. */
export class ExperimentTests implements TestSource {
  constructor(private readonly parts: { experiments: ExperimentStore; experimentDecider: ExperimentDecider }) {}

  async live(): Promise<LiveTest[]> {
    const { experiments, experimentDecider } = this.parts;
    for (const { workspaceId, id, why } of await experiments.unwatched())
      await inWorkspace(workspaceId, () => experimentDecider.stop(workspaceId, id, why));
    return (await experiments.running()).map(toLiveTest);
  }
}

function toLiveTest(row: ExperimentRow): LiveTest {
  const plan = storedSettings.decode(row.plan);
  const state = storedExperimentState.decode(row.state);
  const { indices, ...test } = testOf(row.id, plan, state);
  return {
    kind: 'EXPERIMENT',
    id: row.id,
    workspaceId: row.workspaceId,
    adapter: row.adapter,
    stage: row.phase,
    salt: row.salt,
    test,
    unitsOnly: plan.sticky,
    changes: indices.map((index) => (state.before ? {} : changeOf(plan.arms[index]!))),
  };
}

/** What an arm changes of what `ask` would do. */
const changeOf = ({ strategy, adapter, model, denseWeight, wording = null, generation }: ExperimentArm): Arm => ({
  strategy,
  adapter,
  model,
  denseWeight,
  wording,
  generation,
});
