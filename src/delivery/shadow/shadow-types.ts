import { Field, Float, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { connectionTypes, DateTime, IDEMPOTENCY_KEY, NodeType } from '../../graphql-kit/index.js';
import { MOST_CHANGES } from './pair-store.js';
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

@ObjectType({ description: 'A share with the interval that holds it.' })
export class ShadowAgreement {
  @Field(() => Float, { description: 'Share of the compared questions to which both said the same, 0 to 1.' })
  value!: number;

  @Field(() => Float, {
    description: 'Lower end, 0 to 1: misses with a chance of 5 % at most, however often one looks.',
  })
  low!: number;

  @Field(() => Float, { description: 'Upper end, 0 to 1.' })
  high!: number;
}

@ObjectType({ description: 'A figure of what was served beside the candidate’s, over the same questions.' })
export class ShadowFigure {
  @Field(() => Int, { description: 'Questions of which both are known.' })
  pairs!: number;

  @Field(() => Float, { nullable: true, description: 'Of what was served; null where none is known.' })
  served!: number | null;

  @Field(() => Float, { nullable: true, description: 'Of the candidate; null where none is known.' })
  candidate!: number | null;
}

@ObjectType({ description: 'How often one label became another.' })
export class LabelChange {
  @Field(() => String, { nullable: true, description: 'What was served; null where it abstained.' })
  from!: string | null;

  @Field(() => String, { nullable: true, description: 'What the candidate said; null where it abstained.' })
  to!: string | null;

  @Field(() => Int, { description: 'How often.' })
  count!: number;
}

@ObjectType({ description: 'Sampled questions that were not put to the candidate, for one reason.' })
export class ShadowSkipped {
  @Field(() => SkipReason, { description: 'Why.' })
  reason!: SkipReason;

  @Field(() => Int, { description: 'How many.' })
  count!: number;
}

@ObjectType({ description: 'Questions that the candidate failed on with one code.' })
export class ShadowFailures {
  @Field(() => String, { description: 'The error code.' })
  code!: string;

  @Field(() => Int, { description: 'How many.' })
  count!: number;
}

@ObjectType({
  description:
    'Questions whose right answer feedback told, also after the shadow ended: an expectation, or a judgement of what was served.',
})
export class ShadowTruth {
  @Field(() => Int, { description: 'Questions of which it is known whether each of both answers is right.' })
  known!: number;

  @Field(() => Int, { description: 'Of those, what was served is right.' })
  servedRight!: number;

  @Field(() => Int, { description: 'Of those, the candidate is right.' })
  candidateRight!: number;

  @Field(() => Int, { description: 'Only what was served is right.' })
  onlyServed!: number;

  @Field(() => Int, { description: 'Only the candidate is right.' })
  onlyCandidate!: number;

  @Field(() => Float, {
    description: 'McNemar’s exact test: probability of a split at least as uneven if both were equally good, 0 to 1.',
  })
  p!: number;
}

@ObjectType({ description: 'What a shadow found so far. It grows with feedback, and shrinks when answers are erased.' })
export class ShadowReport {
  @Field(() => String, { description: 'What was found, in a few sentences with figures.' })
  sentence!: string;

  @Field(() => Int, { description: 'Questions that were put to the candidate.' })
  answered!: number;

  @Field(() => Int, { description: 'Of those, both answers were compared.' })
  compared!: number;

  @Field(() => Int, { description: 'Of those, the candidate failed.' })
  failed!: number;

  @Field(() => Int, { description: 'Of those, went with their answers, which were erased since.' })
  erased!: number;

  @Field(() => Int, { description: 'Sampled questions that wait, at most some 20.' })
  waiting!: number;

  @Field(() => [ShadowSkipped], { description: 'Sampled questions that were not asked, by reason.' })
  skipped!: ShadowSkipped[];

  @Field(() => [ShadowFailures], { description: 'What the candidate failed with, most frequent first.' })
  failures!: ShadowFailures[];

  @Field(() => ShadowAgreement, { nullable: true, description: 'How often both said the same; null before the first.' })
  agreement!: ShadowAgreement | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Of answers in words: mean overlap of both texts’ words (F1), 0 to 1; null where there are none.',
  })
  similarity!: number | null;

  @Field(() => [LabelChange], { description: `Labels that changed, most frequent first, ${MOST_CHANGES} at most.` })
  changes!: LabelChange[];

  @Field(() => ShadowFigure, { description: 'Questions that were not answered, counted.' })
  abstentions!: ShadowFigure;

  @Field(() => ShadowFigure, { description: 'Mean confidence, 0 to 1, of questions where both have one.' })
  confidence!: ShadowFigure;

  @Field(() => ShadowFigure, {
    description:
      'Median time from question to answer, in ms. The candidate’s holds what it waited for users: compare `computeMs`.',
  })
  latencyMs!: ShadowFigure;

  @Field(() => ShadowFigure, { description: 'Median time that model and embedder worked on an answer, in ms.' })
  computeMs!: ShadowFigure;

  @Field(() => ShadowTruth, { description: 'What is known of who was right.' })
  truth!: ShadowTruth;
}

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
