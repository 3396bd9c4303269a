import { z } from 'zod';
import { AnswerType as Answer, type Assignment } from '../../answer/ask/index.js';
import { fieldsOf, recordType, toOne } from '../../kit/graphql/index.js';
import { record, string, int, float, boolean } from '../../kernel/record.js';
import { loadExperiment } from './experiments/experiment-graphql.js';
import type { ExperimentStore } from './experiments/experiment-store.js';
import { Experiment } from './experiments/experiment-types.js';
import { loadRollout } from './rollouts/rollout-graphql.js';
import type { RolloutStore } from './rollouts/rollout-store.js';
import { Rollout } from './rollouts/rollout-types.js';

const ExperimentAssignment = recordType(
  record('ExperimentAssignment', 'What a question was drawn into when it was asked.', {
    arm: string('The arm that answered it, e.g. `CANDIDATE` or `CONTROL` of a rollout.'),
    stage: int('The step of the rollout, or the phase of the experiment, that it was asked in; from 0.'),
    bucket: float('Where its unit falls, 0 to 1; 0 where the arm was asked for.'),
    probability: float('The probability with which the arm was drawn, above 0 to 1.'),
    forced: boolean('Whether a tester asked for the arm: then the answer counts for nothing.'),
    kind: z.custom<Assignment['kind']>(),
    subjectId: z.string(),
  }),
);
type ExperimentAssignment = InstanceType<typeof ExperimentAssignment>;

interface AssignmentParts {
  rollouts: RolloutStore;
  experiments: ExperimentStore;
}

export const assignmentResolvers = [
  fieldsOf<Answer, AssignmentParts>(() => Answer, {
    experiment: toOne(
      () => ExperimentAssignment,
      'The experiment or rollout that the question was part of; null where nothing was tried on it.',
      ({ assignment }) => assignment,
      { cost: 1 },
    ),
  }),
  fieldsOf<ExperimentAssignment, AssignmentParts>(() => ExperimentAssignment, {
    rollout: toOne(
      () => Rollout,
      'The rollout; null for an experiment.',
      ({ kind, subjectId }, context, { rollouts }) =>
        loadRollout(context, rollouts, kind === 'ROLLOUT' ? subjectId : null),
    ),
    experiment: toOne(
      () => Experiment,
      'The experiment; null for a rollout.',
      ({ kind, subjectId }, context, { experiments }) =>
        loadExperiment(context, experiments, kind === 'EXPERIMENT' ? subjectId : null),
    ),
  }),
] as const;
