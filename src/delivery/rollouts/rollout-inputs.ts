import { Field, Float, ID, InputType, Int } from 'type-graphql';
import { MaxItems, IDEMPOTENCY_KEY } from '../../graphql-kit/index.js';
import { RolloutMetric } from './measures.js';
import { MOST_SHARE, RolloutCounting, SignalDemand } from './plan.js';
import { DEFAULT_ALPHA, MARGINS, MOST_ANSWERS, MOST_MINUTES, MOST_STEPS, RolloutTemplate } from './settings.js';

// What callers say of a rollout: its steps and figures, and what they want of it.

@InputType({ description: 'A step of a rollout.' })
export class RolloutStepInput {
  @Field(() => Float, {
    description: `Share of the adapter’s questions that the candidate answers, above that of the step before, at most ${MOST_SHARE}.`,
  })
  share!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Controls a candidate’s answer, 1 to 9, as far as the rest of the questions goes; 9 by default.',
  })
  controls?: number;

  @Field(() => Int, {
    nullable: true,
    description: `Answers of the candidate in this step before the next, 0 to ${MOST_ANSWERS}; 50 by default.`,
  })
  leastAnswers?: number;

  @Field(() => Float, {
    nullable: true,
    description: `Minutes in this step before the next, 0 to ${MOST_MINUTES}; 10 by default.`,
  })
  leastMinutes?: number;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether a person must approve before it is left; false by default, always true for the last.',
  })
  approval?: boolean;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether its own answers decide; true by default. One that isn’t monitored is caught up when it is overdue.',
  })
  monitored?: boolean;
}

@InputType({ description: 'A figure that a rollout watches.' })
export class GuardInput {
  @Field(() => RolloutMetric, { description: 'Which.' })
  metric!: RolloutMetric;

  @Field(() => Float, {
    nullable: true,
    description: `By how much the candidate may be worse, of 1, 0 to below 1; by default ${Object.entries(MARGINS)
      .map(([name, margin]) => `${margin} for ${name}`)
      .join(', ')}.`,
  })
  margin?: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Of a guardrail: its part of `alpha` beside the others’, above 0; 1 by default.',
  })
  weight?: number | null;

  @Field(() => SignalDemand, {
    nullable: true,
    description: 'Of a signal: when it holds; `NOT_SHOWN_WORSE` by default.',
  })
  demand?: SignalDemand | null;
}

@InputType({ description: 'Which version goes to users, and how.' })
export class StartRolloutInput {
  @Field(() => String, { description: 'Name of the adapter.' })
  adapter!: string;

  @Field(() => Int, {
    nullable: true,
    description: 'Number of the version; by default the one that `CANDIDATE` names.',
  })
  candidate?: number | null;

  @Field(() => RolloutTemplate, {
    nullable: true,
    defaultValue: RolloutTemplate.STANDARD,
    description: 'A ready plan; `steps` replaces its steps.',
  })
  template!: RolloutTemplate;

  @MaxItems(MOST_STEPS)
  @Field(() => [RolloutStepInput], {
    nullable: true,
    description: `1 to ${MOST_STEPS} steps with growing shares, at most ${MOST_SHARE}: a tenth stays with production until a person approves.`,
  })
  steps?: RolloutStepInput[] | null;

  @MaxItems(5)
  @Field(() => [GuardInput], {
    nullable: true,
    description: 'At most 5 figures that roll back at once; all five by default.',
  })
  guardrails?: GuardInput[] | null;

  @MaxItems(5)
  @Field(() => [GuardInput], { nullable: true, description: 'At most 5 figures that hold; by default none.' })
  signals?: GuardInput[] | null;

  @Field(() => RolloutCounting, {
    nullable: true,
    defaultValue: RolloutCounting.FIRST_OF_UNIT,
    description: 'Which answers of a unit are compared.',
  })
  counting!: RolloutCounting;

  @Field(() => Float, {
    nullable: true,
    defaultValue: DEFAULT_ALPHA,
    description:
      'Probability with which an equally good candidate is rolled back, in all and however often it is looked at; above 0, below 1.',
  })
  alpha!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Milliseconds above which an answer is slow; by default twice the median of the first 20 controls.',
  })
  slowMs?: number | null;

  @Field(() => Float, {
    nullable: true,
    description:
      'Confidence below which an answer is unsure, above 0 to 1; by default the fifth least sure of the first 20 controls.',
  })
  unsure?: number | null;

  @Field(() => Float, {
    nullable: true,
    description: `Minutes without an answer of the candidate after which it holds, above 0 to ${MOST_MINUTES}; 60 by default.`,
  })
  noTrafficMinutes?: number | null;

  @Field(() => ID, {
    nullable: true,
    description:
      'Id of a COMPLETE shadow of this candidate beside what is production now, as evidence; by default none. CONFLICT where it isn’t one.',
  })
  shadow?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description: 'Whether such a shadow must exist, also where none is named; CONFLICT without one. False by default.',
  })
  requireShadow!: boolean;

  @Field(() => String, { description: 'Why, for the record; 1 to 1,000 characters.' })
  reason!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Who starts it, for the record; 1 to 200 characters; by default the caller.',
  })
  by?: string | null;

  @Field(() => ID, { description: IDEMPOTENCY_KEY })
  idempotencyKey!: string;
}

@InputType({ description: 'What a person wants of a rollout.' })
export class RolloutOrderInput {
  @Field(() => ID, { description: 'Id of the rollout.' })
  rollout!: string;

  @Field(() => String, { description: 'Why, for the record; 1 to 1,000 characters.' })
  reason!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Who decides, for the record; 1 to 200 characters; by default the caller.',
  })
  by?: string | null;
}

@InputType({ description: 'To which step a rollout goes.' })
export class JumpRolloutInput extends RolloutOrderInput {
  @Field(() => Int, { description: 'Index of the step, from 0 on.' })
  step!: number;
}
