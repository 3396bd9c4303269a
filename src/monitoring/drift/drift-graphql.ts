import { Ctx, Field, Float, ID, Int, ObjectType, Query, registerEnumType, Resolver } from 'type-graphql';
import { cost, DateTime, make, Needs, toGlobalId, type GraphContext } from '../../graphql-kit/index.js';
import { enumeration } from '../../kernel/enumeration.js';
import { strongestShift } from '../sequential/categories.js';
import type { DriftService } from './drift-service.js';
import { DriftKind, LABELS_LEARNED_FROM, LEARNED_FROM, type StreamRecord } from './stream.js';
import { ALPHA, REFERENCE } from './watching.js';

export const DriftPhase = enumeration('LEARNING', 'GATHERING', 'WATCHING', 'OFF');
export type DriftPhase = keyof typeof DriftPhase;

export const DriftAgainst = enumeration('TRAINING', 'LAST_PERIOD');
export type DriftAgainst = keyof typeof DriftAgainst;

registerEnumType(DriftKind, {
  name: 'DriftKind',
  description: 'What is watched for change.',
  valuesConfig: {
    QUESTIONS: { description: 'What questions are about, by where the embedder places them.' },
    LABELS: { description: 'The labels that an adapter version predicts.' },
  },
});

registerEnumType(DriftPhase, {
  name: 'DriftPhase',
  description: 'How far the watching of a stream is.',
  valuesConfig: {
    LEARNING: { description: 'Learns the groups or labels that are counted.' },
    GATHERING: { description: 'Counts what later answers are held against.' },
    WATCHING: { description: 'Holds answers against it.' },
    OFF: { description: 'Has nothing to hold them against: too few rows for training, or none.' },
  },
});

registerEnumType(DriftAgainst, {
  name: 'DriftAgainst',
  description: 'What a stream is held against.',
  valuesConfig: {
    TRAINING: { description: 'The rows that the adapter version was trained on.' },
    LAST_PERIOD: { description: 'What came before.' },
  },
});

@ObjectType({ description: 'How frequent a group of like questions or a label was and is.' })
export class DriftShare {
  @Field(() => String, {
    description:
      'The label; a number for a group of like questions; `far`, `farther` and `farthest` for questions unlike half of those that are known, most of them, nearly all.',
  })
  name!: string;

  @Field(() => Float, { description: 'Its share of what it is held against, 0 to 1.' })
  reference!: number;

  @Field(() => Float, { nullable: true, description: 'Its share since, 0 to 1; null before the first.' })
  now!: number | null;
}

@ObjectType({ description: 'Questions or labels that are watched for change. Of them only counts are kept.' })
export class DriftStream {
  @Field(() => ID, { description: 'Its id.' })
  id!: string;

  @Field(() => DriftKind, { description: 'What is watched.' })
  kind!: DriftKind;

  @Field(() => String, { nullable: true, description: 'The adapter version, as `name@3`; null for all questions.' })
  adapter!: string | null;

  @Field(() => DriftAgainst, { description: 'What they are held against.' })
  against!: DriftAgainst;

  @Field(() => DriftPhase, { description: 'How far the watching is.' })
  phase!: DriftPhase;

  @Field(() => Int, { description: 'Answers of this phase, or since the last alarm or period began.' })
  observations!: number;

  @Field(() => Int, { nullable: true, description: 'How many this phase needs; null where it goes on.' })
  needed!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Evidence of a change, 0 or more; null while nothing is watched.',
  })
  evidence!: number | null;

  @Field(() => Float, { description: 'The evidence at which an alert is raised.' })
  alarmAt!: number;

  @Field(() => [DriftShare], {
    description: 'Groups or labels, the most changed first; empty while nothing is watched.',
  })
  shares!: DriftShare[];

  @Field(() => DateTime, { description: 'When it last counted something.' })
  updatedAt!: Date;
}

/** Of the categories by distance. */
const FAR_NAMES = ['far', 'farther', 'farthest'] as const;

function toStream(record: StreamRecord): DriftStream {
  const { state, kind, name, id, updatedAt, adapterVersionId } = record;
  const training = kind === 'QUESTIONS' && adapterVersionId !== null;
  const common = {
    id: toGlobalId('DriftStream', id),
    kind,
    adapter: name === '' ? null : name,
    updatedAt,
    alarmAt: 1 / ALPHA,
    against: training ? DriftAgainst.TRAINING : DriftAgainst.LAST_PERIOD,
    needed: null,
    evidence: null,
    shares: [],
  };
  if (state.phase === 'OFF') return make(DriftStream, { ...common, phase: 'OFF', observations: 0 });
  if (state.phase === 'LEARNING')
    return make(DriftStream, {
      ...common,
      phase: 'LEARNING',
      observations: state.answers.length,
      needed: training ? null : LEARNED_FROM,
    });
  if (state.phase === 'LEARNING_LABELS') {
    const observations = Object.values(state.counts).reduce((sum, count) => sum + count, 0);
    return make(DriftStream, { ...common, phase: 'LEARNING', observations, needed: LABELS_LEARNED_FROM });
  }
  const { watching, labels, far } = state;
  if (watching.phase === 'GATHERING')
    return make(DriftStream, {
      ...common,
      phase: 'GATHERING',
      observations: watching.reference.all,
      needed: REFERENCE,
    });
  const { reference, bag } = watching.test;
  const groups = reference.of.length - far.length;
  const since = bag.all - reference.all;
  const shares = reference.of.map((count, category) => ({
    name: labels ? labels[category]! : category < groups ? String(category + 1) : FAR_NAMES[category - groups]!,
    reference: count / Math.max(1, reference.all),
    now: since === 0 ? null : (bag.of[category]! - count) / since,
  }));
  const change = (share: DriftShare) => Math.abs((share.now ?? share.reference) - share.reference);
  return make(DriftStream, {
    ...common,
    phase: 'WATCHING',
    observations: watching.seen,
    evidence: strongestShift(watching.test).evidence,
    shares: shares.sort((a, b) => change(b) - change(a)),
  });
}

@Resolver()
export class DriftResolver {
  constructor(private readonly parts: { drift: DriftService }) {}

  @Needs('EDIT')
  @Query(() => [DriftStream], {
    description:
      'What is watched for change: all questions, and questions and labels of adapter versions; at most 200.',
    complexity: cost(20),
  })
  async drift(@Ctx() { workspaceId }: GraphContext): Promise<DriftStream[]> {
    return (await this.parts.drift.store.list(workspaceId)).map(toStream);
  }
}
