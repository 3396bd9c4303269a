import { DocumentBuilder } from './builder.js';
import type { ParsedDocument, TextFormat } from './document.js';
import { breaks } from './lines.js';

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

/** Lines that are looked at together: the arguments of one giant paragraph would overflow the stack. */
const LINES = 10_000;
const LINE = /[^\r\n]*(?:\r\n|\r|\n|$)/gy;

/**
 * Plain text: blank lines separate paragraphs; it has no headings. It is kept as it was sent, unit for unit, so that offsets
 * fit the sender's copy: a line break that a margin made becomes as much blank, and so does what no store or terminal takes.
 */
function parseText(source: string, name: string, notes: string[]): ParsedDocument {
  const builder = new DocumentBuilder(text);
  notes.forEach((note) => builder.note(note));
  const cleanText = source.replace(/[\0-\b\v\f\x0e-\x1f\x7f-\x84\x86-\x9f]/g, ' ').toWellFormed();
  const paragraphs = readParagraphs(cleanText);
  builder.whole(joined(cleanText, paragraphs), paragraphs.map(placeOf));
  return builder.finish({ fallbackTitle: name });
}

/** A line with its break. */
interface Line {
  start: number;
  text: string;
}

/** The lines of each paragraph, blank ones left out. */
function readParagraphs(source: string): Line[][] {
  const paragraphs: Line[][] = [];
  let open: Line[] = [];
  for (const { 0: line, index } of source.matchAll(LINE)) {
    const blank = line.trim() === '';
    if (!blank) open.push({ start: index, text: line });
    if (open.length > 0 && (blank || open.length === LINES)) {
      paragraphs.push(open);
      open = [];
    }
  }
  return open.length > 0 ? [...paragraphs, open] : paragraphs;
}

/** The text with blanks where a line was broken by its margin. */
function joined(source: string, paragraphs: readonly Line[][]): string {
  const parts: string[] = [];
  let position = 0;
  for (const lines of paragraphs) {
    const lineBreaks = breaks(lines.map((line) => line.text.trim()));
    for (const [index, { start }] of lines.entries()) {
      const previousLine = lines[index - 1];
      if (previousLine === undefined || lineBreaks[index] === 'meant') continue;
      const end = previousLine.start + previousLine.text.replace(/[\r\n]+$/, '').length;
      parts.push(source.slice(position, end), ' '.repeat(start - end));
      position = start;
    }
  }
  parts.push(source.slice(position));
  return parts.join('');
}

function placeOf(lines: readonly Line[]): { start: number; end: number } {
  const [first, last] = [lines[0]!, lines.at(-1)!];
  const lead = first.text.length - first.text.trimStart().length;
  return { start: first.start + lead, end: last.start + last.text.trimEnd().length };
}
