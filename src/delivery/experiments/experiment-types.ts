import { Field, Float, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { StrategyValues, type Strategy } from '../../ask/index.js';
import { connectionTypes, DateTime, MaxItems, NodeType, IDEMPOTENCY_KEY } from '../../graphql-kit/index.js';
import { enumeration } from '../../kernel/enumeration.js';
import { HealthCheck } from '../rollouts/rollout-types.js';
import {
  ExperimentAction,
  ExperimentCounting,
  ExperimentStatus,
  type ExperimentDecisionRow,
  type ExperimentRow,
} from './experiment.js';
import { ExperimentMetricName } from './metrics.js';
import { DEFAULT_ALPHA, DEFAULT_POWER, MOST_ANSWERS, MOST_ARMS, MOST_DAYS, MOST_METRICS } from './settings.js';

registerEnumType(ExperimentStatus, {
  name: 'ExperimentStatus',
  description: 'How far an experiment is.',
  valuesConfig: {
    DRAFT: { description: 'It is planned; nobody is drawn.' },
    RUNNING: { description: 'Questions are drawn into its arms.' },
    PAUSED: { description: 'Production answers everything; what is said late of its answers still counts.' },
    ENDED: { description: 'It came to a conclusion. It ships nothing.' },
    STOPPED: { description: 'It was given up: by a person, or because something that it needs is gone.' },
  },
});

registerEnumType(ExperimentAction, {
  name: 'ExperimentAction',
  description: 'What happened to an experiment.',
  valuesConfig: {
    CREATE: { description: 'It was planned.' },
    START: { description: 'Questions are drawn from then on.' },
    PAUSE: { description: 'A person paused it.' },
    RESUME: { description: 'A person let it go on.' },
    BEGIN_TEST: { description: 'Enough was known of units as they are; the arms differ from then on.' },
    WIDEN: { description: 'More of the questions take part.' },
    REDRAW: { description: 'Units are drawn anew, and counting began again.' },
    STOP_ARM: { description: 'An arm can’t answer any more; its units are answered as production.' },
    WARN: { description: 'Its figures can’t be trusted, or going on is futile.' },
    FIND: { description: 'Its figures say something that they didn’t before.' },
    END: { description: 'It came to a conclusion.' },
    STOP: { description: 'It was given up.' },
  },
});

registerEnumType(ExperimentMetricName, {
  name: 'ExperimentMetric',
  description: 'What of answers is compared between arms.',
  valuesConfig: {
    FEEDBACK: { description: 'Share that most opinions on it find right, of the answers on which there are any.' },
    AGREEMENT: {
      description:
        'Share that is as those expected who showed the right answer, of the answers for which somebody did.',
    },
    FAILURE: { description: 'Share of the answers that were errors.' },
    ABSTENTION: { description: 'Share of the answers that gave none.' },
    LATENCY: { description: 'Mean time until the answer, in ms.' },
    COST: { description: 'Mean tokens that were computed for an answer.' },
    CONFIDENCE: { description: 'Mean estimated probability that the answer is right, 0 to 1, where there is one.' },
  },
});

registerEnumType(ExperimentCounting, {
  name: 'ExperimentCounting',
  description: 'Which answers of a unit count.',
  valuesConfig: {
    FIRST_OF_UNIT: { description: 'The first outcome of each metric: units that ask often count as others.' },
    EVERY: { description: 'All of them: right only where a unit’s answers are no more alike than those of two units.' },
  },
});

export const ExperimentBetter = enumeration('HIGHER', 'LOWER');
export type ExperimentBetter = keyof typeof ExperimentBetter;
registerEnumType(ExperimentBetter, {
  name: 'ExperimentBetter',
  description: 'Which way a metric is better.',
  valuesConfig: { HIGHER: { description: 'More is better.' }, LOWER: { description: 'Less is better.' } },
});

export const ExperimentVerdict = enumeration('WINNER', 'NO_DIFFERENCE', 'INCONCLUSIVE');
export type ExperimentVerdict = keyof typeof ExperimentVerdict;
registerEnumType(ExperimentVerdict, {
  name: 'ExperimentVerdict',
  description: 'What an experiment says.',
  valuesConfig: {
    WINNER: { description: 'An arm is better than the control by the primary metric, or the control than every arm.' },
    NO_DIFFERENCE: { description: 'Every arm differs from the control by less than the margin.' },
    INCONCLUSIVE: { description: 'Neither was shown, or its figures can’t be trusted.' },
  },
});

export const ExperimentFinding = enumeration('BETTER', 'WORSE', 'WITHIN_MARGIN', 'OPEN');
export type ExperimentFinding = keyof typeof ExperimentFinding;
registerEnumType(ExperimentFinding, {
  name: 'ExperimentFinding',
  description: 'What the interval of an arm’s difference says.',
  valuesConfig: {
    BETTER: { description: 'The arm is better than the control.' },
    WORSE: { description: 'It is worse.' },
    WITHIN_MARGIN: { description: 'It differs by less than the margin.' },
    OPEN: { description: 'None of these is shown.' },
  },
});

export const ExperimentAdjustment = enumeration('NONE', 'CUPED', 'STRATIFIED');
export type ExperimentAdjustment = keyof typeof ExperimentAdjustment;
registerEnumType(ExperimentAdjustment, {
  name: 'ExperimentAdjustment',
  description: 'How a mean is made to vary less, by what was known before the arms differed.',
  valuesConfig: {
    NONE: { description: 'Not at all: rates are exact as they are.' },
    CUPED: { description: 'By how each unit was before (Deng, Xu, Kohavi and Walker, 2013).' },
    STRATIFIED: { description: 'By the length of the question (post-stratification: Miratrix, Sekhon and Yu, 2013).' },
  },
});

@InputType({ description: 'How generation is changed; what is left out is as the question has it.' })
export class ExperimentGenerationInput {
  @Field(() => Int, { nullable: true, description: 'Most tokens of an answer, 1 to 512.' })
  maxTokens?: number | null;

  @Field(() => Float, { nullable: true, description: '0 (always the likeliest token) to 2.' })
  temperature?: number | null;

  @Field(() => Int, { nullable: true, description: 'For temperatures above 0.' })
  seed?: number | null;
}

@InputType({ description: 'An arm: how its questions are answered. What is left out is as `ask` would have it.' })
export class ExperimentArmInput {
  @Field(() => String, { description: 'Its name, 1 to 63 characters; `forceArm` takes it.' })
  name!: string;

  @Field(() => Float, {
    nullable: true,
    description: 'Its share of the units that take part, above 0; all add up to 1. By default all are equal.',
  })
  weight?: number | null;

  @Field(() => StrategyValues, { nullable: true, description: 'The strategy.' })
  strategy?: Strategy | null;

  @Field(() => String, {
    nullable: true,
    description:
      'The adapter version: `name@3`, or `name`, `name@candidate`, as they are when it is created. It must be attested.',
  })
  adapter?: string | null;

  @Field(() => String, { nullable: true, description: 'The model: `name` or `name@quantization`.' })
  model?: string | null;

  @Field(() => Float, { nullable: true, description: 'Share of the dense score in what is retrieved, 0 to 1.' })
  denseWeight?: number | null;

  @Field(() => ExperimentGenerationInput, { nullable: true, description: 'How it generates.' })
  generation?: ExperimentGenerationInput | null;
}

@InputType({ description: 'What is compared, and how much matters.' })
export class ExperimentMetricInput {
  @Field(() => ExperimentMetricName, { description: 'Which.' })
  metric!: ExperimentMetricName;

  @Field(() => ExperimentBetter, {
    nullable: true,
    description: 'Which way is better; by default HIGHER for FEEDBACK, AGREEMENT and CONFIDENCE, else LOWER.',
  })
  better?: ExperimentBetter | null;

  @Field(() => Float, {
    nullable: true,
    description:
      'The largest difference that is none, in the metric’s unit (of a rate .02 = two points); by default .05 for FEEDBACK, AGREEMENT and ABSTENTION, .02 for FAILURE, and 0 for means: then no difference can be shown to be none.',
  })
  margin?: number | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether it decides; exactly one does. True by default where there is one metric, else false.',
  })
  primary?: boolean | null;
}

