import fc from 'fast-check';
import { scoreSentences } from '../../../src/answer/ask/read/evidence.js';
import { answerTypeOf } from '../../../src/answer/ask/read/answer-type.js';
import { contentStems } from '../../../src/answer/ask/read/words.js';
import { passageOf } from './support.js';

describe('what a question asks for', () => {
  it.each([
    ['How long is the filter good for?', 'It lasts nine months.', 'It lasts for long.'],
    ['What port does the broker take?', 'It listens on 7443.', 'It listens on the usual one.'],
    ['When do I add the prunes?', 'They go in at 18:30.', 'They go in late.'],
    ['Who drew the plan?', 'It was drawn by Jacob Lisle.', 'It was drawn by an engineer.'],
    ['Who is responsible when the lease ends?', 'It is Jacob Lisle.', 'It is one of 12.'],
    ['Can you tell me when the shop opens?', 'It opens at 9.', 'It opens early.'],
    ['Where was the seal made?', 'It comes from Bergen.', 'It comes from abroad.'],
    ['Why were the white traps dropped?', 'They were dropped because they caught flies.', 'They were dropped.'],
    ['¿Cuánto dura el filtro?', 'Dura nueve meses.', 'Dura mucho.'],
    ['Wann öffnet die Werkstatt?', 'Sie öffnet um 9 Uhr.', 'Sie öffnet früh.'],
    ['Pourquoi la pompe est-elle arrêtée ?', 'Elle est arrêtée parce que l’eau manque.', 'Elle est arrêtée.'],
  ])('tells a sentence that names it: %s', (question, names, doesNot) => {
    const { isNamed } = answerTypeOf(question)!;
    expect(isNamed(names)).toBe(true);
    expect(isNamed(doesNot)).toBe(false);
  });

  it('is not named by what the question says itself', () => {
    expect(answerTypeOf('How many of the 36 farms had residues?')!.isNamed('There were 36 farms.')).toBe(false);
    expect(answerTypeOf('Who followed Pauline Achterberg?')!.isNamed('Then Pauline Achterberg resigned.')).toBe(false);
  });

  it('is nothing in particular where the words don’t say', () => {
    expect(answerTypeOf('Can I freeze the gratin?')).toBeNull();
    expect(answerTypeOf('What happens when the power fails?')).toBeNull();
    expect(answerTypeOf('Que fait la pompe quand il gèle ?')).toBeNull();
    expect(answerTypeOf('Что это такое?')).toBeNull();
  });

  it('lets a sentence that names it go before one that only has the question’s words', () => {
    const question = 'How long are old messages kept on the disk by the settings?';
    const text =
      'Old messages are kept on the disk by the settings. Old messages on the disk are kept for fourteen days.';
    const terms = [...contentStems(question)].map((stem) => ({ stem, rarity: 1, name: false }));
    const first = (type: ReturnType<typeof answerTypeOf>) =>
      scoreSentences([passageOf(text)], terms, { type, particulars: null })[0]!.quote;
    expect(first(null)).toMatch(/settings/);
    expect(first(answerTypeOf(question))).toMatch(/fourteen days/);
  });

  it('is found behind any text', () => {
    const { isNamed } = answerTypeOf('How many?')!;
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(isNamed(`${text} 8123`)).toBe(true);
      }),
    );
  });
});
