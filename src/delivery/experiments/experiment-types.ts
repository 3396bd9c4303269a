import { Field, Float, ID, Int, ObjectType } from 'type-graphql';
import { connectionTypes, DateTime, NodeType, recordType } from '../../graphql-kit/index.js';
import { HealthCheck } from '../rollouts/rollout-types.js';
import {
  ExperimentAction,
  ExperimentStatus,
  comparisonPoint,
  shownArm,
  shownMetric,
  type ExperimentDecisionRow,
  type ExperimentRow,
} from './experiment.js';
import { Finding, Verdict } from './conclude.js';
import { ExperimentMetricName } from './metrics.js';
import { experimentProgress, samplePlanned } from './sample-planner.js';
import './experiment-enums.js';

// An experiment as the API shows it: its plan, what was counted, what it says, what happened.

export const SamplePlan = recordType(samplePlanned);
export type SamplePlan = InstanceType<typeof SamplePlan>;
export const ExperimentProgress = recordType(experimentProgress);
export type ExperimentProgress = InstanceType<typeof ExperimentProgress>;
export const ExperimentMeasure = recordType(shownMetric);
export type ExperimentMeasure = InstanceType<typeof ExperimentMeasure>;
export const ExperimentArmType = recordType(shownArm);
export type ExperimentArmType = InstanceType<typeof ExperimentArmType>;
export const ExperimentPointType = recordType(comparisonPoint);
export type ExperimentPointType = InstanceType<typeof ExperimentPointType>;

@ObjectType({ description: 'A metric of an arm.' })
export class ArmFigure {
  @Field(() => ExperimentMetricName, { description: 'Which.' })
  metric!: ExperimentMetricName;

  @Field(() => Int, { description: 'Outcomes that say something of it.' })
  n!: number;

  @Field(() => Float, { nullable: true, description: 'Rate or mean as it was counted; null without outcomes.' })
  mean!: number | null;

  @Field(() => Float, { nullable: true, description: 'The same as it is compared, adjusted; null without outcomes.' })
  adjustedMean!: number | null;

  @Field(() => Float, {
    nullable: true,
    description:
      'Lower end of what the true one may be, which may be read at any time; null before 20 values of a mean.',
  })
  low!: number | null;

  @Field(() => Float, { nullable: true, description: 'Upper end, likewise.' })
  high!: number | null;
}

@ObjectType({ description: 'What was counted of an arm.' })
export class ArmResult {
  @Field(() => String, { description: 'The arm.' })
  arm!: string;

  @Field(() => Int, { description: 'Answers.' })
  answers!: number;

  @Field(() => Int, { description: 'Units; a question that named none is one.' })
  units!: number;

  @Field(() => [ArmFigure], { description: 'Each metric.' })
  figures!: ArmFigure[];
}

@ObjectType({ description: 'An arm held against the control by a metric.' })
export class ArmComparison {
  @Field(() => String, { description: 'The arm.' })
  arm!: string;

  @Field(() => ExperimentMetricName, { description: 'The metric.' })
  metric!: ExperimentMetricName;

  @Field(() => Boolean, { description: 'Whether it decides.' })
  primary!: boolean;

  @Field(() => Float, { description: 'Arm less control, in the metric’s unit; 0 without outcomes.' })
  value!: number;

  @Field(() => Float, {
    nullable: true,
    description:
      'Lower end of what the difference may be: of a sequence, which holds at all times, while it runs; of the fixed interval after the planned end. Null where too few outcomes tell.',
  })
  low!: number | null;

  @Field(() => Float, { nullable: true, description: 'Upper end, likewise.' })
  high!: number | null;

  @Field(() => Finding, { description: 'What that says.' })
  finding!: Finding;
}

@ObjectType({ description: 'What an experiment says.' })
export class ExperimentConclusion {
  @Field(() => Verdict, { description: 'In a word.' })
  verdict!: Verdict;

  @Field(() => String, { nullable: true, description: 'The arm that is better; null where none is shown to be.' })
  arm!: string | null;

  @Field(() => String, { description: 'In a sentence with figures.' })
  sentence!: string;

  @Field(() => Boolean, { description: 'Whether it is that of the planned end.' })
  final!: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'What a person may do next; nothing is shipped by itself. Null where nothing follows.',
  })
  suggestion!: string | null;

  @Field(() => [ArmComparison], { description: 'Each arm against the control by each metric.' })
  comparisons!: ArmComparison[];
}

