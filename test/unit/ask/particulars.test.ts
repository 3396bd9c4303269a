import fc from 'fast-check';
import { boundsIn } from '../../../src/answer/ask/read/conflicts/amounts.js';
import { rankEvidence, scoreSentences, wantedBy, type QuestionTerm } from '../../../src/answer/ask/read/evidence.js';
import { particularsOf } from '../../../src/answer/ask/read/particulars.js';
import { contentWords } from '../../../src/answer/ask/read/words.js';
import { answerProbability } from '../../../src/answer/ask/read/probability.js';
import { evidenceOf, passageOf } from './support.js';

/** As it is asked: the sentence that is quoted. */
const best = (question: string, text: string, headings: string[] = []): string => {
  const terms = contentWords(question).map(({ stem, name }): QuestionTerm => ({ stem, rarity: 1, name }));
  return rankEvidence(scoreSentences([passageOf(text, { headings })], terms, wantedBy(question)), [])[0]!.quote;
};

describe('the edition, code or amount that a question names', () => {
  it.each([
    ['What does E3 mean?', 'Code: E3; Meaning: the door is open', 'Code: E5; Meaning: the heater is hot'],
    ['How wide is the Tolva 9?', 'The Tolva 9 is a metre wide.', 'The Tolva 12 is two metres wide.'],
    ['What is new in version 4.1?', 'Version 4.1 reads sheets.', 'Version 4.2 prints codes.'],
    ['Who won the cup in 2021?', 'In 2021 Pilar Mendes won.', 'In 2019 Tom Arkwright won.'],
    ['¿Quién ganó en 2021?', 'En 2021 ganó Pilar Mendes.', 'En 2019 ganó Tom Arkwright.'],
    ['Was bedeutet F12?', 'F12: Der Lüfter ist blockiert.', 'F14: Der Durchfluss ist zu klein.'],
  ])('is told from another: %s', (question, own, other) => {
    const fits = particularsOf(question)!;
    expect(fits(own, '')).toBeGreaterThan(0);
    expect(fits(other, '')).toBe(-1);
    expect(fits('It is sailed twice.', '')).toBe(0);
  });

  it('may stand above the sentence, where the last one named counts', () => {
    const fits = particularsOf('Who won in 2021?')!;
    expect(fits('Pilar Mendes won.', '2021 Harbour Cup')).toBeGreaterThan(0);
    expect(fits('Pilar Mendes won.', '2021 Harbour Cup\nIn 2019 it rained.')).toBeLessThan(0);
    expect(fits('In 2019 Tom Arkwright won.', '2021 Harbour Cup')).toBe(-1);
  });

  it('is none where a question names nothing of the kind', () => {
    for (const question of [
      'Who won the cup?',
      'What does it cost?',
      'What is £50 for?',
      'Is the two-hour switch-off fixed?',
    ])
      expect(particularsOf(question)).toBeNull();
  });

  it('puts the right edition first, whatever else the sentences have in common', () => {
    const text =
      'The cup of 2019 had thirty-four entries. Tom Arkwright won the cup.\n\nThe race of 2021 was shortened. Pilar Mendes won the cup.';
    expect(best('Who won the cup in 2021?', text)).toBe('Pilar Mendes won the cup.');
  });
});

describe('bounds', () => {
  const REFUNDS = [
    'A ticket that is given back more than fourteen days before departure is refunded in full.',
    'Between fourteen days and forty-eight hours before departure we refund 60 % of the fare.',
    'Between forty-eight hours and six hours before departure we refund 25 %.',
    'Less than six hours before departure there is no refund.',
  ];
  const FARES = [
    'Length: up to 5 m; Fare: £58',
    'Length: over 5 m up to 6.5 m; Fare: £74',
    'Length: over 6.5 m; Fare: £112',
  ];
  const FRAMES = ['Frame: M; Height of rider: 165 to 176 cm', 'Frame: L; Height of rider: 177 cm or more'];
  const CHILDREN = ['Children under 4 travel free.', 'Children from 4 to 11 pay half.'];

  it.each([
    ['What is refunded three weeks before departure?', REFUNDS, 0],
    ['What is refunded five days before departure?', REFUNDS, 1],
    ['What is refunded twelve hours before departure?', REFUNDS, 2],
    ['What is refunded two hours before departure?', REFUNDS, 3],
    ['What does a car of 5 m cost?', FARES, 0],
    ['What does a car of 5.8 m cost?', FARES, 1],
    ['What does a car of 8 m cost?', FARES, 2],
    ['Which frame does a rider of 170 cm need?', FRAMES, 0],
    ['Which frame does a rider of 180 cm need?', FRAMES, 1],
    ['What does a child of 3 pay?', CHILDREN, 0],
    ['What does a child of 7 pay?', CHILDREN, 1],
  ])('find the branch that holds: %s', (question, sentences, right) => {
    const fits = particularsOf(question)!;
    expect(sentences.map((sentence) => fits(sentence, ''))).toEqual(sentences.map((_, at) => (at === right ? 1 : -1)));
    expect(best(question, sentences.join('\n'))).toBe(sentences[right]);
  });

  it('say nothing of what they don’t measure', () => {
    const fits = particularsOf('What is refunded two hours before departure?')!;
    expect(fits('Cars up to 5 m cost £58.', '')).toBe(0);
    expect(fits('The crossing takes nine hours.', '')).toBe(0);
    expect(boundsIn('From £20 to £40, or more than £50.')).toEqual([]);
  });

  it('hold between their ends, whichever is named first', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(500), fc.nat(600), (a, b, value) => {
        const [bound] = boundsIn(`Between ${a} km and ${b} km it is free.`);
        expect(bound!.holds(value)).toBe(value >= Math.min(a, b) && value <= Math.max(a, b));
      }),
    );
  });

  it('make a sentence more probable as an answer, and those of another branch less', () => {
    const probability = (fits?: number) => answerProbability(evidenceOf('It is free.', { fits }));
    expect(probability(1)).toBeGreaterThan(probability());
    expect(probability(-1)).toBeLessThan(probability());
  });
});
