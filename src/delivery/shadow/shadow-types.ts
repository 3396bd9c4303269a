import { Field, Float, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { connectionTypes, DateTime, IDEMPOTENCY_KEY, NodeType, recordType } from '../../graphql-kit/index.js';
import {
  MOST_PAIRS,
  MOST_PER_HOUR,
  PairStatus,
  SHADOW_DEFAULTS,
  ShadowStatus,
  SkipReason,
  type ShadowPairRow,
  type ShadowRow,
} from './shadow.js';
import { shadowReport } from './shadow-report.js';
import { ShadowEventKind } from './shadow-store.js';

registerEnumType(ShadowStatus, {
  name: 'ShadowStatus',
  description: 'How far a shadow is.',
  valuesConfig: {
    RUNNING: { description: 'Questions are sampled and put to the candidate while nobody waits.' },
    COMPLETE: { description: 'As many answers as were wished were compared.' },
    STOPPED: { description: 'A person ended it; its report stands.' },
    FAILED: { description: 'It could not go on, as `errorCode` says; its report stands.' },
  },
});

registerEnumType(SkipReason, {
  name: 'ShadowSkipReason',
  description: 'Why a sampled question was not put to the candidate.',
  valuesConfig: {
    BUSY: { description: 'Twenty waited already, because users were answered first or the candidate is slow.' },
    HOURLY_BOUND: { description: 'As many as `mostPerHour` had been asked within the hour.' },
    UNAVAILABLE: { description: 'What answering takes was away: the worker, the database or the vectors.' },
    ENDED: { description: 'It still waited when the shadow ended.' },
  },
});

registerEnumType(PairStatus, {
  name: 'ShadowPairStatus',
  description: 'What became of a sampled answer.',
  valuesConfig: {
    WAITING: { description: 'The candidate has not been asked yet.' },
    COMPARED: { description: 'Both have answered.' },
    FAILED: { description: 'The candidate failed on the question.' },
    SKIPPED: { description: 'It was not asked.' },
  },
});

registerEnumType(ShadowEventKind, {
  name: 'ShadowEventKind',
  description: 'What happened in a shadow.',
  valuesConfig: {
    STARTED: { description: 'It began.' },
    COMPARED: { description: 'The candidate answered a sampled question.' },
    FAILED: { description: 'The candidate failed on one.' },
    ENDED: { description: 'It ended.' },
  },
});

@InputType({ description: 'Which version answers unseen, and what it may cost.' })
export class StartShadowInput {
  @Field(() => String, { description: 'Name of the adapter.' })
  adapter!: string;

  @Field(() => Int, {
    nullable: true,
    description: 'Number of the version, which must be attested; by default the one that `CANDIDATE` names.',
  })
  candidate?: number | null;

  @Field(() => Float, {
    nullable: true,
    description: `Share of the answers by production that are sampled, above 0 to 1; ${SHADOW_DEFAULTS.share} by default.`,
  })
  share?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: `Questions that the candidate is asked within an hour at most, 1 to ${MOST_PER_HOUR}; ${SHADOW_DEFAULTS.mostPerHour} by default. More are skipped.`,
  })
  mostPerHour?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: `Answers of the candidate at which it is complete, 1 to ${MOST_PAIRS}; ${SHADOW_DEFAULTS.leastAnswers} by default.`,
  })
  leastAnswers?: number | null;

  @Field(() => String, { description: 'Why, for the record; 1 to 1,000 characters.' })
  reason!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Who starts it, for the record; 1 to 200 characters; by default the caller.',
  })
  by?: string | null;

  @Field(() => String, { description: IDEMPOTENCY_KEY })
  idempotencyKey!: string;
}

@InputType({ description: 'Which shadow ends, and why.' })
export class StopShadowInput {
  @Field(() => ID, { description: 'Id of the shadow.' })
  shadow!: string;

  @Field(() => String, { description: 'Why, for the record; 1 to 1,000 characters.' })
  reason!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Who ends it, for the record; 1 to 200 characters; by default the caller.',
  })
  by?: string | null;
}

export const ShadowReport = recordType(shadowReport);
export type ShadowReport = InstanceType<typeof ShadowReport>;

@ObjectType({
  implements: NodeType,
  description:
    'A version that answers a sample of live questions beside production, unseen, and is compared with it in pairs.',
})
export class Shadow extends NodeType {
  @Field(() => String, { description: 'Name of the adapter.' })
  adapterName!: string;

