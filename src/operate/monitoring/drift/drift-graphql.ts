import { Ctx, Query, Resolver } from 'type-graphql';
import { cost, Needs, toGlobalId, type GraphContext, objectType, listOf } from '../../../kit/graphql/index.js';
import { choice, string, float, id, oneOf, int, date } from '../../../kernel/record.js';
import { strongestShift } from '../../../kernel/sequential/categories.js';
import type { DriftService } from './drift-service.js';
import { DriftKind, LABELS_LEARNED_FROM, LEARNED_FROM, type OnLabels, type StreamRecord } from './stream.js';
import { UNLIKE } from './unlike.js';
import { ALPHA, REFERENCE } from './watching.js';

const DriftPhase = choice('DriftPhase', 'How far the watching of a stream is.', {
  LEARNING: 'Learns the questions or labels that later answers are held against.',
  GATHERING: 'Counts how frequent each label is.',
  WATCHING: 'Holds answers against it.',
  OFF: 'Has nothing to hold them against: too few rows for training, or none.',
});
type DriftPhase = keyof typeof DriftPhase;

const DriftAgainst = choice('DriftAgainst', 'What a stream is held against.', {
  TRAINING: 'The rows that the adapter version was trained on.',
  LAST_PERIOD: 'What came before.',
});
type DriftAgainst = keyof typeof DriftAgainst;

const DriftShare = objectType('DriftShare', 'How frequent a label or unlike questions were and are.', {
  name: string(
    'The label; `unlike` for questions that are as far from all that are known as a fifth of those are from each other.',
  ),
  reference: float('Its share of what it is held against, 0 to 1.'),
  now: float('Its share since, 0 to 1; null before the first.').nullable(),
});
type DriftShare = InstanceType<typeof DriftShare>;

const DriftStream = objectType(
  'DriftStream',
  'Questions or labels that are watched for change. Of what is watched only counts are kept.',
  {
    id: id('Its id.'),
    kind: oneOf(DriftKind, 'What is watched.'),
    adapter: string('The adapter version, as `name@3`; null for all questions.').nullable(),
    against: oneOf(DriftAgainst, 'What they are held against.'),
    phase: oneOf(DriftPhase, 'How far the watching is.'),
    observations: int(
      'Answers of this phase, or since the last alarm or period began. Of a conversation or unit one an hour counts.',
    ),
    needed: int('How many this phase needs; null where it goes on.').nullable(),
    evidence: float(
      'Evidence of a change, 0 or more: of questions a log likelihood ratio, of labels a bet’s worth. Null while nothing is watched.',
    ).nullable(),
    alarmAt: float(
      'The evidence at which an alert is raised: of questions at most once in 100 stretches of 1,500 without a cause. 0 before they are known.',
    ),
    shares: listOf(
      () => DriftShare,
      'Labels, the most changed first, or unlike questions; empty while nothing is watched.',
    ),
    updatedAt: date('When it last counted something.'),
  },
);
type DriftStream = InstanceType<typeof DriftStream>;

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
      return { ...common, phase: 'OFF', observations: 0 };
    case 'LEARNING': {
      const requiredCount = training ? null : LEARNED_FROM;
      return { ...common, phase: 'LEARNING', observations: state.answers.length, needed: requiredCount };
    }
    case 'LEARNING_LABELS': {
      const observations = Object.values(state.counts).reduce((sum, count) => sum + count, 0);
      return { ...common, phase: 'LEARNING', observations, needed: LABELS_LEARNED_FROM };
    }
    case 'ON': {
      const { sum, since, unlike, seen } = state.course;
      return {
        ...common,
        phase: 'WATCHING',
        observations: seen,
        evidence: sum,
        alarmAt: state.detector.threshold,
        shares: [{ name: 'unlike', reference: UNLIKE, now: since === 0 ? null : unlike / since }],
      };
    }
    case 'ON_LABELS':
      return { ...common, ...watchedLabels(state) };
  }
}

function watchedLabels({ watching, labels }: OnLabels) {
  if (watching.phase === 'GATHERING')
    return { phase: 'GATHERING' as const, observations: watching.reference.all, needed: REFERENCE };
  const { reference, bag } = watching.test;
  const newCount = bag.all - reference.all;
  const shares = reference.of.map((count, category) => ({
    name: labels[category]!,
    reference: count / Math.max(1, reference.all),
    now: newCount === 0 ? null : (bag.of[category]! - count) / newCount,
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
