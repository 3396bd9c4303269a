import fc from 'fast-check';
import { cite } from '../../../src/answer/ask/word/cite.js';
import { checkWording, supportShare } from '../../../src/answer/ask/word/verify.js';
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

  it.each([
    ['Yes, refunds are allowed within 30 days.', 'Refunds are allowed within 30 days.', 'Are refunds allowed?'],
    ['Yes', 'Refunds are allowed within 30 days.', 'Are refunds allowed?'],
    ['yes\n30 days', 'Refunds are allowed within 30 days.', 'Are refunds allowed?'],
    ['Sí, 30 días.', 'La devolución se admite 30 días.', '¿Se admite la devolución?'],
    ['Sí', 'La devolución se admite 30 días.', '¿Se admite la devolución?'],
    ['Ja, nach 30 Tagen.', 'Die Miete kann nach 30 Tagen gekündigt werden.', 'Kann ich die Miete kündigen?'],
    ['Oui', 'Les chiens sont admis.', 'Les chiens sont-ils admis ?'],
    ['No', 'Refunds are not allowed.', 'Are refunds allowed?'],
    ['No.', 'Refunds are not allowed.', 'Aren’t refunds allowed?'],
    ['No deposit is needed.', 'No deposit is needed.', 'Is there a deposit?'],
    ['no', 'The seal is replaced yearly.', 'Is the seal replaced monthly?'],
    ['No, you cannot return it.', 'Opened goods can’t be returned.', 'Can I return an opened drill?'],
  ])('asks of no evidence that it says the yes or no of “%s”', (wording, evidence, question) => {
    expect(checkWording(wording, [evidence], question)).toMatchObject({ supported: true, missing: [] });
  });

  it.each([
    ['Yes, refunds are allowed.', 'Refunds are not allowed.', 'Are refunds allowed?', ['Yes', 'allowed']],
    ['Yes.', 'Refunds are not allowed.', 'Are refunds allowed?', ['Yes']],
    ['yes', 'The boiler runs at 6.5 bar.', 'Does the boiler run at 999 bar?', ['yes']],
    ['Yes, the boiler runs.', 'The boiler runs at 6.5 bar.', 'Does the boiler run at 999 bar?', ['Yes']],
    ['no', 'Refunds are allowed within 30 days.', 'Are refunds allowed?', ['no']],
    ['You cannot return it.', 'Opened goods can be returned.', 'Can I return an opened drill?', ['return']],
  ])('refuses “%s” where the evidence is “%s”', (wording, evidence, question, missing) => {
    expect(checkWording(wording, [evidence], question)).toMatchObject({ supported: false, missing });
  });

  it.each([
    ['the pump stops', 'When the power fails the pump stops and alarm 7 sounds.', 'What happens when the power fails?'],
    ['The landlord.', 'From day 1 the landlord is responsible.', 'Who is responsible when the lease ends?'],
    ['the pump stops', 'The pump stops and alarm 7 sounds.', 'When the power fails, what happens?'],
    ['La pompe', 'La pompe et l’alarme 7 se déclenchent.', 'Que se passe-t-il quand le courant manque ?'],
  ])('asks for no number where “when” begins a clause: “%s”', (wording, evidence, question) => {
    expect(checkWording(wording, [evidence], question)).toMatchObject({ supported: true });
  });

  it.each([
    'When does the shop open?',
    'Since when is the shop open?',
    'Can you tell me when the shop opens?',
    'Who opens the shop, and when?',
    '¿Desde cuándo abre the shop?',
  ])('asks for a number where “when” asks: “%s”', (question) => {
    const evidence = ['The shop opens at 9 every morning.'];
    expect(checkWording('Every morning.', evidence, question)).toMatchObject({ supported: false });
    expect(checkWording('At 9.', evidence, question)).toMatchObject({ supported: true });
  });

  it.each([
    ['1500', 'It costs 1,500.00 a year.'],
    ['12', 'It costs 12.00 a month.'],
    ['3.5', 'Es wiegt 3,5 kg.'],
    ['1500', 'Es kostet 1.500,00 EUR.'],
    ['1250', 'Es kostet 1.250 EUR.'],
    ['12', 'It weighs 12kg.'],
    ['12kg', 'It weighs 12.00 kg.'],
    ['1.25 litres', 'It holds 1.250 litres.'],
    ['1,500.00', 'It costs 1500 a year.'],
    ['0.5 bar', 'The pressure is 0,500 bar.'],
  ])('takes “%s” for the number in “%s”', (wording, evidence) => {
    expect(checkWording(wording, [evidence], 'How much?')).toEqual({ supported: true, share: 1, missing: [] });
  });

  it.each([
    ['1.5', 'It costs 1,500 a year.'],
    ['12', 'It costs 12,000 a year.'],
    ['12', 'It costs 12.000 a year.'],
    ['15', 'It costs 1,500.00 a year.'],
    ['3.5', 'Version 3.5.1 is the newest.'],
    ['5', 'It costs 0.5 a year.'],
  ])('doesn’t take “%s” for the number in “%s”', (wording, evidence) => {
    expect(checkWording(wording, [evidence], 'How much?')).toMatchObject({ supported: false, missing: [wording] });
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

  it('counts a number that the quote writes in another way', () => {
    expect(supportShare('1500', 'It costs 1,500.00 a year.', 'What does it cost?')).toBe(1);
  });

  it('gives no full support to words that the quote contradicts, though the question says them', () => {
    const quote = 'The virus has a single-stranded genome.';
    expect(supportShare('a double-stranded genome', quote, 'Is it double-stranded?')).toBe(0.5);
  });
});
