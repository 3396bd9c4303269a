import fc from 'fast-check';
import { withSurroundings } from '../../../src/ask/read/surroundings.js';
import { splitSentences } from '../../../src/kernel/sentences.js';

describe('a sentence as the reader is asked about it', () => {
  const shown = (text: string, quote: string, headings: string[] = []): string =>
    withSurroundings(
      { text, headings },
      splitSentences(text).find((each) => each.text.startsWith(quote))!,
    );

  it('stands under its heading and behind the sentence before it in the same paragraph', () => {
    const text = 'Blue pans are glazed.\nYellow pans caught the most animals. They were emptied daily.';
    expect(shown(text, 'They were', ['Traps', 'Pans'])).toBe(
      'Pans\nYellow pans caught the most animals.\nThey were emptied daily.',
    );
    expect(shown(text, 'Yellow', ['Pans'])).toBe('Pans\nYellow pans caught the most animals.');
  });

  it('stands without the row before, which has the same of another thing, but behind a question and a line that opens a list', () => {
    const rows = 'Model: S; Price: 5 €\nModel: M; Price: 7 €';
    expect(shown(rows, 'Model: M')).toBe('Model: M; Price: 7 €');
    expect(shown('May I pay in cash?\nOnly at the desk.', 'Only')).toBe('May I pay in cash?\nOnly at the desk.');
    expect(shown('Bring along:\n- your badge', 'your')).toBe('Bring along:\nyour badge');
  });

  it('stands behind what opens its list, whichever item it is, and not behind what opens another', () => {
    const list = 'Bring along:\n- your badge\n- a pen\n\nNever leave it behind.';
    expect(shown(list, 'a pen')).toBe('Bring along:\na pen');
    expect(shown(list, 'Never')).toBe('Never leave it behind.');
  });

  it('stands under the nearest heading, of text without marks and of sections that were joined as well', () => {
    const text = '1.5 Membership fee\n\nIt is 12 €.\n\n1.6 Late fees\nThey are waived.';
    expect(shown(text, 'It is', ['Rules'])).toBe('1.5 Membership fee\nIt is 12 €.');
    expect(shown(text, 'They', ['Rules'])).toBe('1.6 Late fees\nThey are waived.');
  });

  it('names a heading once that its passage begins with', () => {
    expect(shown('Opening hours:\nDaily from 9.', 'Daily', ['Opening hours:'])).toBe('Opening hours:\nDaily from 9.');
  });

  it('ends with the sentence, whatever text it stands in', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string(), { maxLength: 2 }), (text, headings) => {
        for (const sentence of splitSentences(text))
          expect(withSurroundings({ text, headings }, sentence).endsWith(sentence.text)).toBe(true);
      }),
    );
  });
});
