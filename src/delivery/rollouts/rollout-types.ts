import { Field, Float, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { connectionTypes, DateTime, JsonScalar, MaxItems, NodeType, IDEMPOTENCY_KEY } from '../../graphql-kit/index.js';
import { enumeration } from '../../kernel/enumeration.js';
import { RolloutMetric } from './measures.js';
import { RolloutAction, RolloutStatus, type RolloutDecisionRow, type RolloutRow } from './rollout.js';
import {
  DEFAULT_ALPHA,
  MARGINS,
  MOST_ANSWERS,
  MOST_MINUTES,
  MOST_STEPS,
  RolloutCounting,
  RolloutTemplate,
} from './settings.js';

registerEnumType(RolloutStatus, {
  name: 'RolloutStatus',
  description: 'How far a rollout is.',
  valuesConfig: {
    RUNNING: { description: 'The candidate answers the share of its step.' },
    PAUSED: { description: 'A person holds it: the share stays, and guardrails still roll back.' },
    ROLLED_BACK: { description: 'A guardrail was crossed: production answers everything again.' },
    COMPLETED: { description: 'The candidate is production.' },
    ABORTED: {
      description: 'It was ended without the candidate: by a person, or because something that it needs is gone.',
    },
  },
});

registerEnumType(RolloutAction, {
  name: 'RolloutAction',
  description: 'What was decided of a rollout.',
  valuesConfig: {
    START: { description: 'It began.' },
    ROLL_BACK: { description: 'Back to production, because a guardrail was crossed.' },
    HOLD: { description: 'Stay at this step; the reasons say for what.' },
    AWAIT_APPROVAL: { description: 'The step has passed, and a person must approve before it is left.' },
    ADVANCE: { description: 'On to the next step.' },
    COMPLETE: { description: 'The candidate became production.' },
    PAUSE: { description: 'A person paused it.' },
    RESUME: { description: 'A person let it go on.' },
    APPROVE: { description: 'A person approved that the step is left.' },
    JUMP: { description: 'A person moved it to another step.' },
    ABORT: { description: 'It was ended without the candidate.' },
  },
});

registerEnumType(RolloutMetric, {
  name: 'RolloutMetric',
  description: 'What of an answer is compared between candidate and control.',
  valuesConfig: {
    FAILURE: { description: 'Whether there was an answer, not an error.' },
    ABSTENTION: { description: 'Whether one was given at all.' },
    LATENCY: { description: 'Whether it came in time: `slowMs`, or twice the median of the first 20 controls.' },
    CONFIDENCE: {
      description: 'Whether it was sure enough: `unsure`, or the fifth least sure of the first 20 controls.',
    },
    FEEDBACK: {
      description:
        'Whether the first who judged it, by `submitFeedback` or as a reviewer, found it right; counted when they say so, also of steps that were left. Answers of which nobody says anything count for nothing.',
    },
  },
});

registerEnumType(RolloutCounting, {
  name: 'RolloutCounting',
  description: 'Which answers of a unit are compared.',
  valuesConfig: {
    EVERY: { description: 'Every one: right where each request is its own unit, or units ask much alike.' },
    FIRST_OF_UNIT: {
      description:
        'The first of each unit and step, and of what is said the first: keeps `alpha` where few units ask a lot and differ.',
    },
  },
});

registerEnumType(RolloutTemplate, {
  name: 'RolloutTemplate',
  description: 'A ready plan.',
  valuesConfig: {
    STANDARD: {
      description: '1, 5, 10, 25, 50 and 100 %, each for at least ten minutes and 20 to 50 answers of the candidate.',
    },
    CAREFUL: {
      description: 'The same shares, each for at least an hour and four times the answers, with an approval at 10 %.',
    },
    QUICK: { description: '10, 50 and 100 %, each for at least ten answers and no time: for trying it.' },
  },
});

export const SignalDemand = enumeration('NOT_SHOWN_WORSE', 'SHOWN_NO_WORSE');
registerEnumType(SignalDemand, {
  name: 'SignalDemand',
  description: 'When a signal holds a rollout.',
  valuesConfig: {
    NOT_SHOWN_WORSE: { description: 'While the candidate is shown to be worse by more than the margin.' },
    SHOWN_NO_WORSE: {
      description: 'Until the candidate is shown not to be worse by more than the margin: takes many answers.',
    },
  },
});

@InputType({ description: 'A step of a rollout.' })
export class RolloutStepInput {
  @Field(() => Float, {
    description:
      'Share of the adapter’s questions that the candidate answers, above that of the step before, at most 1.',
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
  demand?: keyof typeof SignalDemand | null;
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
    description: `1 to ${MOST_STEPS} steps with growing shares, the last of which is 1.`,
  })
  steps?: RolloutStepInput[] | null;

  @MaxItems(5)
  @Field(() => [GuardInput], {
    nullable: true,
    description: 'At most 5 figures that roll back at once; by default FAILURE, ABSTENTION, LATENCY and CONFIDENCE.',
  })
  guardrails?: GuardInput[] | null;

  @MaxItems(5)
  @Field(() => [GuardInput], { nullable: true, description: 'At most 5 figures that hold; by default none.' })
  signals?: GuardInput[] | null;

  @Field(() => RolloutCounting, {
    nullable: true,
    defaultValue: RolloutCounting.EVERY,
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

@ObjectType('RolloutStep', { description: 'A step of a rollout.' })
export class RolloutStepType {
  @Field(() => Float, { description: 'Share of the adapter’s questions that the candidate answers, 0 to 1.' })
  share!: number;

  @Field(() => Float, {
    description:
      'Controls a candidate’s answer that were asked for; where fewer questions are left, all of them are controls.',
  })
  controls!: number;

  @Field(() => Int, { description: 'Answers of the candidate before the next step.' })
  leastAnswers!: number;

  @Field(() => Float, { description: 'Minutes before the next step.' })
  leastMinutes!: number;

  @Field(() => Boolean, { description: 'Whether a person must approve before it is left.' })
  approval!: boolean;

  @Field(() => Boolean, { description: 'Whether its own answers decide.' })
  monitored!: boolean;
}

@ObjectType({ description: 'How often the answers of an arm were good.' })
export class GuardFigure {
  @Field(() => Int, { description: 'Answers that say something of it, in all steps.' })
  answers!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Share of those that were good, 0 to 1; null while there are none.',
  })
  value!: number | null;
}

@ObjectType({
  description:
    'By how much more often the candidate’s answers were good than the controls’, in all steps together, with a 95 % interval that holds however often it is looked at. What decides is `evidenceWorse`, which compares step by step.',
})
export class GuardDifference {
  @Field(() => Float, { description: 'Candidate less control, -1 to 1; negative where the candidate is worse.' })
  estimate!: number;

  @Field(() => Float, { description: 'The lower end, -1 to 1.' })
  low!: number;

  @Field(() => Float, { description: 'The upper end, -1 to 1.' })
  high!: number;
}

@ObjectType({ description: 'A figure that a rollout watches, and the evidence so far.' })
export class Guard {
  @Field(() => RolloutMetric, { description: 'What is compared.' })
  metric!: RolloutMetric;

  @Field(() => Float, { description: 'By how much the candidate may be worse, of 1.' })
  margin!: number;

  @Field(() => Float, { nullable: true, description: 'A guardrail’s part of the rollout’s alpha; null for a signal.' })
  alpha!: number | null;

  @Field(() => SignalDemand, { nullable: true, description: 'When a signal holds; null for a guardrail.' })
  demand!: keyof typeof SignalDemand | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Where slow (ms) or unsure begins; null where there is no such bound, or it is not learned yet.',
  })
  bound!: number | null;

  @Field(() => GuardFigure, { description: 'Of the candidate.' })
  candidate!: GuardFigure;

  @Field(() => GuardFigure, { description: 'Of the controls beside it.' })
  control!: GuardFigure;

  @Field(() => GuardDifference, { nullable: true, description: 'Between the two; null while one has no answers.' })
  difference!: GuardDifference | null;

  @Field(() => Float, {
    description:
      'The most evidence so far that the candidate is worse by more than the margin: natural logarithm of an e-value.',
  })
  evidenceWorse!: number;

  @Field(() => Float, { description: 'The most evidence so far that it isn’t, in the same unit.' })
  evidenceNoWorse!: number;

  @Field(() => Float, { description: 'The evidence at which it decides.' })
  decidesAt!: number;

  @Field(() => Boolean, { description: 'Whether the evidence that the candidate is worse has reached that.' })
  crossed!: boolean;
}

