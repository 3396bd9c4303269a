import { recordInput } from '../../../kit/graphql/index.js';
import { record, id, int } from '../../../kernel/record.js';
import { saidBy } from '../wish.js';
import { rolloutWish } from './settings.js';

// What callers say of a rollout.

export const StartRolloutInput = recordInput(rolloutWish);
export type StartRolloutInput = InstanceType<typeof StartRolloutInput>;

const rollout = id('Id of the rollout.');

export const RolloutOrderInput = recordInput(
  record('RolloutOrderInput', 'What a person wants of a rollout.', { rollout, ...saidBy }),
);
export type RolloutOrderInput = InstanceType<typeof RolloutOrderInput>;

export const JumpRolloutInput = recordInput(
  record('JumpRolloutInput', 'To which step a rollout goes.', {
    rollout,
    ...saidBy,
    step: int('Index of the step, from 0 on.'),
  }),
);
export type JumpRolloutInput = InstanceType<typeof JumpRolloutInput>;
