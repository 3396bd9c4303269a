import { DocumentBuilder, cleanText } from './builder.js';
import type { ParsedDocument, TextFormat } from './document.js';
import { unwrap } from './lines.js';

/** Last of the formats: any text that is nothing else. */
export const text: TextFormat = {
  kind: 'text',
  name: 'text',
  label: 'plain text',
  mediaType: 'text/plain',
  aliases: [],
  extensions: ['txt', 'text', 'log'],
  sniff: () => false,
  resembles: () => true,
  parse: parseText,
};

/** Plain text: blank lines separate paragraphs; hard-wrapped lines are joined; it has no headings. */
function parseText(source: string, name: string, notes: string[]): ParsedDocument {
  const builder = new DocumentBuilder(text);
  notes.forEach((note) => builder.note(note));
  for (const paragraph of cleanText(source).split(/\n[^\S\n]*\n\s*?(?=\S|$)/)) {
    const lines = paragraph.split('\n').filter((line) => line.trim() !== '');
    // `Math.max(...widths)` of one giant paragraph would overflow the stack.
    for (let from = 0; from < lines.length; from += 10_000)
      builder.block('paragraph', unwrap(lines.slice(from, from + 10_000)));
  }
  return builder.finish({ fallbackTitle: name });
}
