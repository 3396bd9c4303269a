/** What users are told of a format, and what names and media types claim it. */
export interface FormatDescription {
  readonly name: string;
  readonly label: string;
  readonly mediaType: string;
  /** Other media types that browsers and tools send for it. */
  readonly aliases: readonly string[];
  readonly extensions: readonly string[];
}

/** A format that its first bytes prove. */
export interface BinaryFormat extends FormatDescription {
  readonly kind: 'binary';
  /** @param head the first 1,024 bytes as Latin-1; @param claimed whether the file is called one */
  sniff(head: string, claimed: boolean): boolean;
  /** @throws NotThisFormat when the bytes turn out to be another kind of file; GraftError */
  parse(bytes: Buffer, name: string): Promise<ParsedDocument>;
}

/** A format of text. */
export interface TextFormat extends FormatDescription {
  readonly kind: 'text';
  /** Whether a text that begins so is of this format, whatever it is called. */
  sniff(start: string): boolean;
  /** Whether a text that nobody says anything about looks like it. */
  resembles(text: string): boolean;
  /** @param notes what was noticed while it was decoded */
  parse(text: string, name: string, notes: string[]): ParsedDocument;
}

/** Everything that is known of a kind of file. */
export type DocumentFormat = BinaryFormat | TextFormat;

/** Thrown by a parser that was given another kind of file than its sniffing promised. */
export class NotThisFormat extends Error {
  /** @param what the file is instead, e.g. `a ZIP archive` */
  constructor(readonly what: string) {
    super(`The file is ${what}.`);
  }
}

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
  /** Name of its format. */
  format: string;
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
