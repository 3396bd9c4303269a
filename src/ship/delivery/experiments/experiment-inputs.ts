import { recordInput } from '../../../kit/graphql/index.js';
import { record, id, float } from '../../../kernel/record.js';
import { saidBy } from '../wish.js';
import { sampleWish } from './sample-planner.js';
import { experimentWish } from './settings.js';

// What callers say of an experiment.

export const CreateExperimentInput = recordInput(experimentWish);
export type CreateExperimentInput = InstanceType<typeof CreateExperimentInput>;

export const PlanExperimentInput = recordInput(sampleWish);
export type PlanExperimentInput = InstanceType<typeof PlanExperimentInput>;

const experiment = id('Id of the experiment.');

export const ExperimentOrderInput = recordInput(
  record('ExperimentOrderInput', 'What a person wants of an experiment.', { experiment, ...saidBy }),
);
export type ExperimentOrderInput = InstanceType<typeof ExperimentOrderInput>;

export const WidenExperimentInput = recordInput(
  record('WidenExperimentInput', 'How many take part from now on.', {
    experiment,
    ...saidBy,
    coverage: float('Share of the questions that take part, above what it is, at most 1.'),
  }),
);
export type WidenExperimentInput = InstanceType<typeof WidenExperimentInput>;
