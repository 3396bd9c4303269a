import { GraftError } from '../../../kernel/errors.js';
import type { Block, BlockKind, FormatDescription, ParsedDocument } from './document.js';

/** UTF-16 units of text that one document may hold: about 5,500 chunks. */
const MAX_TEXT_LENGTH = 5_000_000;
/** Every chunk carries its heading path, so a long "heading" would be stored many times over. */
const MAX_HEADING_LENGTH = 200;

/**
 * Text as every store keeps it: NUL and other controls become spaces, lone surrogates U+FFFD, line ends `\n`,
 * no-break spaces plain ones, soft hyphens and byte order marks vanish.
 */
export const cleanText = (text: string): string =>
  text
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
    .replace(/[\u00ad\ufeff\u200b]/g, '')

    .replace(/[\0-\b\v\f\x0e-\x1f\x7f-\x9f\u00a0\u2007\u202f]/g, ' ')
    .toWellFormed();

/** One line: runs of white space become one space. */
export const collapse = (text: string): string => cleanText(text).replace(/\s+/g, ' ').trim();

const cut = (text: string, length: number): string =>
  text.length <= length ? text : text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '') + '…';

function checkLength(length: number): void {
  if (length > MAX_TEXT_LENGTH)
    throw new GraftError(
      'PAYLOAD_TOO_LARGE',
      `The document's text has more than ${MAX_TEXT_LENGTH.toLocaleString('en')} characters.`,
      { hint: 'Split it into several documents.' },
    );
}

/** Collects the blocks of a document in order, and keeps offsets and heading path right. */
export class DocumentBuilder {
  private readonly parts: string[] = [];
  private length = 0;
  private readonly blocks: Block[] = [];
  private path: { level: number; text: string }[] = [];
  private page: number | null = null;
  private readonly notes: string[] = [];

  constructor(private readonly format: Pick<FormatDescription, 'name' | 'mediaType'>) {}

  note(sentence: string): void {
    this.notes.push(sentence);
  }

  startPage(page: number): void {
    this.page = page;
  }

  /** Opens a section: what follows lies under it until a heading of the same or an outer level (1..6). */
  heading(level: number, text: string): void {
    const line = collapse(text);
    if (line === '') return;
    this.path = [
      ...this.path.filter((heading) => heading.level < level),
      { level, text: cut(line, MAX_HEADING_LENGTH) },
    ];
    this.add('heading', line);
  }

  /** Adds text as it stands but for cleaning; lines that matter (list items, table rows) are separated by `\n`. */
  block(kind: Exclude<BlockKind, 'heading'>, text: string): void {
    this.add(
      kind,
      cleanText(text)
        .replace(/[^\S\n]+$/gm, '')
        .replace(/\n{3,}/g, '\n\n')
        .replace(/^\n+|\s+$/g, ''),
    );
  }

  /** Takes a whole text without headings as it stands, so that offsets in it are those of whoever wrote it. Nothing else may be added. */
  whole(text: string, paragraphs: readonly { start: number; end: number }[]): void {
    const end = paragraphs.at(-1)?.end ?? 0;
    checkLength(end);
    this.parts.push(text.slice(0, end));
    for (const place of paragraphs) this.blocks.push({ kind: 'paragraph', ...place, headings: [], page: this.page });
  }

  private add(kind: BlockKind, text: string): void {
    if (text.trim() === '') return;
    const separator = this.blocks.length === 0 ? '' : '\n\n';
    const start = this.length + separator.length;
    const end = start + text.length;
    checkLength(end);
    this.parts.push(separator, text);
    this.length = end;
    this.blocks.push({ kind, start, end, headings: this.path.map((heading) => heading.text), page: this.page });
  }

  /** @throws DOCUMENT_UNREADABLE when nothing was added */
  finish(options: { title?: string; fallbackTitle: string; pages?: number; emptyHint?: string }): ParsedDocument {
    if (this.blocks.length === 0)
      throw new GraftError('DOCUMENT_UNREADABLE', 'The document holds no text.', { hint: options.emptyHint });
    const firstHeading = this.blocks.find((block) => block.kind === 'heading')?.headings.at(-1);
    const title = collapse(options.title ?? '') || firstHeading || options.fallbackTitle;
    return {
      format: this.format.name,
      mediaType: this.format.mediaType,
      title: cut(collapse(title), MAX_HEADING_LENGTH),
      text: this.parts.join(''),
      blocks: this.blocks,
      pages: options.pages ?? null,
      notes: this.notes,
    };
  }
}
