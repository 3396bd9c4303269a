import fc from 'fast-check';
import { isQuestion, readQuestions } from '../../../src/answer/ask/read/questions.js';
import { splitSentences } from '../../../src/kernel/sentences.js';

const askingIn = (text: string): string[] => {
  const sentences = splitSentences(text);
  return readQuestions(text, sentences).flatMap(({ asks }, at) => (asks ? [sentences[at]!.text] : []));
};
const answersIn = (text: string): string[] => {
  const sentences = splitSentences(text);
  return readQuestions(text, sentences).flatMap(({ afterQuestion }, at) =>
    afterQuestion ? [sentences[at]!.text] : [],
  );
};

describe('a question of a document', () => {
  it.each([
    'How long is it valid?',
    'How long?!',
    'どのくらい有効ですか？',
    'ما هي مدة الضمان؟',
    '“How long is it valid?”',
    '"How long is it valid?"',
    '«Combien de temps ?»',
    '(How long is it valid?)',
    '**How long is it valid?**',
  ])('ends in its mark, whatever the script and what it is set in: %s', (text) => {
    expect(isQuestion(text)).toBe(true);
  });

  it.each(['It is valid for 21 days.', 'Press the key when the display shows “Ready?”', 'Call us (any time?).'])(
    'is none that a statement only quotes: %s',
    (text) => {
      expect(isQuestion(text)).toBe(false);
    },
  );

  it('is all of the line that is labelled as one, with or without a question mark', () => {
    expect(askingIn('Q: Can I return it? I lost the receipt.\n\nA: Yes, within 30 days.')).toEqual([
      'Q: Can I return it?',
      'I lost the receipt.',
    ]);
    expect(askingIn('Question 2: I forgot my password.\nAnswer: Click on it.')).toEqual([
      'Question 2: I forgot my password.',
    ]);
    expect(askingIn('Q: Who pays? A: You do.')).toEqual(['Q: Who pays?']);
    expect(askingIn('Q: Is parking free? Yes, on Sundays.\nQ: Who pays?')).toEqual([
      'Q: Is parking free?',
      'Q: Who pays?',
    ]);
  });

  it('is none in a row that answers itself', () => {
    expect(askingIn('Question: Paying by card; Answer: at the desk')).toEqual([]);
  });

  it('is answered by what follows, and by what is labelled so further down its paragraph', () => {
    expect(answersIn('Q: Can I return it? I lost the receipt.\n\nA: Yes.\nCall us.')).toEqual([
      'I lost the receipt.',
      'A: Yes.',
    ]);
    expect(answersIn('Q: Can I return it?\nI lost the receipt.\nA: Yes.\nA: No.')).toEqual([
      'I lost the receipt.',
      'A: Yes.',
    ]);
    expect(answersIn('Q: Can I return it?\nYou can.\n\nA: 999 bar.')).toEqual(['You can.']);
  });

  it('is looked for in bounded time, whatever the text', () => {
    fc.assert(fc.property(fc.string(), (text) => void askingIn(text)));
    expect(isQuestion(`${'"'.repeat(20_000)}x${'?"'.repeat(20_000)}x`)).toBe(false);
  });
});
