import { Field, Float, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { RolloutTemplate } from '../delivery/index.js';
import { connectionTypes, DateTime, make, NodeType, recordType, toGlobalId } from '../graphql-kit/index.js';
import {
  ImprovementOutcome,
  ImprovementStage,
  ImprovementTrigger,
  stageOf,
  type ImprovementRow,
} from './improvement.js';
import { shownPolicy, storedSettings, TrainFrom, type PolicyRow } from './policy.js';

registerEnumType(ImprovementTrigger, {
  name: 'ImprovementTrigger',
  description: 'What began an improvement.',
  valuesConfig: {
    MANUAL: { description: 'A person did.' },
    NEW_ROWS: { description: 'Enough answers had feedback that teaches something.' },
    ALERT: { description: 'An alert about the adapter opened.' },
    CALENDAR: { description: 'The policy’s days had passed.' },
  },
});
registerEnumType(ImprovementOutcome, {
  name: 'ImprovementOutcome',
  description: 'How an improvement ended.',
  valuesConfig: {
    PROPOSED: { description: 'Its proposal waits for a person, or was decided by one.' },
    PROMOTED: { description: 'The policy approved it: it answers as production.' },
    REFUSED: { description: 'The gate, or pairs that people judged, refused the new version; `message` says why.' },
    ROLLED_BACK: { description: 'Its rollout went back by itself, or a person ended it.' },
    NOTHING_NEW: { description: 'What people said taught too little that was new.' },
    FAILED: { description: 'A step failed; `message` says which and why.' },
    CANCELLED: { description: 'Somebody cancelled it.' },
  },
});
registerEnumType(ImprovementStage, {
  name: 'ImprovementStage',
  description: 'Where an improvement is.',
  valuesConfig: {
    CURATING: { description: 'What people said becomes a dataset version.' },
    TRAINING: { description: 'A new version is trained, or waits for the day’s budget.' },
    PROVING: { description: 'The new version is attested, and evaluated beside production.' },
    GATE: { description: 'It stands at the gate, or answers unseen beside production.' },
    ROLLING_OUT: { description: 'It is given to ever more users beside controls.' },
    PROPOSING: { description: 'Its proposal is made, and waits for a decision.' },
    ENDED: { description: 'It has an outcome.' },
  },
});
registerEnumType(TrainFrom, {
  name: 'TrainFrom',
  description: 'What a new version begins at.',
  valuesConfig: {
    PRODUCTION: { description: 'At the weights of the version in production.' },
    BASE: { description: 'At the base model.' },
    BOTH: { description: 'Both are tried, where the day’s budget has room; the better one goes on.' },
  },
});

export const RetrainingPolicy = recordType(shownPolicy, NodeType);
export type RetrainingPolicy = InstanceType<typeof RetrainingPolicy>;

export const toPolicy = (row: PolicyRow): RetrainingPolicy => {
  const { pausedReason, setBy, updatedAt } = row;
  return make(RetrainingPolicy, {
    id: toGlobalId('RetrainingPolicy', row.id),
    ...storedSettings.decode(row.settings),
    pausedReason,
    setBy,
    updatedAt,
    row,
  });
};
export const { Connection: RetrainingPolicyConnection } = connectionTypes(RetrainingPolicy);

@ObjectType({ description: 'What an improvement took.' })
export class ImprovementCost {
  @Field(() => Int, { description: 'Rows of what people said that the version in production had not learned.' })
  newRows!: number;

  @Field(() => Float, { description: 'Seconds of training, of all tries together.' })
  trainingSeconds!: number;

  @Field(() => Float, { description: 'Seconds in which the trained versions were attested and evaluated.' })
  evaluationSeconds!: number;
}

@ObjectType({
  implements: NodeType,
  description:
    'One way through the loop: feedback, dataset version, training, proof, rollout, proposal. Its fields are the edges.',
})
export class Improvement extends NodeType {
  @Field(() => ImprovementTrigger, { description: 'What began it.' })
  trigger!: ImprovementTrigger;

  @Field(() => String, { description: 'Why it began.' })
  reason!: string;

  @Field(() => String, { description: 'Who began it: a person’s name, or `policy`.' })
  startedBy!: string;

  @Field(() => ImprovementStage, { description: 'Where it is.' })
  stage!: ImprovementStage;

  @Field(() => ImprovementOutcome, { nullable: true, description: 'How it ended; null while it is under way.' })
  outcome!: ImprovementOutcome | null;

  @Field(() => String, { description: 'The outcome in a sentence; empty while it is under way.' })
  message!: string;

  @Field(() => ImprovementCost, { description: 'What it learned and what it took.' })
  cost!: ImprovementCost;

  @Field(() => DateTime, { description: 'When it began.' })
  createdAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'When it ended; null before.' })
  finishedAt!: Date | null;

  readonly row!: ImprovementRow;
}
export const { Connection: ImprovementConnection } = connectionTypes(Improvement);