@InputType({
  description: 'A part of the units that experiments share out: those with parts apart have no unit in common.',
})
export class ExperimentNamespaceInput {
  @Field(() => String, { description: 'Its name, 1 to 63 characters.' })
  name!: string;

  @Field(() => Float, { description: 'Where the part begins, 0 to below 1.' })
  from!: number;

  @Field(() => Float, { description: 'Where it ends, above `from`, at most 1.' })
  to!: number;
}

@InputType({ description: 'An experiment as it is planned. Nobody is drawn until it is started.' })
export class CreateExperimentInput {
  @Field(() => String, { description: 'What it is called, 1 to 100 characters.' })
  name!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'The adapter whose production’s questions are drawn, whether they name it or the router gives them to it; by default the questions that leave everything to Graft (AUTO).',
  })
  adapter?: string | null;

  @MaxItems(MOST_ARMS)
  @Field(() => [ExperimentArmInput], {
    description: `2 to ${MOST_ARMS} arms; the first is the control, with which the others are compared.`,
  })
  arms!: ExperimentArmInput[];

  @Field(() => Float, {
    nullable: true,
    defaultValue: 1,
    description: 'Share of the questions that take part, above 0 to 1; the rest is answered as production.',
  })
  coverage!: number;

  @Field(() => ExperimentNamespaceInput, {
    nullable: true,
    description: 'Keeps it apart from other experiments; by default it isn’t.',
  })
  namespace?: ExperimentNamespaceInput | null;

  @MaxItems(MOST_METRICS)
  @Field(() => [ExperimentMetricInput], { description: `1 to ${MOST_METRICS} metrics, one of which is primary.` })
  metrics!: ExperimentMetricInput[];

  @Field(() => Float, {
    nullable: true,
    defaultValue: DEFAULT_ALPHA,
    description:
      'Probability with which a difference is found where there is none, of all arms by the primary metric together: however often it is looked at while it runs, and once more at the planned end. Above 0, below 1.',
  })
  alpha!: number;

  @Field(() => Float, {
    nullable: true,
    defaultValue: DEFAULT_POWER,
    description: 'Probability with which `effect` shall be seen, above 0, below 1; for planning and futility.',
  })
  power!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'The difference that would matter, in the primary metric’s unit, above 0; by default its margin.',
  })
  effect?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: `Outcomes of the primary metric in all arms together after which it ends, 1 to ${MOST_ANSWERS}; see planExperiment. By default it has no planned size.`,
  })
  plannedSize?: number | null;

  @Field(() => Float, {
    nullable: true,
    description: `Days of running after which it ends, above 0 to ${MOST_DAYS}; by default none. Without a planned end it is read by sequences until somebody ends it.`,
  })
  plannedDays?: number | null;

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description:
      'Whether only questions that name a `unit` take part, so that whoever comes back gets the same arm; a question without one is a unit of its own, which such an experiment can’t use.',
  })
  sticky!: boolean;

  @Field(() => ExperimentCounting, {
    nullable: true,
    defaultValue: ExperimentCounting.FIRST_OF_UNIT,
    description: 'Which answers of a unit count.',
  })
  counting!: ExperimentCounting;

  @Field(() => Int, {
    nullable: true,
    defaultValue: 0,
    description: `Answers that are given as production before the arms differ, 0 to ${MOST_ANSWERS}, so that means are adjusted by how each unit was (CUPED); only with \`sticky\`.`,
  })
  beforeAnswers!: number;

  @Field(() => String, { description: 'Why, for the record; 1 to 1,000 characters.' })
  reason!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Who makes it, for the record; 1 to 200 characters; by default the caller.',
  })
  by?: string | null;

  @Field(() => ID, { description: IDEMPOTENCY_KEY })
  idempotencyKey!: string;
}

