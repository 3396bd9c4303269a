/** The kinds of file that a parser takes. */
export type DocumentFormat = 'text' | 'markdown' | 'html' | 'pdf' | 'docx';

export interface FormatEntry {
  readonly label: string;
  readonly mediaType: string;
  /** Other media types that browsers and tools send for it. */
  readonly aliases: readonly string[];
  readonly extensions: readonly string[];
}

export const FORMATS: { readonly [K in DocumentFormat]: FormatEntry } = {
  text: { label: 'plain text', mediaType: 'text/plain', aliases: [], extensions: ['txt', 'text', 'log'] },
  markdown: {
    label: 'Markdown',
    mediaType: 'text/markdown',
    aliases: ['text/x-markdown', 'text/md'],
    extensions: ['md', 'markdown', 'mdown'],
  },
  html: {
    label: 'HTML',
    mediaType: 'text/html',
    aliases: ['application/xhtml+xml'],
    extensions: ['html', 'htm', 'xhtml'],
  },
  pdf: { label: 'PDF', mediaType: 'application/pdf', aliases: ['application/x-pdf'], extensions: ['pdf'] },
  docx: {
    label: 'DOCX',
    mediaType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    aliases: [],
    extensions: ['docx'],
  },
};

/** `plain text (text/plain), Markdown (text/markdown), …`: what a refusal tells the user. */
export const takenFormats = (): string =>
  Object.values(FORMATS)
    .map((format) => `${format.label} (${format.mediaType})`)
    .join(', ');

export type BlockKind = 'heading' | 'paragraph' | 'list' | 'table' | 'code';

/** A stretch of the document's text that belongs together; blocks are in order and don't overlap. */
export interface Block {
  kind: BlockKind;
  /** UTF-16 offsets into `ParsedDocument.text`. */
  start: number;
  end: number;
  /** Headings above it, outermost first; a heading's own block ends with itself. */
  headings: string[];
  /** 1-based; null where the format has no pages. */
  page: number | null;
}

/** What every parser returns: the text that search, citations and offsets speak of. */
export interface ParsedDocument {
  format: DocumentFormat;
  mediaType: string;
  title: string;
  text: string;
  blocks: Block[];
  /** Number of pages; null where the format has none. */
  pages: number | null;
  /** What the user should know about the reading, e.g. the character encoding that was assumed. */
  notes: string[];
}

/** What a caller says about a file; its content decides. */
export interface DocumentClaim {
  name: string;
  mediaType: string | null;
}
