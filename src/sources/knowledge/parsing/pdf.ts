import { getDocumentProxy, getMeta } from 'unpdf';
import { GraftError } from '../../../kernel/errors.js';
import { DocumentBuilder } from './builder.js';
import type { BinaryFormat, ParsedDocument } from './document.js';
import { unwrap } from './lines.js';
import { toLines, type PdfLine, type TextItem } from './pdf-lines.js';
import { continuedTable, continuesCell, isRow, pdfTable, type PdfTable } from './pdf-tables.js';
import { withoutRunningLines } from './running-lines.js';

export const pdf: BinaryFormat = {
  kind: 'binary',
  name: 'pdf',
  label: 'PDF',
  mediaType: 'application/pdf',
  aliases: ['application/x-pdf'],
  extensions: ['pdf'],
  // Some writers put a few bytes before the header, and readers take it; plain text may speak of "%PDF-" too.
  sniff: (head, claimed) => head.startsWith('%PDF-') || (claimed && head.includes('%PDF-')),
  parse: (bytes, name) => parsePdf(new Uint8Array(bytes), name),
};

const MAX_PAGES = 5_000;
/** Lines this much taller than the body's type are headings. */
const HEADING_RATIO = 1.15;
const MAX_HEADING_LENGTH = 160;
/** A gap between base lines this much larger than the page's usual one starts a paragraph. */
const PARAGRAPH_RATIO = 1.35;

/** The part of pdf.js that is used; unpdf's own types need a package that it does not bring along. */
interface Pdf {
  numPages: number;
  getPage(number: number): Promise<{
    /** Left, bottom, right, top in points. */
    view: number[];
    getTextContent(): Promise<{ items: object[] }>;
    cleanup(): void;
  }>;
}

/**
 * PDF, page by page: lines become paragraphs by their gaps and headings by their type size; running heads and page
 * numbers are dropped.
 * @throws DOCUMENT_UNREADABLE when it is damaged, encrypted, or holds pictures of text only
 */
async function parsePdf(bytes: Uint8Array, name: string): Promise<ParsedDocument> {
  const document = await open(bytes);
  if (document.numPages > MAX_PAGES)
    throw new GraftError(
      'PAYLOAD_TOO_LARGE',
      `The PDF has ${document.numPages} pages; at most ${MAX_PAGES} are taken.`,
    );
  const pages: PdfLine[][] = [];
  for (let number = 1; number <= document.numPages; number += 1) {
    const page = await document.getPage(number);
    const content = await page.getTextContent();
    const items = content.items.filter((item): item is TextItem => 'str' in item);
    pages.push(toLines(items, page.view));
    page.cleanup();
  }
  const builder = new DocumentBuilder(pdf);
  const levels = headingLevels(pages);
  let unfinished: PdfTable | null = null;
  for (const [index, lines] of withoutRunningLines(pages).entries()) {
    builder.startPage(index + 1);
    unfinished = addPage(builder, lines, levels, unfinished);
  }
  const title = await titleOf(document);
  return builder.finish({
    title,
    fallbackTitle: name,
    pages: document.numPages,
    emptyHint: 'It may be a scan: run text recognition over it first.',
  });
}

/** The title in the file's metadata, unless a program put its own words or a file name there. */
async function titleOf(document: Pdf): Promise<string | undefined> {
  const meta: { info: Record<string, unknown> } = await getMeta(document as never).catch(() => ({ info: {} }));
  const title = meta.info['Title'];
  if (typeof title !== 'string' || /^untitled|\.\w{2,4}$|^microsoft word/i.test(title.trim())) return undefined;
  return title;
}

async function open(bytes: Uint8Array): Promise<Pdf> {
  try {
    const options = { isEvalSupported: false, stopAtErrors: false, verbosity: 0 };
    const document: unknown = await getDocumentProxy(bytes, options);
    return document as Pdf;
  } catch (cause) {
    const encrypted = cause instanceof Error && cause.name === 'PasswordException';
    throw new GraftError(
      'DOCUMENT_UNREADABLE',
      encrypted ? 'The PDF is protected by a password.' : 'The file is not a readable PDF.',
      { cause, hint: encrypted ? 'Save it without a password.' : undefined },
    );
  }
}

