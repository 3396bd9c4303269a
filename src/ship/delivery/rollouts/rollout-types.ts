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
import { record, int, float, oneOf, boolean, string, id, date } from '../../../kernel/record.js';
import { requestedBy } from '../request.js';
import { lossSeen } from './could-see.js';
import { RolloutMetric } from './measures.js';
import { RolloutStatus } from './decide.js';
import { RolloutAction, type RolloutDecisionRow, type RolloutRow } from './rollout.js';
import { rolloutStep } from './plan.js';
import { rolloutRequest } from './settings.js';

// A rollout as the API shows it: its steps, its figures with their evidence, what was decided.

const figure = record('GuardFigure', 'How often the answers of an arm were good.', {
  answers: int('Answers that say something of it, in all steps.'),
  value: float('Share of those that were good, 0 to 1; null while there are none.').nullable(),
});
export type GuardFigure = z.infer<typeof figure>;

const difference = record(
  'GuardDifference',
  'By how much more often the candidate’s answers were good than the controls’, in all steps together, with a 95 % interval that holds however often it is looked at. What decides is `evidenceWorse`, which compares step by step.',
  {
    estimate: float('Candidate less control, -1 to 1; negative where the candidate is worse.'),
    low: float('The lower end, -1 to 1.'),
    high: float('The upper end, -1 to 1.'),
  },
);
export type GuardDifference = z.infer<typeof difference>;

const guard = record('Guard', 'A figure that a rollout watches, and the evidence so far.', {
  metric: oneOf(RolloutMetric, 'What is compared.'),
  margin: float('By how much the candidate may be worse, of 1.'),
  alpha: float('Its part of the rollout’s alpha.'),
  bound: float(
    'Where slow (ms) or unsure begins; null where there is no such bound, or it is not learned yet.',
  ).nullable(),
  candidate: figure.describe('Of the candidate.'),
  control: figure.describe('Of the controls beside it.'),
  difference: difference.nullable().describe('Between the two; null while one has no answers.'),
  evidenceWorse: float(
    'The most evidence so far that the candidate is worse by more than the margin: natural logarithm of an e-value.',
  ),
  decidesAt: float('The evidence at which it decides.'),
  crossed: boolean('Whether the evidence that the candidate is worse has reached that.'),
  couldSee: z
    .array(lossSeen)
    .describe(
      'With which probability losses of 5, 10 and 20 points would have been found by now: what didn’t cross was no worse only as far as that.',
    ),
});
export type Guard = z.infer<typeof guard>;

export const healthCheck = record('HealthCheck', 'Something that must be so for the figures to mean anything.', {
  name: string(
    '`traffic`, `sample ratio` or `outage` of a rollout; `sample ratio`, `arms` or `units` of an experiment.',
  ),
  healthy: boolean('Whether it is.'),
  message: string('What was found, in words.'),
});
export type HealthCheck = z.infer<typeof healthCheck>;

const decisionFigure = record(
  'DecisionFigure',
  'A figure that a rollout watches, as it was when something was decided.',
  {
    metric: oneOf(RolloutMetric, 'What was compared.'),
    candidate: figure.describe('Of the candidate.'),
    control: figure.describe('Of the controls beside it.'),
    difference: difference.nullable().describe('Between the two; null while one had no answers.'),
  },
);
export type DecisionFigure = z.infer<typeof decisionFigure>;

const decision = record('RolloutDecision', 'Something that was decided of a rollout. Decisions are only ever added.', {
  id: id('Its id.'),
  action: oneOf(RolloutAction, 'What was decided.'),
  check: string(
    'The check that decided: `GUARDRAIL`, `HEALTH`, `NO_TRAFFIC`, `APPROVAL`, `PASSED`, `COMMAND` or `STATUS`.',
  ),
  reasons: z.array(z.string()).describe('Why, in sentences with figures.'),
  step: int('Index of the step from then on, from 0.'),
  share: float('Its share, 0 to 1.'),
  decidedBy: string('Who decided; null where the rollout did by itself.').nullable(),
  reason: string('The reason that they gave; null where the rollout decided by itself.').nullable(),
  evidence: z
    .custom<RolloutDecisionRow['evidence']>()
    .describe('What it rested on: counts and evidence of each figure at that moment.')
    .meta({ shown: 'JSON' }),
  figures: z.array(decisionFigure).describe('Each figure that is watched, as it was at that moment.'),
  createdAt: date('When.').meta({ name: 'decidedAt' }),
});
export const RolloutDecision = recordType(decision);
export type RolloutDecision = InstanceType<typeof RolloutDecision>;
export const { Connection: RolloutDecisionConnection } = connectionTypes(RolloutDecision);

export const RolloutEvent = recordType(
  record('RolloutEvent', 'A decision as its stream tells it.', {
    id: id('Place in the rollout’s stream: pass the last one seen as `after` to continue behind it.'),
    decision: decision.describe('What was decided.'),
  }),
);
export type RolloutEvent = InstanceType<typeof RolloutEvent>;

const rollout = record('Rollout', 'An adapter version on its way to production, step by step beside a control.', {
  adapter: string('Name of the adapter.').meta({ name: 'adapterName' }),
  candidateVersion: int('Number of the version that is delivered.'),
  againstVersion: int('Number of the production version that it is held against.'),
  status: oneOf(RolloutStatus, 'How far it is.'),
  awaitsApproval: boolean('Whether it waits for a person’s approval, and for nothing else.'),
  step: int('Index of the step that it is at, from 0.').meta({ name: 'current' }),
  steps: z.array(rolloutStep).describe('Its steps.'),
  alpha: float('Probability with which an equally good candidate would be rolled back, in all.'),
  guardrails: z.array(guard).describe('What rolls it back.'),
  health: z.array(healthCheck).describe('Whether its figures can be trusted.'),
  candidateAnswers: int('Answers of the candidate in this step.'),
  controlAnswers: int('Controls in this step.'),
  minutes: float('Minutes that it was watched in this step.'),
  startedBy: string('Who started it.'),
  reason: string('Why.'),
  createdAt: date('When it began.'),
  finishedAt: date('When it ended; null before.').nullable(),
  row: z.custom<RolloutRow>(),
});
export const Rollout = recordType(rollout, NodeType);
export type Rollout = InstanceType<typeof Rollout>;
export const { Connection: RolloutConnection } = connectionTypes(Rollout);

const rolloutField = { rollout: ofType(() => Rollout, 'Watch it with `rolloutEvents`.') };
export const RolloutPayload = objectType('RolloutPayload', 'The rollout as it is now.', rolloutField);
export const StartRolloutPayload = objectType(
  'StartRolloutPayload',
  'The rollout that was started, or was already under this key.',
  rolloutField,
);
export type StartRolloutPayload = InstanceType<typeof StartRolloutPayload>;

export const StartRolloutInput = recordInput(rolloutRequest);
export type StartRolloutInput = InstanceType<typeof StartRolloutInput>;

const order = { rollout: id('Id of the rollout.'), ...requestedBy };
export const RolloutOrderInput = inputType('RolloutOrderInput', 'What a person wants of a rollout.', order);
export const JumpRolloutInput = inputType('JumpRolloutInput', 'To which step a rollout goes.', {
  ...order,
  step: int('Index of the step, from 0 on.'),
});
