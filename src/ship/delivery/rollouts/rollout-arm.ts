import { registerEnumType } from 'type-graphql';
import { enumeration } from '../../../kernel/enumeration.js';
import { CANDIDATE, CONTROL } from '../assignment/index.js';

export const RolloutArm = enumeration(CANDIDATE, CONTROL);
export type RolloutArm = keyof typeof RolloutArm;

registerEnumType(RolloutArm, {
  name: 'RolloutArm',
  description: 'Who answered, within a rollout.',
  valuesConfig: {
    CANDIDATE: { description: 'The version that is delivered.' },
    CONTROL: { description: 'Production, drawn from the same users in the same minutes.' },
  },
});
