import { z } from 'zod';
import {
  connectionTypes,
  inputType,
  NodeType,
  objectType,
  ofType,
  recordInput,
  recordType,
} from '../../../kit/graphql/index.js';
import { record, oneOf, int, float, string, boolean, id, date } from '../../../kernel/record.js';
import { requestedBy } from '../request.js';
import { healthCheck } from '../rollouts/rollout-types.js';
import {
  ExperimentAction,
  ExperimentStatus,
  comparisonPoint,
  shownArm,
  shownMetric,
  type ExperimentRow,
} from './experiment.js';
import { Finding, Verdict } from './conclude.js';
import { ExperimentMetricName } from './metrics.js';
import { experimentProgress, samplePlanned, sampleRequest } from './sample-planner.js';
import { experimentRequest } from './settings.js';

// An experiment as the API shows it: its plan, what was counted, what it says, what happened.

export const SamplePlan = recordType(samplePlanned);
export type SamplePlan = InstanceType<typeof SamplePlan>;
export const ExperimentProgress = recordType(experimentProgress);
export type ExperimentProgress = InstanceType<typeof ExperimentProgress>;
export const ExperimentPointType = recordType(comparisonPoint);
export type ExperimentPointType = InstanceType<typeof ExperimentPointType>;

const armFigure = record('ArmFigure', 'A metric of an arm.', {
  metric: oneOf(ExperimentMetricName, 'Which.'),
  n: int('Outcomes that say something of it.'),
  mean: float('Rate or mean as it was counted; null without outcomes.').nullable(),
  adjustedMean: float('The same as it is compared, adjusted; null without outcomes.').nullable(),
  low: float(
    'Lower end of what the true one may be, which may be read at any time; null before 20 values of a mean.',
  ).nullable(),
  high: float('Upper end, likewise.').nullable(),
});
export type ArmFigure = z.infer<typeof armFigure>;

export const ArmResult = recordType(
  record('ArmResult', 'What was counted of an arm.', {
    arm: string('The arm.'),
    answers: int('Answers.'),
    units: int('Units; a question that named none is one.'),
    figures: z.array(armFigure).describe('Each metric.'),
  }),
);
export type ArmResult = InstanceType<typeof ArmResult>;

const armComparison = record('ArmComparison', 'An arm held against the control by a metric.', {
  arm: string('The arm.'),
  metric: oneOf(ExperimentMetricName, 'The metric.'),
  primary: boolean('Whether it decides.'),
  value: float('Arm less control, in the metric’s unit; 0 without outcomes.'),
  low: float(
    'Lower end of what the difference may be: of a sequence, which holds at all times, while it runs; of the fixed interval after the planned end. Null where too few outcomes tell.',
  ).nullable(),
  high: float('Upper end, likewise.').nullable(),
  finding: oneOf(Finding, 'What that says.'),
});
export type ArmComparison = z.infer<typeof armComparison>;

export const ExperimentConclusion = recordType(
  record('ExperimentConclusion', 'What an experiment says.', {
    verdict: oneOf(Verdict, 'In a word.'),
    arm: string('The arm that is better; null where none is shown to be.').nullable(),
    sentence: string('In a sentence with figures.'),
    final: boolean('Whether it is that of the planned end.'),
    suggestion: string(
      'What a person may do next; nothing is shipped by itself. Null where nothing follows.',
    ).nullable(),
    comparisons: z.array(armComparison).describe('Each arm against the control by each metric.'),
  }),
);
export type ExperimentConclusion = InstanceType<typeof ExperimentConclusion>;

const decision = record(
  'ExperimentDecision',
  'Something that happened to an experiment. Decisions are only ever added.',
  {
    id: id('Its id.'),
    action: oneOf(ExperimentAction, 'What.'),
    reasons: z.array(z.string()).describe('Why, in sentences with figures.'),
    phase: int('The phase from then on, from 0.'),
    answers: int('Answers that had been counted in the phase.'),
    decidedBy: string('Who decided; null where the experiment did by itself.').nullable(),
    reason: string('The reason that they gave; null likewise.').nullable(),
    createdAt: date('When.').meta({ name: 'decidedAt' }),
  },
);
export const ExperimentDecision = recordType(decision);
export type ExperimentDecision = InstanceType<typeof ExperimentDecision>;
export const { Connection: ExperimentDecisionConnection } = connectionTypes(ExperimentDecision);

export const ExperimentEvent = recordType(
  record('ExperimentEvent', 'A decision as its stream tells it.', {
    id: id('Place in the experiment’s stream: pass the last one seen as `after` to continue behind it.'),
    decision: decision.describe('What happened.'),
  }),
);
export type ExperimentEvent = InstanceType<typeof ExperimentEvent>;

const experiment = record('Experiment', 'Arms beside each other on the same traffic, and what they are worth.', {
  name: string('What it is called.'),
  adapter: string('The adapter whose production’s questions are drawn; null: questions that leave everything to Graft.')
    .nullable()
    .meta({ name: 'adapterName' }),
  status: oneOf(ExperimentStatus, 'How far it is.'),
  verdict: oneOf(Verdict, 'What its figures said at the last look.'),
  winner: string('The arm that was better then; null where none was shown to be.').nullable(),
  phase: int('The phase, from 0; each counts anew.'),
  before: boolean('Whether all arms still answer as production, to know how units are.'),
  arms: z.array(shownArm).describe('Its arms; the first is the control.'),
  metrics: z.array(shownMetric).describe('Its metrics.'),
  coverage: float('Share of the questions that take part, 0 to 1.'),
  alpha: float('Probability with which a difference is found where there is none.'),
  plannedSize: int('Outcomes of the primary metric after which it ends; null: none.').nullable(),
  plannedDays: float('Days after which it ends; null: none.').nullable(),
  sticky: boolean('Whether only questions that name a unit take part.'),
  health: z.array(healthCheck).describe('Whether its figures can be trusted.'),
  answersCounted: int('Answers that were counted in this phase.'),
  days: float('Days that it ran and was watched.'),
  createdBy: string('Who made it.'),
  reason: string('Why.'),
  createdAt: date('When it was made.'),
  startedAt: date('When it was started; null before.').nullable(),
  finishedAt: date('When it ended; null before.').nullable(),
  row: z.custom<ExperimentRow>(),
});
export const Experiment = recordType(experiment, NodeType);
export type Experiment = InstanceType<typeof Experiment>;
export const { Connection: ExperimentConnection } = connectionTypes(Experiment);

const experimentField = { experiment: ofType(() => Experiment, 'Watch it with `experimentEvents`.') };
export const ExperimentPayload = objectType('ExperimentPayload', 'The experiment as it is now.', experimentField);
export const CreateExperimentPayload = objectType(
  'CreateExperimentPayload',
  'The experiment that was made, or was already under this key.',
  experimentField,
);
export type CreateExperimentPayload = InstanceType<typeof CreateExperimentPayload>;

export const CreateExperimentInput = recordInput(experimentRequest);
export type CreateExperimentInput = InstanceType<typeof CreateExperimentInput>;
export const PlanExperimentInput = recordInput(sampleRequest);
export type PlanExperimentInput = InstanceType<typeof PlanExperimentInput>;

const order = { experiment: id('Id of the experiment.'), ...requestedBy };
export const ExperimentOrderInput = inputType('ExperimentOrderInput', 'What a person wants of an experiment.', order);
export const WidenExperimentInput = inputType('WidenExperimentInput', 'How many take part from now on.', {
  ...order,
  coverage: float('Share of the questions that take part, above what it is, at most 1.'),
});
