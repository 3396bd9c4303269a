import { choice } from '../../../kernel/record.js';

/** The arms of a rollout, as `CANDIDATE` and `CONTROL` of the assignment name them. */
export const RolloutArm = choice('RolloutArm', 'Who answered, within a rollout.', {
  CANDIDATE: 'The version that is delivered.',
  CONTROL: 'Production, drawn from the same users in the same minutes.',
});
export type RolloutArm = keyof typeof RolloutArm;
