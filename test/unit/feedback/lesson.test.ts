import { AS_ANSWERED, NOT_AS_ANSWERED } from '../../../src/learn/feedback/expectation.js';
import type { Feedback } from '../../../src/learn/feedback/feedback.js';
import { voterOf } from '../../../src/learn/feedback/votes.js';
import { lessonOf } from '../../../src/learn/feedback/curation/lesson.js';
import { DELETED_TEXT, type Answer } from '../../../src/answer/ask/index.js';
import { newId } from '../../../src/kernel/ids.js';
import { finishedAnswer, labelled } from '../../support/recorded-answers.js';

const answer = { ...finishedAnswer(labelled('card')), id: newId() } as unknown as Answer;
const given = (name: string, verdict: string, more: Partial<Feedback> = {}): Feedback =>
  ({
    id: newId(),
    kind: 'FEEDBACK',
    sourceKind: 'HUMAN',
    sourceName: name,
    givenBy: '',
    verdict,
    expectation: null,
    ...more,
  }) as Feedback;
const demanded = (name: string, label: string, more: Partial<Feedback> = {}): Feedback =>
  given(name, label, { kind: 'EXPECTATION', expectation: { kind: 'LABEL', label, isNew: false }, ...more });
const nobody = new Map<string, never>();
const lesson = (feedback: Feedback[], known: Parameters<typeof lessonOf>[2] = nobody) =>
  lessonOf(answer, feedback, known, 0.7);

describe('what an answer teaches', () => {
  it('is what a person confirmed, or what a person or a program demonstrated', () => {
    expect(lesson([given('anna', AS_ANSWERED)])).toMatchObject({ basis: 'CONFIRMED', right: null });
    expect(lesson([demanded('anna', 'transfer')])).toMatchObject({
      basis: 'DEMONSTRATED',
      right: { label: 'transfer' },
    });
    expect(lesson([demanded('tickets', 'transfer', { sourceKind: 'CODE' })])).toMatchObject({ basis: 'DEMONSTRATED' });
  });

  it('is never what a model says, nor what a program scores', () => {
    expect(lesson([demanded('judge', 'transfer', { sourceKind: 'MODEL' })])).toBe('UNCONFIRMED');
    expect(lesson([given('judge', AS_ANSWERED, { sourceKind: 'MODEL' })])).toBe('UNCONFIRMED');
    expect(lesson([given('rule', AS_ANSWERED, { sourceKind: 'CODE' })])).toBe('UNCONFIRMED');
  });

  it('is nothing where it is only called wrong, contradicted, or said by whom nobody believes', () => {
    expect(lesson([given('anna', NOT_AS_ANSWERED)])).toBe('WRONG_ONLY');
    expect(lesson([demanded('anna', 'transfer'), demanded('ben', 'cash')])).toBe('CONFLICTING');
    expect(lesson([given('anna', AS_ANSWERED), given('ben', NOT_AS_ANSWERED)])).toBe('CONFLICTING');
    const liar = new Map([
      [voterOf({ givenBy: '', kind: 'HUMAN', name: 'liar' }), { accuracy: 0.1, weight: 0, compared: 50 }],
    ]);
    expect(lesson([demanded('liar', 'transfer')], liar)).toBe('DISTRUSTED');
    expect(lesson([])).toBeNull();
  });

  it('is nothing where what was said is erased, though that it was said stays', () => {
    expect(lesson([demanded('anna', 'transfer', { expectation: null })])).toBe('ERASED');
    expect(lesson([demanded('anna', AS_ANSWERED, { expectation: null })])).toMatchObject({ basis: 'CONFIRMED' });
    const blanked = { ...answer, text: DELETED_TEXT };
    expect(lessonOf(blanked, [given('anna', AS_ANSWERED)], nobody, 0.7)).toBe('ERASED');
  });

  it('goes to whom the others have shown to be right', () => {
    const known = new Map([
      [voterOf({ givenBy: '', kind: 'HUMAN', name: 'anna' }), { accuracy: 0.97, weight: 0.94, compared: 50 }],
      [voterOf({ givenBy: '', kind: 'HUMAN', name: 'liar' }), { accuracy: 0.2, weight: 0, compared: 50 }],
    ]);
    expect(lesson([demanded('liar', 'cash'), demanded('anna', 'transfer')], known)).toMatchObject({
      right: { label: 'transfer' },
      feedback: [{ sourceName: 'anna' }],
    });
  });
});
