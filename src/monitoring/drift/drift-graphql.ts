import { Ctx, Field, Float, ID, Int, ObjectType, Query, registerEnumType, Resolver } from 'type-graphql';
import { cost, DateTime, make, Needs, toGlobalId, type GraphContext } from '../../graphql-kit/index.js';
import { enumeration } from '../../kernel/enumeration.js';
import { strongestShift } from '../sequential/categories.js';
import type { DriftService } from './drift-service.js';
import { DriftKind, LABELS_LEARNED_FROM, LEARNED_FROM, type OnLabels, type StreamRecord } from './stream.js';
import { UNLIKE } from './unlike.js';
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
    LEARNING: { description: 'Learns the questions or labels that later answers are held against.' },
    GATHERING: { description: 'Counts how frequent each label is.' },
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

@ObjectType({ description: 'How frequent a label or unlike questions were and are.' })
export class DriftShare {
  @Field(() => String, {
    description:
      'The label; `unlike` for questions that are as far from all that are known as a fifth of those are from each other.',
  })
  name!: string;

  @Field(() => Float, { description: 'Its share of what it is held against, 0 to 1.' })
  reference!: number;

  @Field(() => Float, { nullable: true, description: 'Its share since, 0 to 1; null before the first.' })
  now!: number | null;
}

@ObjectType({
  description: 'Questions or labels that are watched for change. Of what is watched only counts are kept.',
})
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

  @Field(() => Int, {
    description:
      'Answers of this phase, or since the last alarm or period began. Of a conversation or unit one an hour counts.',
  })
  observations!: number;

  @Field(() => Int, { nullable: true, description: 'How many this phase needs; null where it goes on.' })
  needed!: number | null;

  @Field(() => Float, {
    nullable: true,
    description:
      'Evidence of a change, 0 or more: of questions a log likelihood ratio, of labels a bet’s worth. Null while nothing is watched.',
  })
  evidence!: number | null;

  @Field(() => Float, {
    description:
      'The evidence at which an alert is raised: of questions at most once in 100 stretches of 1,500 without a cause. 0 before they are known.',
  })
  alarmAt!: number;

  @Field(() => [DriftShare], {
    description: 'Labels, the most changed first, or unlike questions; empty while nothing is watched.',
  })
  shares!: DriftShare[];

  @Field(() => DateTime, { description: 'When it last counted something.' })
  updatedAt!: Date;
}

function toStream(record: StreamRecord): DriftStream {
  const { state, kind, name, id, updatedAt, adapterVersionId } = record;
  const training = kind === 'QUESTIONS' && adapterVersionId !== null;
  const common = {
    id: toGlobalId('DriftStream', id),
    kind,
    adapter: name === '' ? null : name,
    updatedAt,
    alarmAt: kind === 'LABELS' ? 1 / ALPHA : 0,
    against: training ? DriftAgainst.TRAINING : DriftAgainst.LAST_PERIOD,
    needed: null,
    evidence: null,
    shares: [],
  };
  switch (state.phase) {
    case 'OFF':
      return make(DriftStream, { ...common, phase: 'OFF', observations: 0 });
    case 'LEARNING': {
      const needed = training ? null : LEARNED_FROM;
      return make(DriftStream, { ...common, phase: 'LEARNING', observations: state.answers.length, needed });
    }
    case 'LEARNING_LABELS': {
      const observations = Object.values(state.counts).reduce((sum, count) => sum + count, 0);
      return make(DriftStream, { ...common, phase: 'LEARNING', observations, needed: LABELS_LEARNED_FROM });
    }
    case 'ON': {
      const { sum, since, unlike, seen } = state.course;
      return make(DriftStream, {
        ...common,
        phase: 'WATCHING',
        observations: seen,
        evidence: sum,
        alarmAt: state.detector.threshold,
        shares: [{ name: 'unlike', reference: UNLIKE, now: since === 0 ? null : unlike / since }],
      });
    }
    case 'ON_LABELS':
      return make(DriftStream, { ...common, ...watchedLabels(state) });
  }
}

function watchedLabels({ watching, labels }: OnLabels) {
  if (watching.phase === 'GATHERING')
    return { phase: 'GATHERING' as const, observations: watching.reference.all, needed: REFERENCE };
  const { reference, bag } = watching.test;
  const since = bag.all - reference.all;
  const shares = reference.of.map((count, category) => ({
    name: labels[category]!,
    reference: count / Math.max(1, reference.all),
    now: since === 0 ? null : (bag.of[category]! - count) / since,
  }));
  const change = (share: DriftShare) => Math.abs((share.now ?? share.reference) - share.reference);
  return {
    phase: 'WATCHING' as const,
    observations: watching.seen,
    evidence: strongestShift(watching.test).evidence,
    shares: shares.sort((a, b) => change(b) - change(a)),
  };
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
