import { lessonOf } from '../../../src/learn/feedback/curation/lesson.js';
import { AS_ANSWERED } from '../../../src/learn/feedback/expectation.js';
import type { Feedback } from '../../../src/learn/feedback/feedback.js';
import { estimateReliability, type Ballot } from '../../../src/learn/feedback/source-weights.js';
import { votesOf } from '../../../src/learn/feedback/votes.js';
import type { Answer } from '../../../src/answer/ask/index.js';
import { newId } from '../../../src/kernel/ids.js';
import { finishedAnswer, labelled } from '../../support/recorded-answers.js';

type Said = Omit<Partial<Feedback>, 'answerId'> & { answerId: string; label: string };

const said = ({ label, ...more }: Said): Feedback =>
  ({
    id: newId(),
    kind: 'EXPECTATION',
    sourceKind: 'HUMAN',
    sourceName: 'anna',
    givenBy: '',
    verdict: label,
    expectation: { kind: 'LABEL', label, isNew: false },
    ...more,
  }) as Feedback;

/** What is learned of each answer, as curation learns it. */
function learned(feedback: readonly Feedback[], least = 0.8): Map<string, string> {
  const byAnswer = new Map<string, Feedback[]>();
  for (const one of feedback) byAnswer.set(one.answerId!, [...(byAnswer.get(one.answerId!) ?? []), one]);
  const ballots = [...byAnswer].flatMap(([unit, of]) =>
    votesOf(of).map(({ voter, verdict }): Ballot => ({ unit, source: voter, verdict })),
  );
  const { reliability } = estimateReliability(ballots.filter(({ unit }) => votesOf(byAnswer.get(unit)!).length > 1));
  return new Map(
    [...byAnswer].map(([id, of]) => {
      const answer = { ...finishedAnswer(labelled('card')), id } as unknown as Answer;
      const lesson = lessonOf(answer, of, reliability, least);
      const right = lesson !== null && typeof lesson === 'object' ? lesson.right : null;
      return [id, typeof lesson === 'string' ? lesson : right?.kind === 'LABEL' ? right.label : 'card'];
    }),
  );
}

describe('votes under one key', () => {
  it('are one, however many names it sends: six made up against two keys change nothing', () => {
    const names = Array.from({ length: 6 }, (_, n) => `name ${n}`);
    const feedback = Array.from({ length: 30 }, (_, n) => `answer ${n}`).flatMap((answerId) => [
      said({ answerId, label: 'transfer', givenBy: 'support' }),
      said({ answerId, label: 'transfer', givenBy: 'desk' }),
      ...names.map((sourceName) => said({ answerId, label: 'cash', givenBy: 'captured', sourceName })),
    ]);
    expect([...new Set(learned(feedback, 0.7).values())]).toEqual(['transfer']);
  });

  it('are what most of its names say, and none where they contradict each other evenly', () => {
    const under = (sourceName: string, label: string, more: Omit<Partial<Feedback>, 'answerId'> = {}) =>
      said({ answerId: 'a', label, givenBy: 'app', sourceName, ...more });
    const vote = (...feedback: Feedback[]) => votesOf(feedback).map(({ verdict }) => verdict);
    expect(vote(under('anna', 'cash'), under('ben', 'cash'), under('cleo', 'card'))).toEqual(['cash']);
    expect(vote(under('anna', 'cash'), under('ben', 'card'))).toEqual([]);
    expect(learned([under('anna', 'cash'), under('ben', 'card')]).get('a')).toBe('CONFLICTING');
    // What a person says counts before what a program or a model does, and what is right before a judgement.
    expect(vote(under('judge', 'cash', { sourceKind: 'MODEL' }), under('anna', 'card'))).toEqual(['card']);
    expect(vote(under('ben', AS_ANSWERED, { kind: 'FEEDBACK' }), under('anna', 'card'))).toEqual(['card']);
    // Where no key is asked for, names are all there is.
    expect(vote(under('anna', 'cash', { givenBy: '' }), under('ben', 'card', { givenBy: '' }))).toHaveLength(2);
  });
});

describe('a lone rater', () => {
  const lessons = Array.from({ length: 100 }, (_, n) => said({ answerId: `answer ${n}`, label: 'transfer' }));
  const disputes = (count: number): Feedback[] =>
    lessons
      .slice(0, count)
      .map(({ answerId }) => said({ answerId: answerId!, label: 'cash', sourceName: 'ben', givenBy: 'other' }));
  const taught = (count: number, least: number): number =>
    [...learned([...lessons, ...disputes(count)], least).values()].filter((label) => label === 'transfer').length;

  it.each([0.7, 0.8])(
    'keeps its other lessons where one to four are disputed, at a least probability of %d',
    (least) => {
      expect([0, 1, 2, 3, 4].map((count) => taught(count, least))).toEqual([100, 99, 98, 97, 96]);
    },
  );

  it('loses them once others have shown that it errs', () => {
    const third = disputes(20).map((one) => ({ ...one, id: newId(), givenBy: 'third' }));
    expect(
      [...learned([...lessons, ...disputes(20), ...third]).values()].filter((one) => one === 'DISTRUSTED'),
    ).toHaveLength(80);
  });

  it('teaches nothing where more than is supposed of anybody is wanted', () => {
    expect(taught(0, 0.9)).toBe(0);
  });
});
