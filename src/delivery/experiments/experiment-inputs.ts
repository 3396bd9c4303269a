import { Field, Float, ID, InputType, Int } from 'type-graphql';
import { StrategyValues, type Strategy } from '../../ask/index.js';
import { WordingChoice } from '../../registry/index.js';
import { IDEMPOTENCY_KEY, MaxItems } from '../../graphql-kit/index.js';
import { Better } from './conclude.js';
import { ExperimentMetricName } from './metrics.js';
import { DEFAULT_ALPHA, DEFAULT_POWER, MOST_ANSWERS, MOST_ARMS, MOST_DAYS, MOST_METRICS } from './settings.js';

// What callers say of an experiment: its plan, and what they want of it.

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

  @Field(() => WordingChoice, { nullable: true, description: 'Whose words an answer from documents has.' })
  wording?: WordingChoice | null;

  @Field(() => ExperimentGenerationInput, { nullable: true, description: 'How it generates.' })
  generation?: ExperimentGenerationInput | null;
}

@InputType({ description: 'What is compared, and how much matters.' })
export class ExperimentMetricInput {
  @Field(() => ExperimentMetricName, { description: 'Which.' })
  metric!: ExperimentMetricName;

  @Field(() => Better, {
    nullable: true,
    description: 'Which way is better; by default HIGHER for FEEDBACK, AGREEMENT and CONFIDENCE, else LOWER.',
  })
  better?: Better | null;

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

  @MaxItems(MOST_METRICS)
  @Field(() => [ExperimentMetricInput], { description: `1 to ${MOST_METRICS} metrics, one of which is primary.` })
  metrics!: ExperimentMetricInput[];

  @Field(() => Float, {
    nullable: true,
    defaultValue: DEFAULT_ALPHA,
    description:
      'Probability with which a difference is found where there is none, of all arms by the primary metric together: however often it is looked at while it runs, the planned end included, which has four fifths of it. Above 0, below 1.',
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
