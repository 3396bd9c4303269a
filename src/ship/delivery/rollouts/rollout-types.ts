import { Field, ObjectType } from 'type-graphql';
import { z } from 'zod';
import { connectionTypes, NodeType, recordType } from '../../../kit/graphql/index.js';
import { record } from '../../../kernel/record.js';
import { lossSeen } from './could-see.js';
import { RolloutMetric } from './measures.js';
import { RolloutStatus } from './decide.js';
import { RolloutAction, type RolloutDecisionRow, type RolloutRow } from './rollout.js';
import { rolloutStep } from './plan.js';

// A rollout as the API shows it: its steps, its figures with their evidence, what was decided.

const figure = record('GuardFigure', 'How often the answers of an arm were good.', {
  answers: z.number().int().describe('Answers that say something of it, in all steps.'),
  value: z.number().nullable().describe('Share of those that were good, 0 to 1; null while there are none.'),
});
export type GuardFigure = z.infer<typeof figure>;

const difference = record(
  'GuardDifference',
  'By how much more often the candidate’s answers were good than the controls’, in all steps together, with a 95 % interval that holds however often it is looked at. What decides is `evidenceWorse`, which compares step by step.',
  {
    estimate: z.number().describe('Candidate less control, -1 to 1; negative where the candidate is worse.'),
    low: z.number().describe('The lower end, -1 to 1.'),
    high: z.number().describe('The upper end, -1 to 1.'),
  },
);
export type GuardDifference = z.infer<typeof difference>;

const guard = record('Guard', 'A figure that a rollout watches, and the evidence so far.', {
  metric: z.enum(RolloutMetric).describe('What is compared.'),
  margin: z.number().describe('By how much the candidate may be worse, of 1.'),
  alpha: z.number().describe('Its part of the rollout’s alpha.'),
  bound: z
    .number()
    .nullable()
    .describe('Where slow (ms) or unsure begins; null where there is no such bound, or it is not learned yet.'),
  candidate: figure.describe('Of the candidate.'),
  control: figure.describe('Of the controls beside it.'),
  difference: difference.nullable().describe('Between the two; null while one has no answers.'),
  evidenceWorse: z
    .number()
    .describe(
      'The most evidence so far that the candidate is worse by more than the margin: natural logarithm of an e-value.',
    ),
  decidesAt: z.number().describe('The evidence at which it decides.'),
  crossed: z.boolean().describe('Whether the evidence that the candidate is worse has reached that.'),
  couldSee: z
    .array(lossSeen)
    .describe(
      'With which probability losses of 5, 10 and 20 points would have been found by now: what didn’t cross was no worse only as far as that.',
    ),
});
export type Guard = z.infer<typeof guard>;

export const healthCheck = record('HealthCheck', 'Something that must be so for the figures to mean anything.', {
  name: z
    .string()
    .describe(
      '`traffic`, `sample ratio` or `outage` of a rollout; `sample ratio`, `arms` or `units` of an experiment.',
    ),
  healthy: z.boolean().describe('Whether it is.'),
  message: z.string().describe('What was found, in words.'),
});
export type HealthCheck = z.infer<typeof healthCheck>;

const decisionFigure = record(
  'DecisionFigure',
  'A figure that a rollout watches, as it was when something was decided.',
  {
    metric: z.enum(RolloutMetric).describe('What was compared.'),
    candidate: figure.describe('Of the candidate.'),
    control: figure.describe('Of the controls beside it.'),
    difference: difference.nullable().describe('Between the two; null while one had no answers.'),
  },
);
export type DecisionFigure = z.infer<typeof decisionFigure>;

const decision = record('RolloutDecision', 'Something that was decided of a rollout. Decisions are only ever added.', {
  id: z.string().describe('Its id.').meta({ shown: 'ID' }),
  action: z.enum(RolloutAction).describe('What was decided.'),
  check: z
    .string()
    .describe(
      'The check that decided: `GUARDRAIL`, `HEALTH`, `NO_TRAFFIC`, `APPROVAL`, `PASSED`, `COMMAND` or `STATUS`.',
    ),
  reasons: z.array(z.string()).describe('Why, in sentences with figures.'),
  step: z.number().int().describe('Index of the step from then on, from 0.'),
  share: z.number().describe('Its share, 0 to 1.'),
  decidedBy: z.string().nullable().describe('Who decided; null where the rollout did by itself.'),
  reason: z.string().nullable().describe('The reason that they gave; null where the rollout decided by itself.'),
  evidence: z
    .custom<RolloutDecisionRow['evidence']>()
    .describe('What it rested on: counts and evidence of each figure at that moment.')
    .meta({ shown: 'JSON' }),
  figures: z.array(decisionFigure).describe('Each figure that is watched, as it was at that moment.'),
  createdAt: z.date().describe('When.').meta({ name: 'decidedAt' }),
});
export const RolloutDecision = recordType(decision);
export type RolloutDecision = InstanceType<typeof RolloutDecision>;
export const { Connection: RolloutDecisionConnection } = connectionTypes(RolloutDecision);

export const RolloutEvent = recordType(
  record('RolloutEvent', 'A decision as its stream tells it.', {
    id: z
      .string()
      .describe('Place in the rollout’s stream: pass the last one seen as `after` to continue behind it.')
      .meta({ shown: 'ID' }),
    decision: decision.describe('What was decided.'),
  }),
);
export type RolloutEvent = InstanceType<typeof RolloutEvent>;

const rollout = record('Rollout', 'An adapter version on its way to production, step by step beside a control.', {
  adapter: z.string().describe('Name of the adapter.').meta({ name: 'adapterName' }),
  candidateVersion: z.number().int().describe('Number of the version that is delivered.'),
  againstVersion: z.number().int().describe('Number of the production version that it is held against.'),
  status: z.enum(RolloutStatus).describe('How far it is.'),
  awaitsApproval: z.boolean().describe('Whether it waits for a person’s approval, and for nothing else.'),
  step: z.number().int().describe('Index of the step that it is at, from 0.').meta({ name: 'current' }),
  steps: z.array(rolloutStep).describe('Its steps.'),
  alpha: z.number().describe('Probability with which an equally good candidate would be rolled back, in all.'),
  guardrails: z.array(guard).describe('What rolls it back.'),
  health: z.array(healthCheck).describe('Whether its figures can be trusted.'),
  candidateAnswers: z.number().int().describe('Answers of the candidate in this step.'),
  controlAnswers: z.number().int().describe('Controls in this step.'),
  minutes: z.number().describe('Minutes that it was watched in this step.'),
  startedBy: z.string().describe('Who started it.'),
  reason: z.string().describe('Why.'),
  createdAt: z.date().describe('When it began.'),
  finishedAt: z.date().nullable().describe('When it ended; null before.'),
  row: z.custom<RolloutRow>(),
});
export const Rollout = recordType(rollout, NodeType);
export type Rollout = InstanceType<typeof Rollout>;
export const { Connection: RolloutConnection } = connectionTypes(Rollout);

@ObjectType({ description: 'The rollout as it is now.' })
export class RolloutPayload {
  @Field(() => Rollout, { description: 'Watch it with `rolloutEvents`.' })
  rollout!: Rollout;
}

@ObjectType({ description: 'The rollout that was started, or was already under this key.' })
export class StartRolloutPayload extends RolloutPayload {}
