import type { Answer } from '../../src/answer/ask/index.js';
import { estimateReliability, lessonOf, votesOf, type Ballot, type Feedback } from '../../src/learn/feedback/index.js';
import { groupBy } from '../../src/kernel/group-by.js';
import { newId } from '../../src/kernel/ids.js';
import { seededRandom } from '../../src/kernel/random.js';
import { shareOf, type Line, type Topic } from './line.js';

const LABELS = ['card', 'transfer', 'cash', 'loan', 'fees'];
/** As the loop has it. */
const LEAST = 0.8;

interface Said {
  answer: number;
  label: string;
  key: string;
  name: string;
}

const feedbackOf = ({ answer, label, key, name }: Said): Feedback =>
  ({
    id: newId(),
    answerId: `${answer}`,
    kind: 'EXPECTATION',
    sourceKind: 'HUMAN',
    sourceName: name,
    givenBy: key,
    verdict: label,
    expectation: { kind: 'LABEL', label, isNew: false },
  }) as Feedback;

/** What is learned of each answer, as curation learns it; answers that teach nothing are missing. */
function learned(said: readonly Said[]): Map<number, string> {
  const byAnswer = groupBy(said.map(feedbackOf), ({ answerId }) => Number(answerId));
  const ballots = [...byAnswer].flatMap(([unit, of]) => {
    const votes = votesOf(of);
    return votes.length > 1
      ? votes.map(({ voter, verdict }): Ballot => ({ unit: `${unit}`, source: voter, verdict }))
      : [];
  });
  const { reliability } = estimateReliability(ballots);
  const answer = { text: 'other', abstention: null } as Answer;
  return new Map(
    [...byAnswer].flatMap(([id, of]): [number, string][] => {
      const lesson = lessonOf(answer, of, reliability, LEAST);
      return lesson !== null && typeof lesson === 'object' && lesson.right?.kind === 'LABEL'
        ? [[id, lesson.right.label]]
        : [];
    }),
  );
}

const pick = (random: () => number, not: string | null = null): string => {
  const labels = LABELS.filter((label) => label !== not);
  return labels[Math.floor(random() * labels.length)]!;
};

/** Two keys that are right nine times of ten, and one that makes up names which all say the same wrong label. @returns the share of lessons that are wrong */
function taughtByNames(random: () => number): number {
  const truths = Array.from({ length: 60 }, () => pick(random));
  const said = truths.flatMap((truth, answer) => {
    const wrong = pick(random, truth);
    const honest = ['support', 'desk'].map((key) => ({
      answer,
      key,
      name: key,
      label: random() < 0.9 ? truth : pick(random, truth),
    }));
    return [
      ...honest,
      ...['a', 'b', 'c', 'd', 'e', 'f'].map((name) => ({ answer, key: 'captured', name, label: wrong })),
    ];
  });
  const lessons = learned(said);
  return [...lessons].filter(([answer, label]) => label !== truths[answer]).length / Math.max(1, lessons.size);
}

/** One rater of 100 answers, some of which another one disputes. @returns how many of the other lessons stay, 0 to 1 */
function staying(random: () => number, disputes: number): number {
  const said = Array.from({ length: 100 }, (_, answer) => ({ answer, key: 'anna', name: 'anna', label: pick(random) }));
  const disputing = said.slice(0, disputes).map((one) => ({ ...one, key: 'ben', label: pick(random, one.label) }));
  const lessons = learned([...said, ...disputing]);
  return said.slice(disputes).filter(({ answer }) => lessons.has(answer)).length / (100 - disputes);
}

const LINES: (Pick<Line, 'promise' | 'promised'> & { holds: (random: () => number) => boolean })[] = [
  {
    promise: 'six names under one key have the say against two keys: more than a tenth of the lessons is wrong',
    promised: { atMost: 0.01 },
    holds: (random) => taughtByNames(random) > 0.1,
  },
  {
    promise: 'one dispute takes other lessons of a lone rater',
    promised: { atMost: 0 },
    holds: (random) => staying(random, 1) < 1,
  },
  {
    promise: 'four disputes take other lessons of a lone rater',
    promised: { atMost: 0 },
    holds: (random) => staying(random, 4) < 1,
  },
];

export const curation: Topic = {
  name: 'curation',
  *lines(streams) {
    for (const { promise, promised, holds } of LINES) {
      const measured = shareOf(streams, 23, (seed) => holds(seededRandom(seed)));
      yield { promise, promised, measured, streams, traffic: 'independent', judged: 1 };
    }
  },
};