@ObjectType({ description: 'Something that must be so for the figures to mean anything.' })
export class HealthCheck {
  @Field(() => String, { description: '`traffic`, `sample ratio` or `exposure`.' })
  name!: string;

  @Field(() => Boolean, { description: 'Whether it is.' })
  healthy!: boolean;

  @Field(() => String, { description: 'What was found, in words.' })
  message!: string;
}

@ObjectType({ description: 'A figure that a rollout watches, as it was when something was decided.' })
export class DecisionFigure {
  @Field(() => RolloutMetric, { description: 'What was compared.' })
  metric!: RolloutMetric;

  @Field(() => GuardFigure, { description: 'Of the candidate.' })
  candidate!: GuardFigure;

  @Field(() => GuardFigure, { description: 'Of the controls beside it.' })
  control!: GuardFigure;

  @Field(() => GuardDifference, { nullable: true, description: 'Between the two; null while one had no answers.' })
  difference!: GuardDifference | null;
}

@ObjectType({ description: 'Something that was decided of a rollout. Decisions are only ever added.' })
export class RolloutDecision {
  @Field(() => ID, { description: 'Its id.' })
  id!: string;

  @Field(() => RolloutAction, { description: 'What was decided.' })
  action!: RolloutAction;

  @Field(() => String, {
    description:
      'The check that decided: `GUARDRAIL`, `HEALTH`, `NO_TRAFFIC`, `SIGNAL`, `APPROVAL`, `PASSED`, `COMMAND` or `STATUS`.',
  })
  check!: string;

