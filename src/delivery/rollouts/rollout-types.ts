import { Field, Float, ID, Int, ObjectType } from 'type-graphql';
import { connectionTypes, DateTime, JsonScalar, NodeType, recordType } from '../../graphql-kit/index.js';
import { RolloutMetric } from './measures.js';
import { RolloutAction, RolloutStatus, type RolloutDecisionRow, type RolloutRow } from './rollout.js';
import { RolloutCounting, rolloutStep, SignalDemand } from './plan.js';
import './rollout-enums.js';

// A rollout as the API shows it: its steps, its figures with their evidence, what was decided.

export const RolloutStepType = recordType(rolloutStep);
export type RolloutStepType = InstanceType<typeof RolloutStepType>;

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

@ObjectType({ description: 'Whether a loss would have been found, had there been one.' })
export class LossSeen {
  @Field(() => Float, { description: 'The loss: so much lower a share of good answers, 0 to 1.' })
  loss!: number;

  @Field(() => Float, {
    description: 'Probability that a candidate that is worse by it would have been found by now, 0 to 1.',
  })
  byNow!: number;

  @Field(() => Float, {
    description: 'The same once each step that is left has its least answers, as often judged as until now, 0 to 1.',
  })
  byTheEnd!: number;
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
  demand!: SignalDemand | null;

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

  @Field(() => [LossSeen], {
    description:
      'With which probability losses of 5, 10 and 20 points would have been found by now: what didn’t cross was no worse only as far as that.',
  })
  couldSee!: LossSeen[];
}

@ObjectType({ description: 'Something that must be so for the figures to mean anything.' })
export class HealthCheck {
  @Field(() => String, { description: '`traffic`, `sample ratio`, `exposure` or `outage`.' })
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
