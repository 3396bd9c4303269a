import { Field, Float, ID, Int, ObjectType } from 'type-graphql';
import { StrategyValues, type Strategy } from '../../ask/index.js';
import { WordingChoice } from '../../registry/index.js';
import { connectionTypes, DateTime, NodeType } from '../../graphql-kit/index.js';
import { HealthCheck } from '../rollouts/rollout-types.js';
import {
  ExperimentAction,
  ExperimentCounting,
  ExperimentStatus,
  type ExperimentDecisionRow,
  type ExperimentRow,
} from './experiment.js';
import { ExperimentMetricName } from './metrics.js';
import { ExperimentAdjustment, ExperimentBetter, ExperimentFinding, ExperimentVerdict } from './experiment-enums.js';

// An experiment as the API shows it: its plan, what was counted, what it says, what happened.

@ObjectType({ description: 'How large a test must be, and what it can see.' })
export class SamplePlan {
  @Field(() => ExperimentMetricName, { description: 'The primary metric.' })
  metric!: ExperimentMetricName;

  @Field(() => Float, { nullable: true, description: 'Mean of the control; null where nothing tells.' })
  baseline!: number | null;

  @Field(() => Float, { nullable: true, description: 'Standard deviation of one value; null where nothing tells.' })
  deviation!: number | null;

  @Field(() => Int, { description: 'Outcomes that these were measured on.' })
  measuredOn!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Outcomes of the metric a day, in all; null where nothing tells.',
  })
  perDay!: number | null;

  @Field(() => Int, { nullable: true, description: 'Outcomes in all arms together; null without size and effect.' })
  size!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'The difference that would matter, in the metric’s unit; null where nobody said.',
  })
  effect!: number | null;

  @Field(() => Float, { nullable: true, description: 'Probability with which it is seen with this size, 0 to 1.' })
  power!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'The least difference that is seen with the power that was asked for.',
  })
  leastEffect!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Days that it takes at today’s traffic; null where nothing tells.',
  })
  days!: number | null;

  @Field(() => String, { description: 'The same in a sentence.' })
  sentence!: string;
}

@ObjectType({ description: 'How far an experiment is on the way to its planned end.' })
export class ExperimentProgress {
  @Field(() => SamplePlan, { description: 'What it can see, by its own control once that says enough.' })
  plan!: SamplePlan;

  @Field(() => Int, { description: 'Outcomes of the primary metric so far.' })
  counted!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Days until its planned end; 0 when it has ended; null where nothing tells.',
  })
  daysLeft!: number | null;

  @Field(() => Float, {
    nullable: true,
    description:
      'Probability that the planned end shows the effect, given what was seen (conditional power: Lan and Wittes, 1988); below .1 going on is futile. Null without size and effect, and before 20 outcomes an arm.',
  })
  conditionalPower!: number | null;
}

@ObjectType('ExperimentMeasure', { description: 'A metric of an experiment.' })
export class ExperimentMeasure {
  @Field(() => ExperimentMetricName, { description: 'Which.' })
  metric!: ExperimentMetricName;

  @Field(() => ExperimentBetter, { description: 'Which way is better.' })
  better!: ExperimentBetter;

  @Field(() => Float, { description: 'The largest difference that is none, in its unit.' })
  margin!: number;

  @Field(() => Boolean, { description: 'Whether it decides.' })
  primary!: boolean;

  @Field(() => Boolean, { description: 'Whether it is a share of answers, 0 to 1, and not a mean.' })
  isRate!: boolean;

  @Field(() => ExperimentAdjustment, { description: 'How its mean is adjusted.' })
  adjustment!: ExperimentAdjustment;
}

@ObjectType({ description: 'How an arm generates; null is as the question has it.' })
export class ExperimentGeneration {
  @Field(() => Int, { nullable: true, description: 'Most tokens of an answer.' })
  maxTokens!: number | null;

  @Field(() => Float, { nullable: true, description: 'Temperature.' })
  temperature!: number | null;

  @Field(() => Int, { nullable: true, description: 'Seed.' })
  seed!: number | null;
}

@ObjectType('ExperimentArm', { description: 'An arm of an experiment; what is null is as `ask` would have it.' })
export class ExperimentArmType {
  @Field(() => String, { description: 'Its name.' })
  name!: string;

