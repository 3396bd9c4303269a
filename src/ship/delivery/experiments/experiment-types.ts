import { Field, ObjectType } from 'type-graphql';
import { z } from 'zod';
import { connectionTypes, NodeType, recordType } from '../../../kit/graphql/index.js';
import { record } from '../../../kernel/record.js';
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
import { experimentProgress, samplePlanned } from './sample-planner.js';

// An experiment as the API shows it: its plan, what was counted, what it says, what happened.

export const SamplePlan = recordType(samplePlanned);
export type SamplePlan = InstanceType<typeof SamplePlan>;
export const ExperimentProgress = recordType(experimentProgress);
export type ExperimentProgress = InstanceType<typeof ExperimentProgress>;
export const ExperimentPointType = recordType(comparisonPoint);
export type ExperimentPointType = InstanceType<typeof ExperimentPointType>;

const armFigure = record('ArmFigure', 'A metric of an arm.', {
  metric: z.enum(ExperimentMetricName).describe('Which.'),
  n: z.number().int().describe('Outcomes that say something of it.'),
  mean: z.number().nullable().describe('Rate or mean as it was counted; null without outcomes.'),
  adjustedMean: z.number().nullable().describe('The same as it is compared, adjusted; null without outcomes.'),
  low: z
    .number()
    .nullable()
    .describe('Lower end of what the true one may be, which may be read at any time; null before 20 values of a mean.'),
  high: z.number().nullable().describe('Upper end, likewise.'),
});
export type ArmFigure = z.infer<typeof armFigure>;

export const ArmResult = recordType(
  record('ArmResult', 'What was counted of an arm.', {
    arm: z.string().describe('The arm.'),
    answers: z.number().int().describe('Answers.'),
    units: z.number().int().describe('Units; a question that named none is one.'),
    figures: z.array(armFigure).describe('Each metric.'),
  }),
);
export type ArmResult = InstanceType<typeof ArmResult>;

const armComparison = record('ArmComparison', 'An arm held against the control by a metric.', {
  arm: z.string().describe('The arm.'),
  metric: z.enum(ExperimentMetricName).describe('The metric.'),
  primary: z.boolean().describe('Whether it decides.'),
  value: z.number().describe('Arm less control, in the metric’s unit; 0 without outcomes.'),
  low: z
    .number()
    .nullable()
    .describe(
      'Lower end of what the difference may be: of a sequence, which holds at all times, while it runs; of the fixed interval after the planned end. Null where too few outcomes tell.',
    ),
  high: z.number().nullable().describe('Upper end, likewise.'),
  finding: z.enum(Finding).describe('What that says.'),
});
export type ArmComparison = z.infer<typeof armComparison>;

export const ExperimentConclusion = recordType(
  record('ExperimentConclusion', 'What an experiment says.', {
    verdict: z.enum(Verdict).describe('In a word.'),
    arm: z.string().nullable().describe('The arm that is better; null where none is shown to be.'),
    sentence: z.string().describe('In a sentence with figures.'),
    final: z.boolean().describe('Whether it is that of the planned end.'),
    suggestion: z
      .string()
      .nullable()
      .describe('What a person may do next; nothing is shipped by itself. Null where nothing follows.'),
    comparisons: z.array(armComparison).describe('Each arm against the control by each metric.'),
  }),
);
export type ExperimentConclusion = InstanceType<typeof ExperimentConclusion>;

const decision = record(
  'ExperimentDecision',
  'Something that happened to an experiment. Decisions are only ever added.',
  {
    id: z.string().describe('Its id.').meta({ shown: 'ID' }),
    action: z.enum(ExperimentAction).describe('What.'),
    reasons: z.array(z.string()).describe('Why, in sentences with figures.'),
    phase: z.number().int().describe('The phase from then on, from 0.'),
    answers: z.number().int().describe('Answers that had been counted in the phase.'),
    decidedBy: z.string().nullable().describe('Who decided; null where the experiment did by itself.'),
    reason: z.string().nullable().describe('The reason that they gave; null likewise.'),
    createdAt: z.date().describe('When.').meta({ name: 'decidedAt' }),
  },
);
export const ExperimentDecision = recordType(decision);
export type ExperimentDecision = InstanceType<typeof ExperimentDecision>;
export const { Connection: ExperimentDecisionConnection } = connectionTypes(ExperimentDecision);

export const ExperimentEvent = recordType(
  record('ExperimentEvent', 'A decision as its stream tells it.', {
    id: z
      .string()
      .describe('Place in the experiment’s stream: pass the last one seen as `after` to continue behind it.')
      .meta({ shown: 'ID' }),
    decision: decision.describe('What happened.'),
  }),
);
export type ExperimentEvent = InstanceType<typeof ExperimentEvent>;

const experiment = record('Experiment', 'Arms beside each other on the same traffic, and what they are worth.', {
  name: z.string().describe('What it is called.'),
  adapter: z
    .string()
    .nullable()
    .describe('The adapter whose production’s questions are drawn; null: questions that leave everything to Graft.')
    .meta({ name: 'adapterName' }),
  status: z.enum(ExperimentStatus).describe('How far it is.'),
  verdict: z.enum(Verdict).describe('What its figures said at the last look.'),
  winner: z.string().nullable().describe('The arm that was better then; null where none was shown to be.'),
  phase: z.number().int().describe('The phase, from 0; each counts anew.'),
  before: z.boolean().describe('Whether all arms still answer as production, to know how units are.'),
  arms: z.array(shownArm).describe('Its arms; the first is the control.'),
  metrics: z.array(shownMetric).describe('Its metrics.'),
  coverage: z.number().describe('Share of the questions that take part, 0 to 1.'),
  alpha: z.number().describe('Probability with which a difference is found where there is none.'),
  plannedSize: z.number().int().nullable().describe('Outcomes of the primary metric after which it ends; null: none.'),
  plannedDays: z.number().nullable().describe('Days after which it ends; null: none.'),
  sticky: z.boolean().describe('Whether only questions that name a unit take part.'),
  health: z.array(healthCheck).describe('Whether its figures can be trusted.'),
  answersCounted: z.number().int().describe('Answers that were counted in this phase.'),
  days: z.number().describe('Days that it ran and was watched.'),
  createdBy: z.string().describe('Who made it.'),
  reason: z.string().describe('Why.'),
  createdAt: z.date().describe('When it was made.'),
  startedAt: z.date().nullable().describe('When it was started; null before.'),
  finishedAt: z.date().nullable().describe('When it ended; null before.'),
  row: z.custom<ExperimentRow>(),
});
export const Experiment = recordType(experiment, NodeType);
export type Experiment = InstanceType<typeof Experiment>;
export const { Connection: ExperimentConnection } = connectionTypes(Experiment);

@ObjectType({ description: 'The experiment as it is now.' })
export class ExperimentPayload {
  @Field(() => Experiment, { description: 'Watch it with `experimentEvents`.' })
  experiment!: Experiment;
}

@ObjectType({ description: 'The experiment that was made, or was already under this key.' })
export class CreateExperimentPayload extends ExperimentPayload {}
