import fc from 'fast-check';
import { scoreSentences } from '../../../src/ask/evidence.js';
import { wantedBy } from '../../../src/ask/wanted.js';
import { passageOf } from './support.js';

describe('what a question asks for', () => {
  it.each([
    ['How long is the filter good for?', 'It lasts nine months.', 'It lasts for long.'],
    ['What port does the broker take?', 'It listens on 7443.', 'It listens on the usual one.'],
    ['When do I add the prunes?', 'They go in at 18:30.', 'They go in late.'],
    ['Who drew the plan?', 'It was drawn by Jacob Lisle.', 'It was drawn by an engineer.'],
    ['Where was the seal made?', 'It comes from Bergen.', 'It comes from abroad.'],
    ['Why were the white traps dropped?', 'They were dropped because they caught flies.', 'They were dropped.'],
    ['¿Cuánto dura el filtro?', 'Dura nueve meses.', 'Dura mucho.'],
    ['Wann öffnet die Werkstatt?', 'Sie öffnet um 9 Uhr.', 'Sie öffnet früh.'],
    ['Pourquoi la pompe est-elle arrêtée ?', 'Elle est arrêtée parce que l’eau manque.', 'Elle est arrêtée.'],
  ])('tells a sentence that names it: %s', (question, names, doesNot) => {
    const wanted = wantedBy(question)!;
    expect(wanted(names)).toBe(true);
    expect(wanted(doesNot)).toBe(false);
  });

  it('is not named by what the question says itself', () => {
    expect(wantedBy('How many of the 36 farms had residues?')!('There were 36 farms.')).toBe(false);
    expect(wantedBy('Who followed Pauline Achterberg?')!('Then Pauline Achterberg resigned.')).toBe(false);
  });

  it('is nothing in particular where the words don’t say', () => {
    expect(wantedBy('Can I freeze the gratin?')).toBeNull();
    expect(wantedBy('Что это такое?')).toBeNull();
  });

  it('lets a sentence that names it go before one that only has the question’s words', () => {
    const text = 'Messages are kept as long as the settings say. Kept for fourteen days, messages then go.';
    const term = (stem: string) => ({ stem, rarity: 1, name: false });
    const question = 'How long are messages kept by the settings?';
    const terms = ['messag', 'kept', 'sett'].map(term);
    const [best] = scoreSentences([passageOf(text)], terms);
    expect(best!.quote).toMatch(/^Messages/);
    const [named] = scoreSentences([passageOf(text)], terms.slice(0, 2), wantedBy(question));
    expect(named!.quote).toMatch(/^Kept/);
  });

  it('is told of any text, in time that grows with its length', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (question, sentence) => {
        expect([true, false, undefined]).toContain(wantedBy(question)?.(sentence));
      }),
    );
  });
});
