import { DocumentBuilder, cleanText } from './builder.js';
import type { ParsedDocument } from './document.js';
import { unwrap } from './lines.js';

/** Plain text: blank lines separate paragraphs; hard-wrapped lines are joined; it has no headings. */
export function parseText(source: string, name: string, notes: string[] = []): ParsedDocument {
  const builder = new DocumentBuilder('text');
  notes.forEach((note) => builder.note(note));
  for (const paragraph of cleanText(source).split(/\n[^\S\n]*\n\s*?(?=\S|$)/)) {
    const lines = paragraph.split('\n').filter((line) => line.trim() !== '');
    // `Math.max(...widths)` of one giant paragraph would overflow the stack.
    for (let from = 0; from < lines.length; from += 10_000)
      builder.block('paragraph', unwrap(lines.slice(from, from + 10_000)));
  }
  return builder.finish({ fallbackTitle: name });
}