  @Field(() => Boolean, { description: 'Whether the others are compared with it.' })
  isControl!: boolean;

  @Field(() => Float, { description: 'Its share of the units that take part, 0 to 1.' })
  weight!: number;

  @Field(() => StrategyValues, { nullable: true, description: 'The strategy.' })
  strategy!: Strategy | null;

  @Field(() => String, { nullable: true, description: 'The adapter version, `name@3`.' })
  adapter!: string | null;

  @Field(() => String, { nullable: true, description: 'The model.' })
  model!: string | null;

  @Field(() => Float, { nullable: true, description: 'Share of the dense score in what is retrieved.' })
  denseWeight!: number | null;

  @Field(() => WordingChoice, { nullable: true, description: 'Whose words an answer from documents has.' })
  wording!: WordingChoice | null;

  @Field(() => ExperimentGeneration, { nullable: true, description: 'How it generates.' })
  generation!: ExperimentGeneration | null;

  @Field(() => String, { nullable: true, description: 'Why it can’t answer any more; null while it can.' })
  stopped!: string | null;
}

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

  @Field(() => ExperimentFinding, { description: 'What that says.' })
  finding!: ExperimentFinding;
}

@ObjectType({ description: 'What an experiment says.' })
export class ExperimentConclusion {
  @Field(() => ExperimentVerdict, { description: 'In a word.' })
  verdict!: ExperimentVerdict;

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

@ObjectType({ description: 'A difference as it was known at a moment.' })
export class ExperimentPointComparison {
  @Field(() => String, { description: 'The arm.' })
  arm!: string;

  @Field(() => ExperimentMetricName, { description: 'The metric.' })
  metric!: ExperimentMetricName;

  @Field(() => Float, { nullable: true, description: 'Arm less control.' })
  value!: number | null;

  @Field(() => Float, { nullable: true, description: 'Lower end; null where it wasn’t known.' })
  low!: number | null;

  @Field(() => Float, { nullable: true, description: 'Upper end; null where it wasn’t known.' })
  high!: number | null;
}

@ObjectType('ExperimentPoint', { description: 'How the intervals were after so many answers.' })
export class ExperimentPointType {
  @Field(() => Int, { description: 'The phase, from 0; each counts anew.' })
  phase!: number;

  @Field(() => Int, { description: 'Answers that had been counted in the phase.' })
  answers!: number;

  @Field(() => DateTime, { description: 'When.' })
  at!: Date;

  @Field(() => [ExperimentPointComparison], { description: 'Each arm by each metric.' })
  comparisons!: ExperimentPointComparison[];
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

@ObjectType({ description: 'A part of the units that experiments share out.' })
export class ExperimentNamespace {
  @Field(() => String, { description: 'Its name.' })
  name!: string;

  @Field(() => Float, { description: 'Where the part begins, 0 to 1.' })
  from!: number;

  @Field(() => Float, { description: 'Where it ends.' })
  to!: number;
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

  @Field(() => ExperimentVerdict, { description: 'What its figures said at the last look.' })
  verdict!: ExperimentVerdict;

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

  @Field(() => ExperimentNamespace, {
    nullable: true,
    description: 'What keeps it apart from others; null: nothing does.',
  })
  namespace!: ExperimentNamespace | null;

  @Field(() => Float, { description: 'Probability with which a difference is found where there is none.' })
  alpha!: number;

  @Field(() => Int, { nullable: true, description: 'Outcomes of the primary metric after which it ends; null: none.' })
  plannedSize!: number | null;

  @Field(() => Float, { nullable: true, description: 'Days after which it ends; null: none.' })
  plannedDays!: number | null;

  @Field(() => Boolean, { description: 'Whether only questions that name a unit take part.' })
  sticky!: boolean;

  @Field(() => ExperimentCounting, { description: 'Which answers of a unit count.' })
  counting!: ExperimentCounting;

  @Field(() => Int, { description: 'Raised by each redraw, from 0.' })
  bucketVersion!: number;

  @Field(() => Int, {
    description: 'The least bucket version whose units take part; those of earlier ones are left out.',
  })
  minBucketVersion!: number;

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
