import { badInput, GraftError } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { storedExperimentState, storedSettings } from './experiment.js';
import type { ExperimentStore } from './experiment-store.js';
import { concluded } from './look.js';

/**
 * Holds an experiment against the version that is proposed with it: what lost is not proposed by what it lost.
 * @param candidate `name@3`
 * @throws NOT_FOUND; BAD_USER_INPUT where it had no such arm; CONFLICT while it runs, or where it shows that the version is worse
 */
export async function checkEvidence(
  experiments: ExperimentStore,
  workspaceId: WorkspaceId,
  id: string,
  candidate: string,
): Promise<void> {
  const field = 'input.experiment';
  const row = await experiments.require(workspaceId, id, field);
  const plan = storedSettings.decode(row.plan);
  const arm = plan.arms.find(({ adapter }) => adapter === candidate);
  if (!arm)
    throw badInput(
      field,
      `No arm of the experiment ${row.name} was ${candidate}.`,
      `Its arms: ${plan.arms.map(({ name, adapter }) => adapter ?? name).join(', ')}.`,
    );
  if (row.status !== 'ENDED')
    throw new GraftError('CONFLICT', `The experiment ${row.name} is ${row.status}: it has come to no conclusion.`, {
      field,
      hint: 'End it first (endExperiment), or propose the version without it.',
    });
  const {
    verdict,
    arm: winner,
    sentence,
    comparisons,
  } = concluded(plan, storedExperimentState.decode(row.state), row.final);
  const worse = comparisons.some(
    (comparison) => comparison.arm === arm.name && comparison.primary && comparison.finding === 'WORSE',
  );
  if (worse || (verdict === 'WINNER' && winner !== arm.name))
    throw new GraftError('CONFLICT', `The experiment ${row.name} doesn’t speak for ${candidate}. ${sentence}`, {
      field,
      hint: 'Propose what won.',
    });
}