export const toImprovement = (row: ImprovementRow): Improvement =>
  make(Improvement, {
    id: toGlobalId('Improvement', row.id),
    trigger: row.trigger as ImprovementTrigger,
    outcome: row.outcome as ImprovementOutcome | null,
    stage: stageOf(row),
    reason: row.reason,
    startedBy: row.startedBy,
    message: row.message,
    cost: make(ImprovementCost, {
      newRows: row.newRows,
      trainingSeconds: row.trainingSeconds,
      evaluationSeconds: row.evaluationSeconds,
    }),
    createdAt: row.createdAt,
    finishedAt: row.finishedAt,
    row,
  });

@InputType({
  description:
    'When an adapter is trained anew, and how far that goes by itself. What is left out stays as it is, or as by default.',
})
export class SetRetrainingPolicyInput {
  @Field(() => String, { description: 'Name of the adapter; it has one policy at most.' })
  adapter!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Name of the dataset that grows; by default (null) that which production was trained on.',
  })
  dataset?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: 'New rows that begin an improvement, 1 to 1,000,000; null: rows alone begin none. By default 200.',
  })
  newRows?: number | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether an open alert about the adapter begins one; by default it does. Drift only proposes one until an improvement that began under it went to production.',
  })
  onAlert?: boolean | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Days after which one begins, 1 to 365; by default null: the calendar begins none.',
  })
  everyDays?: number | null;

  @Field(() => Int, { nullable: true, description: 'Fewer new rows begin none, 1 to 1,000,000; by default 20.' })
  leastRows?: number | null;

  @Field(() => TrainFrom, {
    nullable: true,
    description: 'What a new version begins at; by default the version in production.',
  })
  trainFrom?: TrainFrom | null;

  @Field(() => Float, { nullable: true, description: 'Hours of training in 24 hours, above 0 to 24; by default 4.' })
  trainingHoursADay?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Refused candidates in a row before it pauses itself, 1 to 100; by default 3.',
  })
  mostRefused?: number | null;

  @Field(() => RolloutTemplate, {
    nullable: true,
    description:
      'Plan of the rollout, before which the version answers unseen unless it is `QUICK`; null: what passes the gate is proposed at once. By default `STANDARD`.',
  })
  rollout?: RolloutTemplate | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether a proposal is approved without a person, of a rollout once it could have seen a loss of 10 points; by default it is not.',
  })
  autoApprove?: boolean | null;

  @Field(() => String, {
    nullable: true,
    description: 'Who sets it, for the record; 1 to 200 characters; by default the caller.',
  })
  by?: string | null;
}

@InputType({ description: 'Which policy begins nothing from now on, and why.' })
export class PauseRetrainingPolicyInput {
  @Field(() => String, { description: 'Name of the adapter.' })
  adapter!: string;

  @Field(() => String, { description: 'Why, for whoever looks at it; 1 to 1,000 characters.' })
  reason!: string;
}

@ObjectType({ description: 'The policy as it stands.' })
export class RetrainingPolicyPayload {
  @Field(() => RetrainingPolicy, { description: 'It works from now on, unless it is paused.' })
  policy!: RetrainingPolicy;
}

@InputType({ description: 'Which adapter goes through the loop now.' })
export class StartImprovementInput {
  @Field(() => String, { description: 'Name of the adapter. Its policy says how; without one the defaults do.' })
  adapter!: string;

  @Field(() => String, { description: 'Why, for the record; 1 to 1,000 characters.' })
  reason!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Who begins it, for the record; 1 to 200 characters; by default the caller.',
  })
  by?: string | null;

  @Field(() => ID, { description: 'The same key is the same improvement; 1 to 200 characters.' })
  idempotencyKey!: string;
}