/** Type sizes (tenths of a point) above the body's, largest first: their place is the heading level. */
function headingLevels(pages: readonly PdfLine[][]): Map<number, number> {
  const characters = new Map<number, number>();
  for (const line of pages.flat()) {
    const size = Math.round(line.size * 10);
    characters.set(size, (characters.get(size) ?? 0) + line.text.length);
  }
  const body = [...characters].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 0;
  const larger = [...characters.keys()].filter((size) => size >= body * HEADING_RATIO).sort((a, b) => b - a);
  return new Map(larger.map((size, index) => [size, Math.min(6, index + 1)]));
}

/**
 * Adds the blocks of a page.
 * @param previousTable the table that the page before ends with
 * @returns the table that this one ends with
 */
function addPage(
  builder: DocumentBuilder,
  lines: readonly PdfLine[],
  levels: ReadonlyMap<number, number>,
  previousTable: PdfTable | null,
): PdfTable | null {
  const gap = usualGap(lines);
  const tableAt = (index: number) =>
    (index === 0 && previousTable !== null && continuedTable(lines, previousTable, PARAGRAPH_RATIO * gap)) ||
    pdfTable(lines, index, PARAGRAPH_RATIO * gap);
  let group: PdfLine[] = [];
  const flush = () => {
    addGroup(builder, group, levels);
    group = [];
  };
  for (let i = 0; i < lines.length; i += 1) {
    const table = tableAt(i);
    if (table !== null) {
      flush();
      builder.block('table', table.text);
      i += table.lines - 1;
      if (i === lines.length - 1) return table;
      continue;
    }
    const line = lines[i] as PdfLine;
    const previousLine = group.at(-1);
    if (previousLine !== undefined) {
      const distance = previousLine.y - line.y;
      const otherSize = Math.abs(previousLine.size - line.size) > 0.1 * previousLine.size;
      if (otherSize || distance < 0 || distance > PARAGRAPH_RATIO * Math.max(gap, line.size)) flush();
    }
    group.push(line);
  }
  flush();
  return null;
}

/** Adds lines that belong together, as a heading or a paragraph. */
function addGroup(builder: DocumentBuilder, group: readonly PdfLine[], levels: ReadonlyMap<number, number>): void {
  const first = group[0];
  if (first === undefined) return;
  const level = levels.get(Math.round(first.size * 10));
  const joined = group.map((line) => line.text).join(' ');
  if (level !== undefined && joined.length <= MAX_HEADING_LENGTH) builder.heading(level, joined);
  else builder.block('paragraph', runsOf(group).map(unwrapped).join('\n'));
}

/** Lines that a margin may have broken; a row of cells stands alone, but for what goes on with its last cell. */
function runsOf(lines: readonly PdfLine[]): PdfLine[][] {
  const runs: PdfLine[][] = [];
  for (const line of lines) {
    const previousLine = runs.at(-1)?.at(-1);
    if (previousLine !== undefined && !isRow(line) && (!isRow(previousLine) || continuesCell(previousLine, line)))
      runs.at(-1)!.push(line);
    else runs.push([line]);
  }
  return runs;
}

const unwrapped = (lines: readonly PdfLine[]): string =>
  unwrap(
    lines.map((line) => line.text),
    lines.map((line) => line.width),
    20 * lines[0]!.size,
  );

/** The lower quartile: most gaps are between lines of one paragraph, and none is smaller. */
function usualGap(lines: readonly PdfLine[]): number {
  const gaps = lines
    .slice(1)
    .map((line, index) => (lines[index]?.y ?? 0) - line.y)
    .filter((gap) => gap > 1)
    .sort((a, b) => a - b);
  return gaps[Math.floor(gaps.length / 4)] ?? 0;
}
