import type { Answer } from '../../../src/answer/ask/index.js';
import { taughtRow, type TeachingContext } from '../../../src/learn/feedback/curation/taught-row.js';
import type { Lesson } from '../../../src/learn/feedback/curation/lesson.js';
import { newId } from '../../../src/kernel/ids.js';
import { finishedAnswer, labelled } from '../../support/recorded-answers.js';

const STANDING = 'How long is an RMA number valid?';
const FOLLOW_UP = 'And where do I write it?';
const TALK = 'support';

const row = (
  wishes: Partial<Answer>,
  task: TeachingContext['task'] = 'QUESTION_ANSWERING',
  right: Lesson['right'] = null,
) =>
  taughtRow(
    {
      answer: { ...finishedAnswer(), id: newId(), conversationId: null, ...wishes } as Answer,
      basis: right === null ? 'CONFIRMED' : 'DEMONSTRATED',
      right,
      feedback: [],
    },
    { task, labels: null, languages: null, passages: new Map() },
  );

describe('the row that an answer teaches', () => {
  it('is none of a follow-up: alone its words ask for something else', () => {
    const askedAs = `${STANDING} ${FOLLOW_UP}`;
    expect(row({ question: FOLLOW_UP, conversationId: TALK, askedAs })).toBe('FOLLOW_UP');
    // A chat's own history has no conversation.
    expect(row({ question: FOLLOW_UP, askedAs })).toBe('FOLLOW_UP');
    // What it followed was erased since.
    expect(row({ question: FOLLOW_UP, conversationId: TALK })).toBe('FOLLOW_UP');
  });

  it('has the question of an answer that stands for itself, in a conversation or not', () => {
    for (const question of [
      { question: STANDING, conversationId: TALK },
      { question: STANDING },
      { question: FOLLOW_UP },
    ])
      expect(row(question)).toMatchObject({ record: { question: question.question, answer: '21 days' } });
  });

  it('has the system message that shaped it, and is none where its task has no place for one', () => {
    const system = 'Answer in French.';
    const asked = { question: STANDING, guided: true, askedWith: { ...finishedAnswer().askedWith!, system } };
    expect(row(asked)).toBe('OTHER_FORM');
    expect(row({ ...asked, guided: false })).toMatchObject({ record: { question: STANDING } });
    expect(row({ ...asked, task: 'INSTRUCTION' }, 'INSTRUCTION')).toMatchObject({
      record: { prompt: STANDING, system },
    });
    expect(row({ ...asked, task: 'TRANSLATION' }, 'TRANSLATION')).toBe('OTHER_FORM');
    const drawn = { ...asked, askedWith: { ...asked.askedWith, sampling: { stop: ['.'] } } };
    expect(row({ ...drawn, task: 'INSTRUCTION' }, 'INSTRUCTION')).toBe('OTHER_FORM');
    // What a person wrote nothing shaped.
    const right = { kind: 'TEXT', text: 'Twenty-one days.', passageId: null } as const;
    expect(row(asked, 'QUESTION_ANSWERING', right)).toMatchObject({ record: { answer: 'Twenty-one days.' } });
  });

  it('has a text that was labelled as it is, which is never put behind another', () => {
    const text = 'It was charged twice and I want that back.';
    expect(row({ ...labelled('card'), question: text, conversationId: TALK }, 'CLASSIFICATION')).toMatchObject({
      record: { text, label: 'card' },
    });
  });
});
