import fc from 'fast-check';
import type { Evidence } from '../../../src/answer/ask/answer.js';
import { findConflicts } from '../../../src/answer/ask/read/conflicts/find-conflicts.js';
import { contentWords } from '../../../src/answer/ask/read/words.js';
import { evidenceOf } from './support.js';

const termsOf = (question: string) => contentWords(question).map(({ stem, name }) => ({ stem, name, rarity: 1 }));
const sentencesOf = (...quotes: string[]): Evidence[] =>
  quotes.map((quote, index) => evidenceOf(quote, { documentId: `d${index}`, documentName: `${index}.md` }));
const conflictsOf = (question: string, ...quotes: string[]) => findConflicts(sentencesOf(...quotes), termsOf(question));
const valuesOf = (question: string, ...quotes: string[]) =>
  conflictsOf(question, ...quotes).map((conflict) => [conflict.kind, ...conflict.quotes.map(({ value }) => value)]);

describe('conflicts', () => {
  it.each([
    ['The boiler takes 1.000 litres.', 'The boiler takes 1000 litres.'],
    ['The boiler takes 1.250 litres.', 'The boiler takes 1,250 litres.'],
    ['The boiler takes 1.250.000 litres.', 'The boiler takes 1250000 litres.'],
  ])('are none where a point may part thousands: %s %s', (one, other) => {
    expect(valuesOf('How much does the boiler take?', one, other)).toEqual([]);
  });

  it('are some where a number differs however its point is read', () => {
    const [one, other] = ['The boiler takes 1.250 litres.', 'The boiler takes 1300 litres.'];
    expect(valuesOf('How much does the boiler take?', one, other)).toHaveLength(1);
  });

  it.each([
    ['NUMBER', 'At what pressure does the boiler run?', 'The boiler runs at 6.5 bar.', 'The boiler runs at 999 bar.'],
    [
      'NUMBER',
      'At what pressure does the boiler run?',
      'The boiler operates at 6.5 bar.',
      'The boiler works at 999 bar.',
    ],
    [
      'NUMBER',
      'What is the test pressure of the manifold?',
      'The test pressure of the manifold is 6.5 bar.',
      'Important: the correct test pressure of the manifold is 999 bar.',
    ],
    [
      'NUMBER',
      'What is the highest pressure for the pump?',
      'The highest pressure for the pump is 6.5 bar.',
      '999 bar is the highest pressure for the pump.',
    ],
    [
      'NUMBER',
      'How long is an RMA number valid?',
      'An RMA number is valid for 21 days.',
      'An RMA number is valid for two days.',
    ],
    [
      'NUMBER',
      'At what pressure does the boiler run?',
      'The boiler runs at 6.5 bar.',
      'The boiler runs at 999 bar [1].',
    ],
    [
      'NUMBER',
      'How much does the lift carry?',
      'The lift carries [640] kilograms.',
      'The lift carries [999] kilograms.',
    ],
    ['NUMBER', 'What does delivery in the UK cost?', 'UK delivery costs £6.90.', 'UK delivery costs £9.60 now.'],
    [
      'NUMBER',
      'Above what wind speed do the vents close?',
      'The vents close above 14 m/s.',
      'The vents close above 20 m/s.',
    ],
    [
      'NUMBER',
      'What is the lowest temperature of the valve?',
      'The lowest temperature of the valve is -5 °C.',
      'The lowest temperature of the valve is 5 °C.',
    ],
    [
      'NUMBER',
      'Where does the freezer stop?',
      'The freezer stops at −18 to −20 °C.',
      'The freezer stops at 18 to 20 °C.',
    ],
    ['NUMBER', 'How many people live in Arden?', 'Arden has 1,200,000 people.', 'Arden has 2 million people.'],
    [
      'NUMBER',
      'At what temperature does the heater start?',
      'The heater starts at 2 to 4 °C.',
      'The heater starts at 5–8 °C.',
    ],
    [
      'DATE',
      'When was the plant opened?',
      'The plant was opened on 12 March 2021.',
      'The plant was opened on March 14, 2021.',
    ],
    [
      'DATE',
      'When did Fernholt found the factory?',
      'Fernholt founded the factory in 1998.',
      'Fernholt founded the factory in May 1989.',
    ],
    [
      'NAME',
      'Who is the chief engineer of Fernholt?',
      'The chief engineer of Fernholt is Anna Berg.',
      'The chief engineer of Fernholt is Tom Hale.',
    ],
    [
      'NAME',
      'Where is the Fernholt factory?',
      'The Fernholt factory stands in Leeds.',
      'The Fernholt factory stands in York.',
    ],
  ])('are told: %s, %s', (kind, question, one, other) => {
    const conflicts = conflictsOf(question, one, other);
    expect(conflicts).toMatchObject([{ kind, quotes: [{ quote: one }, { quote: other }] }]);
    for (const { value, quote } of conflicts[0]!.quotes) expect(quote).toContain(value);
  });

  it.each([
    [
      'the same in another form',
      'How many people live in Arden?',
      'Arden has 1,200,000 people.',
      'Arden has 1.2 million people.',
    ],
    ['the same minus', 'What stops the valve?', 'Frost of -5 °C stops the valve.', 'Frost of −5 °C stops the valve.'],
    ['a range', 'How long does it take?', 'The repair takes 5-7 days.', 'The repair takes 5 to 7 days.'],
    ['a range with a dash', 'How long does it take?', 'The repair takes 5 – 7 days.', 'The repair takes 5 to 7 days.'],
    ['a hyphen', 'Which fuse is it?', 'The fuse is a type-5 A.', 'The fuse is a type 5 A.'],
    [
      'a dash before it',
      'How long does it run?',
      'The pump runs briefly – 5 minutes.',
      'The pump runs briefly, 5 minutes.',
    ],
    ['a range of frost', 'What frost does it bear?', 'It bears frost of -5 to -7 °C.', 'It bears frost of −5–−7 °C.'],
    ['the same in words', 'How many seats has it?', 'The cabin has four seats.', 'The cabin has 4 seats.'],
    ['the same without its space', 'What pressure has the valve?', 'The valve has 5 bar.', 'The valve has 5bar.'],
    [
      'a part of the date',
      'When was the plant opened?',
      'The plant was opened in 2021.',
      'The plant was opened on 14 March 2021.',
    ],
    ['about the same', 'How long is the pipe?', 'The pipe is 98 metres long.', 'The pipe is about 100 metres long.'],
    ['another unit', 'How long is the warranty?', 'The warranty is 24 months.', 'The warranty is 2 years.'],
    [
      'another bound',
      'At what speed do the vents close?',
      'The vents close above 14 m/s.',
      'The vents close below 2 m/s.',
    ],
    [
      'another thing',
      'How long is the warranty?',
      'The hardware warranty is 24 months.',
      'The battery warranty is 12 months.',
    ],
    [
      'a special case',
      'How long is the warranty?',
      'The warranty is 24 months.',
      'The warranty on batteries is 12 months.',
    ],
    [
      'another name',
      'How many sensors can it take?',
      'The Fernholt Four takes 4 sensors.',
      'The Fernholt Twelve takes 12 sensors.',
    ],
    [
      'opposites',
      'What pressure may the line have?',
      'The minimum line pressure is 2 bar.',
      'The maximum line pressure is 6 bar.',
    ],
    ['another year', 'What was the revenue?', 'In 2019 revenue was $5 million.', 'In 2020 revenue was $6 million.'],
    [
      'a year that is asked for',
      'Who won the cup in 1998?',
      'Arden won the cup in 1998.',
      'Arden won the cup in 2002.',
    ],
    [
      'a name that is asked for',
      'Who is the engineer of Fernholt?',
      'Anna is the engineer of Fernholt.',
      'Anna is the engineer of Graft.',
    ],
    [
      'a denial',
      'At what pressure does the boiler run?',
      'The boiler runs at 6.5 bar.',
      'The boiler never runs at 999 bar.',
    ],
    ['little of what is asked', 'What does the Grower plan cost a month?', 'Price: £20.', 'Price: £40.'],
    [
      'another version',
      'Which firmware fixes the clock?',
      'Firmware 3.5.1 fixes the clock.',
      'Firmware 3.5.2 fixes the clock.',
    ],
    [
      'a page',
      'Where is the clock described?',
      'The clock is described in chapter 3 on page 12.',
      'The clock is described in chapter 4 on page 19.',
    ],
  ])('are not told of %s', (_, question, one, other) => {
    expect(valuesOf(question, one, other)).toEqual([]);
    expect(valuesOf(question, other, one)).toEqual([]);
  });

  it('are not told of two sections of a document, which speak of different things', () => {
    const [one, other] = sentencesOf('The price is £20 a month.', 'The price is £40 a month.') as [Evidence, Evidence];
    const terms = termsOf('What is the price?');
    const sections = [
      { ...one, headings: ['Basic'] },
      { ...other, documentId: one.documentId, headings: ['Pro'] },
    ];
    expect(findConflicts(sections, terms)).toEqual([]);
    expect(findConflicts([one, other], terms)).toHaveLength(1);
  });

  it('are told once for copies of the same two sentences', () => {
    const copies = ['The boiler runs at 6.5 bar.', 'The boiler runs at 999 bar.', 'The boiler runs at 6.5 bar.'];
    expect(valuesOf('At what pressure does the boiler run?', ...copies)).toEqual([['NUMBER', '6.5 bar', '999 bar']]);
  });

  const word = fc.stringMatching(/^[b-df-hj-np-tv-z][aeo][b-df-hj-np-tv-z][aeo]k$/);
  const sentence = (words: readonly string[], number: number, unit: string): string =>
    `The ${words.join(' ')} has ${number} ${unit}.`;
  const thing = fc.uniqueArray(word, { minLength: 2, maxLength: 5 });
  const unit = fc.constantFrom('bar', 'm/s', 'metres', '%', '°C');
  const number = fc.integer({ min: 13, max: 9_999 });

  it('are the same whichever sentence comes first, and never of a sentence with itself', () => {
    const about = fc.record({ words: thing, number, unit });
    fc.assert(
      fc.property(about, about, (a, b) => {
        const question = `What has the ${a.words.join(' ')}?`;
        const [one, other] = [sentence(a.words, a.number, a.unit), sentence(b.words, b.number, b.unit)];
        const sorted = (...quotes: string[]) => valuesOf(question, ...quotes).map((each) => [...each].sort());
        expect(sorted(one, other)).toEqual(sorted(other, one));
        expect(valuesOf(question, one, one)).toEqual([]);
      }),
    );
  });

  it('are found wherever only the number is another, and nowhere where the thing is another too', () => {
    fc.assert(
      fc.property(thing, number, number, unit, word, (words, first, second, of, other) => {
        fc.pre(first !== second && !words.includes(other));
        const question = `What has the ${words.join(' ')}?`;
        const one = sentence(words, first, of);
        expect(conflictsOf(question, one, sentence(words, second, of))).toHaveLength(1);
        expect(conflictsOf(question, one, sentence([...words.slice(1), other], second, of))).toEqual([]);
      }),
    );
  });

  it('of hostile sentences are looked for in bounded time and without a fault', () => {
    fc.assert(fc.property(fc.string(), fc.string(), (one, other) => void conflictsOf(one, one, other, `${one} 5 bar`)));
    const long = '9,'.repeat(600);
    expect(conflictsOf('What is it?', long, `${long}1`)).toEqual([]);
  });
});
