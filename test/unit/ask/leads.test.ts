import fc from 'fast-check';
import { withWhatFollows } from '../../../src/ask/read/leads.js';
import { contentStems } from '../../../src/ask/read/words.js';
import { splitSentences } from '../../../src/kernel/sentences.js';
import { evidenceOf, passageOf } from './support.js';

const LIST = 'Bring along:\n\n- a red torch\n- a blanket. Wool is best.\n  - or fleece\n\nNever leave it behind.';

describe('a sentence that leads to what was asked', () => {
  const START = 100;
  /** Evidence of the sentences that begin so, in this order, with what follows. */
  const quoted = (text: string, question: string, ...beginnings: string[]) => {
    const evidence = beginnings.map((beginning) => {
      const { start, end, text: quote } = splitSentences(text).find((each) => each.text.startsWith(beginning))!;
      return evidenceOf(quote, { start: START + start, end: START + end });
    });
    const found = withWhatFollows(evidence, [passageOf(text, { start: START })], contentStems(question));
    for (const { quote, start, end } of found) expect(text.slice(start - START, end - START)).toBe(quote);
    return found.map(({ quote }) => quote);
  };

  it('is quoted with the list that it opens, and with no more', () => {
    const list = 'Bring along:\n\n- a red torch\n- a blanket. Wool is best.\n  - or fleece';
    expect(quoted(LIST, 'What do I bring?', 'Bring')).toEqual([list]);
    expect(quoted('Do this:\n1. Stop.\n2. Go.\nThen rest.', 'What to do?', 'Do')).toEqual([
      'Do this:\n1. Stop.\n2. Go.',
    ]);
    expect(quoted('Prices:\n\nAdult: 9 €\nChild: 4 €', 'What are the prices?', 'Prices')).toEqual(['Prices:']);
  });

  it('is quoted with the next sentence of its paragraph where it says no more than the question', () => {
    const text = 'The roof was renewed. That was in 2014. It cost much.';
    expect(quoted(text, 'When was the roof renewed?', 'The roof')).toEqual(['The roof was renewed. That was in 2014.']);
    expect(quoted(text, 'When was the roof mended?', 'The roof')).toEqual(['The roof was renewed.']);
    expect(quoted('The roof was renewed.\nThat was in 2014.', 'When was the roof renewed?', 'The roof')).toEqual([
      'The roof was renewed.',
    ]);
  });

  it('takes in what ranks below it, and leaves what ranks above it by itself', () => {
    expect(quoted(LIST, 'What do I bring?', 'Bring', 'a red', 'Never')).toHaveLength(2);
    expect(quoted(LIST, 'What torch do I bring?', 'a red', 'Bring')).toEqual(['a red torch', 'Bring along:']);
  });

  it('goes no further than a quote may be long', () => {
    const items = Array.from({ length: 90 }, (_, i) => `- thing number ${i} of many`).join('\n');
    const [quote] = quoted(`Bring along:\n${items}`, 'What do I bring?', 'Bring');
    expect(quote!.length).toBeLessThanOrEqual(1_200);
    expect(quote!.length).toBeGreaterThan(1_100);
    expect(quote).toMatch(/ of many$/);
  });

  it('is quoted exactly, whatever text it stands in, and no two quotes hold the same', () => {
    const piece = fc.constantFrom('Bring:', 'roof', '. ', '\n', '\n\n', '- ', '1. ', ' ', 'x', '?');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), fc.nat(50), (pieces, start) => {
        const text = pieces.join('');
        const evidence = splitSentences(text).map((each) =>
          evidenceOf(each.text, { start: start + each.start, end: start + each.end }),
        );
        const found = withWhatFollows(evidence, [passageOf(text, { start })], new Set(['roof', 'bring']));
        for (const one of found) {
          expect(text.slice(one.start - start, one.end - start)).toBe(one.quote);
          for (const other of found)
            if (other !== one) expect(one.end <= other.start || other.end <= one.start).toBe(true);
        }
      }),
    );
  });
});
