import fc from 'fast-check';
import { cite } from '../../../src/ask/word/cite.js';
import { checkWording, supportShare } from '../../../src/ask/word/verify.js';
import { evidenceOf } from './support.js';

const EVIDENCE = ['The Gable needs lithium grease every 6 months, or 12 if it stands indoors.'];
const check = (wording: string, question = 'How often does the Gable need grease?') =>
  checkWording(wording, EVIDENCE, question);

describe('checkWording', () => {
  it('accepts what the evidence says in other forms of its words', () => {
    expect(check('The Gable is greased every 6 months.')).toMatchObject({ supported: true, share: 1, missing: [] });
    expect(check('6 months')).toMatchObject({ supported: true });
  });

  it.each([
    ['a word', 'The Gable needs silicone every 6 months.', ['silicone']],
    ['a number', 'The Gable needs grease every 60 months.', ['60']],
    ['a number with a point', 'Every 6.5 months.', ['6.5']],
  ])('refuses %s that the evidence lacks, and names it', (_, wording, missing) => {
    expect(check(wording)).toMatchObject({ supported: false, missing });
  });

  it('refuses what only repeats the question', () => {
    expect(check('The Gable does need grease.')).toMatchObject({ supported: false, missing: [] });
  });

  it('refuses an answer without a number where one is asked for and the evidence has some', () => {
    expect(check('Lithium grease, if it stands indoors.')).toMatchObject({ supported: false });
    expect(check('Lithium grease, if it stands indoors.', 'Which grease?')).toMatchObject({ supported: true });
  });

  it.each([
    [
      'a modifier of the question that the evidence has another for',
      'It is a double-stranded virus.',
      'Is the virus double-stranded or single-stranded?',
      'The virus has a single-stranded genome of some 30,000 letters.',
      ['double'],
    ],
    [
      'a number of the question that the evidence has another for',
      'The boiler runs at 999 bar.',
      'Does the boiler run at 999 bar?',
      'The boiler runs at 6.5 bar.',
      ['999'],
    ],
    [
      'what the evidence denies',
      'The indoor model needs grease.',
      'What does the indoor model need?',
      'The indoor model does not need grease, only dusting.',
      ['needs'],
    ],
    [
      'the denial of what the evidence says',
      'The seal isn’t replaced yearly.',
      'Is the seal replaced?',
      'The seal is replaced yearly by the caretaker.',
      ['replaced'],
    ],
  ])('refuses %s', (_, wording, question, evidence, missing) => {
    expect(checkWording(wording, [evidence], question)).toMatchObject({ supported: false, missing });
  });

  it('takes neither "not only" nor an answer of "No" for a denial', () => {
    const evidence = ['Not only the seal is replaced yearly, but the filter too.'];
    expect(checkWording('The seal and the filter', evidence, 'What is replaced?')).toMatchObject({ supported: true });
    expect(checkWording('No, yearly.', evidence, 'Is the seal replaced monthly?')).toMatchObject({ supported: true });
  });

  it('finds no support in a wording without a word that counts', () => {
    for (const wording of ['', ' \n', '...', 'the of it']) expect(check(wording).supported).toBe(false);
  });

  it('accepts every run of the evidence’s own words that holds the number asked for', () => {
    const words = EVIDENCE[0]!.split(' ');
    const months = words.indexOf('6');
    fc.assert(
      fc.property(fc.nat(months), fc.nat(words.length - months - 1), (from, more) => {
        const wording = words.slice(from, months + more + 1).join(' ');
        expect(check(wording)).toEqual({ supported: true, share: 1, missing: [] });
      }),
    );
  });
});

describe('cite', () => {
  const strong = evidenceOf(EVIDENCE[0]!, { chunkId: 'a' });
  const other = evidenceOf('Indoors it needs nothing.', { chunkId: 'b' });
  const weak = evidenceOf('Paint is optional.', { chunkId: 'c' });

  it('cites the sentences that hold the text, strongest first', () => {
    const citations = cite('6 months, or 12 indoors', [weak, other, strong], 'How often does it need grease?');
    expect(citations.map(({ chunkId, support }) => [chunkId, support])).toEqual([
      ['a', 1],
      ['b', 0.25],
    ]);
  });

  it('always cites something where there is evidence', () => {
    expect(cite('Nothing in common', [weak], 'why').map(({ chunkId }) => chunkId)).toEqual(['c']);
    expect(cite('x', [], 'why')).toEqual([]);
  });

  it('counts only what the question did not say already', () => {
    expect(supportShare('The Gable: 6 months', 'The Gable is green.', 'How often does the Gable…')).toBe(0);
    expect(supportShare('Gable', 'The Gable is green.', 'Gable')).toBe(1);
  });

  it('gives no full support to words that the quote contradicts, though the question says them', () => {
    const quote = 'The virus has a single-stranded genome.';
    expect(supportShare('a double-stranded genome', quote, 'Is it double-stranded?')).toBe(0.5);
  });
});