  @Field(() => [String], { description: 'Why, in sentences with figures.' })
  reasons!: string[];

  @Field(() => Int, { description: 'Index of the step from then on, from 0.' })
  step!: number;

  @Field(() => Float, { description: 'Its share, 0 to 1.' })
  share!: number;

  @Field(() => String, { nullable: true, description: 'Who decided; null where the rollout did by itself.' })
  decidedBy!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The reason that they gave; null where the rollout decided by itself.',
  })
  reason!: string | null;

  @Field(() => JsonScalar, { description: 'What it rested on: counts and evidence of each figure at that moment.' })
  evidence!: unknown;

  @Field(() => [DecisionFigure], { description: 'Each figure that is watched, as it was at that moment.' })
  figures!: DecisionFigure[];

  @Field(() => DateTime, { description: 'When.' })
  decidedAt!: Date;

  readonly row!: RolloutDecisionRow;
}
export const { Connection: RolloutDecisionConnection } = connectionTypes(RolloutDecision);

@ObjectType({ description: 'A decision as its stream tells it.' })
export class RolloutEvent {
  @Field(() => ID, {
    description: 'Place in the rollout’s stream: pass the last one seen as `after` to continue behind it.',
  })
  id!: string;

  @Field(() => RolloutDecision, { description: 'What was decided.' })
  decision!: RolloutDecision;
}

@ObjectType({
  implements: NodeType,
  description: 'An adapter version on its way to production, step by step beside a control.',
})
export class Rollout extends NodeType {
  @Field(() => String, { description: 'Name of the adapter.' })
  adapterName!: string;

  @Field(() => Int, { description: 'Number of the version that is delivered.' })
  candidateVersion!: number;

  @Field(() => Int, { description: 'Number of the production version that it is held against.' })
  againstVersion!: number;

  @Field(() => RolloutStatus, { description: 'How far it is.' })
  status!: RolloutStatus;

  @Field(() => Boolean, { description: 'Whether it waits for a person’s approval, and for nothing else.' })
  awaitsApproval!: boolean;

  @Field(() => Int, { description: 'Index of the step that it is at, from 0.' })
  current!: number;

  @Field(() => [RolloutStepType], { description: 'Its steps.' })
  steps!: RolloutStepType[];

  @Field(() => Float, { description: 'Probability with which an equally good candidate would be rolled back, in all.' })
  alpha!: number;

  @Field(() => RolloutCounting, { description: 'Which answers of a unit are compared.' })
  counting!: RolloutCounting;

  @Field(() => [Guard], { description: 'What rolls it back.' })
  guardrails!: Guard[];

  @Field(() => [Guard], { description: 'What holds it.' })
  signals!: Guard[];

  @Field(() => [HealthCheck], { description: 'Whether its figures can be trusted.' })
  health!: HealthCheck[];

  @Field(() => Int, { description: 'Answers of the candidate in this step.' })
  candidateAnswers!: number;

  @Field(() => Int, { description: 'Controls in this step.' })
  controlAnswers!: number;

  @Field(() => Float, { description: 'Minutes that it was watched in this step.' })
  minutes!: number;

  @Field(() => String, { description: 'Who started it.' })
  startedBy!: string;

  @Field(() => String, { description: 'Why.' })
  reason!: string;

  @Field(() => DateTime, { description: 'When it began.' })
  createdAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'When it ended; null before.' })
  finishedAt!: Date | null;

  readonly row!: RolloutRow;
}
export const { Connection: RolloutConnection } = connectionTypes(Rollout);

@ObjectType({ description: 'The rollout as it is now.' })
export class RolloutPayload {
  @Field(() => Rollout, { description: 'Watch it with `rolloutEvents`.' })
  rollout!: Rollout;
}

@ObjectType({ description: 'The rollout that was started, or was already under this key.' })
export class StartRolloutPayload extends RolloutPayload {}
