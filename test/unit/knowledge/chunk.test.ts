import fc from 'fast-check';
import { CHUNK_SIZE, chunkDocument } from '../../../src/sources/knowledge/chunking/chunk.js';
import { indexText } from '../../../src/sources/knowledge/indexing/lexical-text.js';
import { markdown as markdownFormat } from '../../../src/sources/knowledge/parsing/markdown.js';
import { text as textFormat } from '../../../src/sources/knowledge/parsing/text.js';

const sentence = 'The pump moves eleven litres of water a minute through the filter. ';

const parseMarkdown = (source: string, name: string) => markdownFormat.parse(source, name, []);
const parseText = (source: string, name: string) => textFormat.parse(source, name, []);

describe('chunkDocument', () => {
  it('cuts at headings and gives each chunk its path', () => {
    const document = parseMarkdown(
      `# Guide\n\n## Pump\n\n${sentence.repeat(5)}\n\n## Filter\n\n${sentence.repeat(5)}`,
      'guide.md',
    );
    const chunks = chunkDocument(document);
    expect(chunks.map((chunk) => chunk.headings)).toEqual([
      ['Guide', 'Pump'],
      ['Guide', 'Filter'],
    ]);
    expect(chunks[0]?.text.startsWith('Guide\n\nPump\n\nThe pump')).toBe(true);
  });

  it('cuts a long section at sentence ends into parts of like length', () => {
    const chunks = chunkDocument(parseText(sentence.repeat(40), 'long.txt'));
    const lengths = chunks.map((chunk) => chunk.text.length);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(CHUNK_SIZE.max);
    expect(Math.min(...lengths)).toBeGreaterThan(CHUNK_SIZE.target * 0.65);
    expect(chunks.every((chunk) => chunk.text.endsWith('.'))).toBe(true);
  });

  it('keeps a section that fits whole', () => {
    expect(chunkDocument(parseText(sentence.repeat(17).trim(), 'a.txt'))).toHaveLength(1);
  });

  it('joins tiny sibling sections under their common path', () => {
    const chunks = chunkDocument(parseMarkdown('# Terms\n\n## A\n\nOne.\n\n## B\n\nTwo.\n', 'a.md'));
    expect(chunks).toHaveLength(1);
    expect(chunks[0]?.headings).toEqual(['Terms']);
  });

  it('keeps a bare heading with the text below it, and sections of different parents apart', () => {
    const text = '# Notes\n\n## 2.0\n\nOut in May.\n\n### Fixed\n\nA fault.\n\n## 1.0\n\n### Fixed\n\nA leak.\n';
    expect(chunkDocument(parseMarkdown(text, 'a.md')).map(({ headings, text }) => [headings, text])).toEqual([
      [['Notes', '2.0'], 'Notes\n\n2.0\n\nOut in May.\n\nFixed\n\nA fault.'],
      [['Notes', '1.0', 'Fixed'], '1.0\n\nFixed\n\nA leak.'],
    ]);
  });

  it('covers everything, with exact offsets, within the limit, tearing no character', () => {
    const word = fc.oneof(
      { weight: 6, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }) },
      { weight: 2, arbitrary: fc.constantFrom('. ', '! ', ' ', '\n', '\n\n', '\n# ', '\n## ', '\n- ', '| a | b |\n') },
      { weight: 1, arbitrary: fc.nat(3_000).map((n) => '😀'.repeat(n)) },
      { weight: 1, arbitrary: fc.nat(3_000).map((n) => 'x'.repeat(n)) },
      { weight: 1, arbitrary: fc.nat(60).map((n) => sentence.repeat(n)) },
    );
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 30 }), fc.boolean(), (words, markdown) => {
        const source = 'Start ' + words.join('');
        const document = markdown ? parseMarkdown(source, 'a.md') : parseText(source, 'a.txt');
        let end = 0;
        chunkDocument(document).forEach((chunk, ordinal) => {
          expect(chunk.ordinal).toBe(ordinal);
          expect(chunk.text).toBe(document.text.slice(chunk.start, chunk.end));
          expect(chunk.text.length).toBeLessThanOrEqual(CHUNK_SIZE.max);
          expect(chunk.text.isWellFormed()).toBe(true);
          expect(document.text.slice(end, chunk.start).trim()).toBe('');
          end = chunk.end;
        });
        expect(document.text.slice(end).trim()).toBe('');
      }),
      { numRuns: 150 },
    );
  });

  describe('for what reads so many tokens', () => {
    /** A token a word of letters or digits, and two that open and close the text; what it says of a text of formulas is as bad as can be. */
    const words = (text: string): number => 2 + (text.match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu)?.length ?? 0);
    const reader = { tokens: words, most: 60 };
    const formula = 'k_1 = (a+b)/(c-d)^2; x[3] ≤ {y}·z! '.repeat(12).trim();

    it('cuts no further what fits, and no less than before', () => {
      const document = parseText(`${sentence.repeat(3)}\n\n${sentence.repeat(2)}`, 'a.txt');
      expect(chunkDocument(document, { tokens: words, most: 256 })).toEqual(chunkDocument(document));
    });

    it('cuts what it would read in part only, at sentence ends where there are any', () => {
      const document = parseMarkdown(`# Guide\n\n## Pump\n\n${sentence.repeat(12)}`, 'a.md');
      expect(chunkDocument(document)).toHaveLength(1);
      const chunks = chunkDocument(document, reader);
      expect(chunks.length).toBeGreaterThan(2);
      for (const { text, headings } of chunks) {
        expect(words(text)).toBeLessThanOrEqual(reader.most);
        expect(headings).toEqual(['Guide', 'Pump']);
        expect(text.endsWith('.')).toBe(true);
      }
    });

    it('counts the headings that are embedded with a chunk, and gives up where they alone take the room', () => {
      const long = `${'Very long heading words '.repeat(30).trim()}`;
      const document = parseMarkdown(`# ${long}\n\n${sentence.repeat(10)}`, 'a.md');
      const chunks = chunkDocument(document, reader);
      expect(chunks.length).toBeLessThan(15);
      expect(chunks.map(({ text }) => text.length).every((length) => length >= 60)).toBe(true);
    });

    it('fits each chunk that it can, with exact offsets and everything in it', () => {
      const part = fc.oneof(
        fc.nat({ max: 20 }).map((n) => sentence.repeat(n)),
        fc.nat({ max: 4 }).map((n) => `${formula}\n\n`.repeat(n)),
        fc.constantFrom('\n\n## Next\n\n', '\n\n- item\n', '中文字'.repeat(200)),
      );
      fc.assert(
        fc.property(fc.array(part, { minLength: 1, maxLength: 12 }), (parts) => {
          const document = parseMarkdown('# Start\n\nA line. ' + parts.join(''), 'a.md');
          let end = 0;
          for (const chunk of chunkDocument(document, reader)) {
            expect(chunk.text).toBe(document.text.slice(chunk.start, chunk.end));
            expect(document.text.slice(end, chunk.start).trim()).toBe('');
            expect(words(indexText(chunk)) <= reader.most || chunk.text.length <= 64).toBe(true);
            end = chunk.end;
          }
          expect(document.text.slice(end).trim()).toBe('');
        }),
        { numRuns: 100 },
      );
    });
  });
});
