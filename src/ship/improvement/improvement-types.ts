import { z } from 'zod';
import { RolloutTemplate } from '../delivery/index.js';
import {
  connectionTypes,
  nodeOf,
  NodeType,
  recordType,
  objectType,
  ofType,
  inputType,
} from '../../kit/graphql/index.js';
import { int, float, oneOf, string, date, boolean, id } from '../../kernel/record.js';
import {
  ImprovementOutcome,
  ImprovementStage,
  ImprovementTrigger,
  stageOf,
  type ImprovementRow,
} from './improvement.js';
import { shownPolicy, storedSettings, TrainFrom, type PolicyRow } from './policy.js';

export const RetrainingPolicy = recordType(shownPolicy, NodeType);
export type RetrainingPolicy = InstanceType<typeof RetrainingPolicy>;

export const toPolicy = (row: PolicyRow): RetrainingPolicy =>
  nodeOf(RetrainingPolicy, row, storedSettings.decode(row.settings));
export const { Connection: RetrainingPolicyConnection } = connectionTypes(RetrainingPolicy);

const ImprovementCost = objectType('ImprovementCost', 'What an improvement took.', {
  newRows: int('Rows of what people said that the version in production had not learned.'),
  trainingSeconds: float('Seconds of training, of all tries together.'),
  evaluationSeconds: float('Seconds in which the trained versions were attested and evaluated.'),
});

export const Improvement = objectType(
  'Improvement',
  'One way through the loop: feedback, dataset version, training, proof, rollout, proposal. Its fields are the edges.',
  {
    trigger: oneOf(ImprovementTrigger, 'What began it.'),
    reason: string('Why it began.'),
    startedBy: string('Who began it: a person’s name, or `policy`.'),
    stage: oneOf(ImprovementStage, 'Where it is.'),
    outcome: oneOf(ImprovementOutcome, 'How it ended; null while it is under way.').nullable(),
    message: string('The outcome in a sentence; empty while it is under way.'),
    cost: ofType(() => ImprovementCost, 'What it learned and what it took.'),
    createdAt: date('When it began.'),
    finishedAt: date('When it ended; null before.').nullable(),
    row: z.custom<ImprovementRow>(),
  },
  NodeType,
);
export type Improvement = InstanceType<typeof Improvement>;
export const { Connection: ImprovementConnection } = connectionTypes(Improvement);

export const toImprovement = (row: ImprovementRow): Improvement =>
  nodeOf(Improvement, row, {
    trigger: row.trigger as ImprovementTrigger,
    outcome: row.outcome as ImprovementOutcome | null,
    stage: stageOf(row),
    cost: row,
  });

export const SetRetrainingPolicyInput = inputType(
  'SetRetrainingPolicyInput',
  'When an adapter is trained anew, and how far that goes by itself. What is left out stays as it is, or as by default.',
  {
    adapter: string('Name of the adapter; it has one policy at most.'),
    dataset: string(
      'Name of the dataset that grows; by default (null) that which production was trained on.',
    ).nullish(),
    newRows: int(
      'New rows that begin an improvement, 1 to 1,000,000; null: rows alone begin none. By default 200.',
    ).nullish(),
    onAlert: boolean(
      'Whether an open alert about the adapter begins one; by default it does. Drift only proposes one until an improvement that began under it went to production.',
    ).nullish(),
    everyDays: float('Days after which one begins, 1 to 365; by default null: the calendar begins none.').nullish(),
    leastRows: int('Fewer new rows begin none, 1 to 1,000,000; by default 20.').nullish(),
    trainFrom: oneOf(TrainFrom, 'What a new version begins at; by default the version in production.').nullish(),
    trainingHoursADay: float('Hours of training in 24 hours, above 0 to 24; by default 4.').nullish(),
    mostRefused: int('Refused candidates in a row before it pauses itself, 1 to 100; by default 3.').nullish(),
    rollout: oneOf(
      RolloutTemplate,
      'Plan of the rollout, before which the version answers unseen unless it is `QUICK`; null: what passes the gate is proposed at once. By default `STANDARD`.',
    ).nullish(),
    autoApprove: boolean(
      'Whether a proposal is approved without a person, of a rollout once it could have seen a loss of 10 points; by default it is not.',
    ).nullish(),
    by: string('Who sets it, for the record; 1 to 200 characters; by default the caller.').nullish(),
  },
);
export type SetRetrainingPolicyInput = InstanceType<typeof SetRetrainingPolicyInput>;

export const PauseRetrainingPolicyInput = inputType(
  'PauseRetrainingPolicyInput',
  'Which policy begins nothing from now on, and why.',
  {
    adapter: string('Name of the adapter.'),
    reason: string('Why, for whoever looks at it; 1 to 1,000 characters.'),
  },
);
export type PauseRetrainingPolicyInput = InstanceType<typeof PauseRetrainingPolicyInput>;

export const RetrainingPolicyPayload = objectType('RetrainingPolicyPayload', 'The policy as it stands.', {
  policy: ofType(() => RetrainingPolicy, 'It works from now on, unless it is paused.'),
});
export type RetrainingPolicyPayload = InstanceType<typeof RetrainingPolicyPayload>;

export const StartImprovementInput = inputType('StartImprovementInput', 'Which adapter goes through the loop now.', {
  adapter: string('Name of the adapter. Its policy says how; without one the defaults do.'),
  reason: string('Why, for the record; 1 to 1,000 characters.'),
  by: string('Who begins it, for the record; 1 to 200 characters; by default the caller.').nullish(),
  idempotencyKey: id('The same key is the same improvement; 1 to 200 characters.'),
});
export type StartImprovementInput = InstanceType<typeof StartImprovementInput>;