  @Field(() => Int, { description: 'Number of the version that answers unseen.' })
  candidateVersion!: number;

  @Field(() => Int, { description: 'Number of the production version whose answers are sampled.' })
  againstVersion!: number;

  @Field(() => ShadowStatus, { description: 'How far it is.' })
  status!: ShadowStatus;

  @Field(() => String, { nullable: true, description: 'Code of why it could not go on; null unless it FAILED.' })
  errorCode!: string | null;

  @Field(() => Float, { description: 'Share of production’s answers that is sampled, above 0 to 1.' })
  share!: number;

  @Field(() => Int, { description: 'Questions that the candidate is asked within an hour at most.' })
  mostPerHour!: number;

  @Field(() => Int, { description: 'Answers of the candidate at which it is complete.' })
  leastAnswers!: number;

  @Field(() => Int, { description: 'Questions that were put to the candidate so far.' })
  answered!: number;

  @Field(() => String, { description: 'Who started it.' })
  startedBy!: string;

  @Field(() => String, { description: 'Why.' })
  reason!: string;

  @Field(() => String, { nullable: true, description: 'Who ended it; null where it ended by itself, and before.' })
  endedBy!: string | null;

  @Field(() => String, { nullable: true, description: 'Why it ended; null before.' })
  endReason!: string | null;

  @Field(() => DateTime, { description: 'When it began.' })
  createdAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'When it ended; null before.' })
  finishedAt!: Date | null;

  readonly row!: ShadowRow;
}
export const { Connection: ShadowConnection } = connectionTypes(Shadow);

@ObjectType({ description: 'An answer that was served, and how the candidate’s to the same question differs.' })
export class ShadowPair {
  @Field(() => PairStatus, { description: 'What became of it.' })
  status!: PairStatus;

  @Field(() => String, {
    nullable: true,
    description: 'The code that the candidate failed with; null unless it FAILED.',
  })
  errorCode!: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether both said the same; null where they can’t be compared.',
  })
  same!: boolean | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Overlap of both texts’ words, 0 to 1; null where there are none.',
  })
  similarity!: number | null;

  @Field(() => String, { nullable: true, description: 'The label that was served; null where none was.' })
  servedLabel!: string | null;

  @Field(() => String, { nullable: true, description: 'The candidate’s label; null where it gave none.' })
  candidateLabel!: string | null;

  @Field(() => Boolean, { nullable: true, description: 'Whether what was served was no answer.' })
  servedAbstained!: boolean | null;

  @Field(() => Boolean, { nullable: true, description: 'Whether the candidate gave none.' })
  candidateAbstained!: boolean | null;

  @Field(() => Float, { nullable: true, description: 'Confidence of what was served, 0 to 1; null where unknown.' })
  servedConfidence!: number | null;

  @Field(() => Float, { nullable: true, description: 'The candidate’s, 0 to 1; null where unknown.' })
  candidateConfidence!: number | null;

  @Field(() => Float, { nullable: true, description: 'Work on what was served, in ms; null where unknown.' })
  servedComputeMs!: number | null;

  @Field(() => Float, { nullable: true, description: 'Work on the candidate’s answer, in ms; null where it failed.' })
  candidateComputeMs!: number | null;

  readonly row!: ShadowPairRow;
}
export const { Connection: ShadowPairConnection } = connectionTypes(ShadowPair);

@ObjectType({ description: 'Something that happened in a shadow, as its stream tells it.' })
export class ShadowEvent {
  @Field(() => ID, {
    description: 'Place in the shadow’s stream: pass the last one seen as `after` to continue behind it.',
  })
  id!: string;

  @Field(() => ShadowEventKind, { description: 'What.' })
  kind!: ShadowEventKind;

  @Field(() => ID, { nullable: true, description: 'Id of the answer that was compared; null where none was.' })
  answerId!: string | null;
}

@ObjectType({ description: 'The shadow as it is now.' })
export class ShadowPayload {
  @Field(() => Shadow, { description: 'Watch it with `shadowEvents`.' })
  shadow!: Shadow;
}

@ObjectType({ description: 'The shadow that was started, or was already under this key.' })
export class StartShadowPayload extends ShadowPayload {}