@ObjectType({ description: 'Something that happened to an experiment. Decisions are only ever added.' })
export class ExperimentDecision {
  @Field(() => ID, { description: 'Its id.' })
  id!: string;

  @Field(() => ExperimentAction, { description: 'What.' })
  action!: ExperimentAction;

  @Field(() => [String], { description: 'Why, in sentences with figures.' })
  reasons!: string[];

  @Field(() => Int, { description: 'The phase from then on, from 0.' })
  phase!: number;

  @Field(() => Int, { description: 'Answers that had been counted in the phase.' })
  answers!: number;

  @Field(() => String, { nullable: true, description: 'Who decided; null where the experiment did by itself.' })
  decidedBy!: string | null;

  @Field(() => String, { nullable: true, description: 'The reason that they gave; null likewise.' })
  reason!: string | null;

  @Field(() => DateTime, { description: 'When.' })
  decidedAt!: Date;

  readonly row!: ExperimentDecisionRow;
}
export const { Connection: ExperimentDecisionConnection } = connectionTypes(ExperimentDecision);

@ObjectType({ description: 'A decision as its stream tells it.' })
export class ExperimentEvent {
  @Field(() => ID, {
    description: 'Place in the experiment’s stream: pass the last one seen as `after` to continue behind it.',
  })
  id!: string;

  @Field(() => ExperimentDecision, { description: 'What happened.' })
  decision!: ExperimentDecision;
}

@ObjectType({
  implements: NodeType,
  description: 'Arms beside each other on the same traffic, and what they are worth.',
})
export class Experiment extends NodeType {
  @Field(() => String, { description: 'What it is called.' })
  name!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The adapter whose production’s questions are drawn; null: questions that leave everything to Graft.',
  })
  adapterName!: string | null;

  @Field(() => ExperimentStatus, { description: 'How far it is.' })
  status!: ExperimentStatus;

  @Field(() => Verdict, { description: 'What its figures said at the last look.' })
  verdict!: Verdict;

  @Field(() => String, {
    nullable: true,
    description: 'The arm that was better then; null where none was shown to be.',
  })
  winner!: string | null;

  @Field(() => Int, { description: 'The phase, from 0; each counts anew.' })
  phase!: number;

  @Field(() => Boolean, { description: 'Whether all arms still answer as production, to know how units are.' })
  before!: boolean;

  @Field(() => [ExperimentArmType], { description: 'Its arms; the first is the control.' })
  arms!: ExperimentArmType[];

  @Field(() => [ExperimentMeasure], { description: 'Its metrics.' })
  metrics!: ExperimentMeasure[];

  @Field(() => Float, { description: 'Share of the questions that take part, 0 to 1.' })
  coverage!: number;

  @Field(() => Float, { description: 'Probability with which a difference is found where there is none.' })
  alpha!: number;

  @Field(() => Int, { nullable: true, description: 'Outcomes of the primary metric after which it ends; null: none.' })
  plannedSize!: number | null;

  @Field(() => Float, { nullable: true, description: 'Days after which it ends; null: none.' })
  plannedDays!: number | null;

  @Field(() => Boolean, { description: 'Whether only questions that name a unit take part.' })
  sticky!: boolean;

  @Field(() => [HealthCheck], { description: 'Whether its figures can be trusted.' })
  health!: HealthCheck[];

  @Field(() => Int, { description: 'Answers that were counted in this phase.' })
  answersCounted!: number;

  @Field(() => Float, { description: 'Days that it ran and was watched.' })
  days!: number;

  @Field(() => String, { description: 'Who made it.' })
  createdBy!: string;

  @Field(() => String, { description: 'Why.' })
  reason!: string;

  @Field(() => DateTime, { description: 'When it was made.' })
  createdAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'When it was started; null before.' })
  startedAt!: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'When it ended; null before.' })
  finishedAt!: Date | null;

  readonly row!: ExperimentRow;
}
export const { Connection: ExperimentConnection } = connectionTypes(Experiment);

@ObjectType({ description: 'The experiment as it is now.' })
export class ExperimentPayload {
  @Field(() => Experiment, { description: 'Watch it with `experimentEvents`.' })
  experiment!: Experiment;
}

@ObjectType({ description: 'The experiment that was made, or was already under this key.' })
export class CreateExperimentPayload extends ExperimentPayload {}