@InputType({ description: 'What a person wants of an experiment.' })
export class ExperimentOrderInput {
  @Field(() => ID, { description: 'Id of the experiment.' })
  experiment!: string;

  @Field(() => String, { description: 'Why, for the record; 1 to 1,000 characters.' })
  reason!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Who decides, for the record; 1 to 200 characters; by default the caller.',
  })
  by?: string | null;
}

@InputType({ description: 'How many take part from now on.' })
export class WidenExperimentInput extends ExperimentOrderInput {
  @Field(() => Float, { description: 'Share of the questions that take part, above what it is, at most 1.' })
  coverage!: number;
}

@InputType({ description: 'How units are drawn anew.' })
export class RedrawExperimentInput extends ExperimentOrderInput {
  @Field(() => Boolean, {
    nullable: true,
    defaultValue: true,
    description:
      'Whether units that were drawn before take no part any more: what they saw would show. Needs a coverage below 1.',
  })
  excludeEarlier!: boolean;
}

@InputType({ description: 'What a test is asked before it is made. What is left out is measured on recent answers.' })
export class PlanExperimentInput {
  @Field(() => ExperimentMetricName, { description: 'The primary metric.' })
  metric!: ExperimentMetricName;

  @Field(() => String, {
    nullable: true,
    description: 'The adapter whose production’s answers are measured; by default answers of any kind.',
  })
  adapter?: string | null;

  @Field(() => Int, { nullable: true, defaultValue: 2, description: `Arms with the control, 2 to ${MOST_ARMS}.` })
  arms!: number;

  @Field(() => Float, {
    nullable: true,
    defaultValue: 1,
    description: 'Share of the questions that take part, above 0 to 1.',
  })
  coverage!: number;

  @Field(() => Float, {
    nullable: true,
    defaultValue: DEFAULT_ALPHA,
    description: 'As of the experiment; above 0, below 1.',
  })
  alpha!: number;

  @Field(() => Float, {
    nullable: true,
    defaultValue: DEFAULT_POWER,
    description: 'Probability with which the difference shall be seen, above 0, below 1.',
  })
  power!: number;

  @Field(() => Float, {
    nullable: true,
    description:
      'The difference that would matter, in the metric’s unit, above 0; by default only `size` is asked about.',
  })
  effect?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: `Outcomes in all arms together, 1 to ${MOST_ANSWERS}; by default as many as \`effect\` needs.`,
  })
  size?: number | null;

  @Field(() => Float, { nullable: true, description: 'Mean of the control; by default as measured.' })
  baseline?: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Variance of one value, above 0; by default as measured, of a rate by its baseline.',
  })
  variance?: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Outcomes of the metric a day, above 0; by default as measured.',
  })
  perDay?: number | null;
}

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
