/**
 * Streaming reader of delimited text (RFC 4180 and what is met in the wild). DuckDB's own reader is faster, but drops or
 * pads what it can't read and renames doubled headers; here every record keeps its number, its line and what is wrong
 * with it, since a report has to name it. States of a record: before a cell, in a plain cell, inside quotes, after a
 * quote that may be the closing one or the first of a doubled one, after the closing one.
 */
export interface DelimitedRecord {
  /** Number of the record, 1 for the first (a header counts). */
  number: number;
  /** Line of the file on which the record begins, from 1. */
  line: number;
  cells: string[];
  /** Set when quotation marks are wrong; the cells are then a best effort. */
  fault: 'text-after-quote' | 'unclosed-quote' | null;
}

interface DelimitedOptions {
  /** null: the whole line is one cell. */
  delimiter: string | null;
  /** Whether `"` opens a cell that may hold delimiters and line ends. */
  quotes: boolean;
  /** Longest record in UTF-16 units. */
  maxRecord: number;
}

/** A record grew beyond `maxRecord`: a file of another kind, or a quotation mark that is never closed. */
export class RecordTooLong extends Error {
  constructor(
    readonly line: number,
    readonly insideQuotes: boolean,
  ) {
    super(`record at line ${line} is too long`);
  }
}

const LF = 10;
const CR = 13;
const QUOTE = 34;

const enum State {
  CellStart,
  Plain,
  Quoted,
  QuoteInQuoted,
  AfterQuoted,
}

export class DelimitedReader {
  #state: State = State.CellStart;
  #cells: string[] = [];
  #cell = '';
  #size = 0;
  #fault: DelimitedRecord['fault'] = null;
  #number = 0;
  #line = 1;
  #recordLine = 1;
  #skipLineFeed = false;
  readonly #delimiter: number;

  constructor(private readonly options: DelimitedOptions) {
    this.#delimiter = options.delimiter?.charCodeAt(0) ?? -1;
  }

  /** The records that `chunk` completes. Lines without any character are no records. @throws RecordTooLong */
  // whole: the state machine that each character of an import goes through.
  push(chunk: string): DelimitedRecord[] {
    const records: DelimitedRecord[] = [];
    let from = 0;
    const take = (to: number) => {
      if (to > from) this.#grow(chunk.slice(from, to));
    };
    for (let i = 0; i < chunk.length; i++) {
      const code = chunk.charCodeAt(i);
      if (this.#skipLineFeed) {
        this.#skipLineFeed = false;
        if (code === LF) {
          from = i + 1;
          continue;
        }
      }
      if (this.#state === State.Quoted) {
        if (code === QUOTE) {
          take(i);
          this.#state = State.QuoteInQuoted;
          from = i + 1;
        } else if (code === LF || (code === CR && i + 1 < chunk.length && chunk.charCodeAt(i + 1) !== LF)) this.#line++;
        continue;
      }
      if (code === QUOTE && this.#state === State.QuoteInQuoted) {
        this.#grow('"');
        this.#state = State.Quoted;
        from = i + 1;
      } else if (code === QUOTE && this.#state === State.CellStart && this.options.quotes) {
        this.#state = State.Quoted;
        from = i + 1;
      } else if (code === this.#delimiter) {
        take(i);
        this.#endCell();
        from = i + 1;
      } else if (code === LF || code === CR) {
        take(i);
        this.#endRecord(records);
        this.#skipLineFeed = code === CR;
        from = i + 1;
      } else if (this.#state === State.CellStart) this.#state = State.Plain;
      else if (this.#state === State.QuoteInQuoted) {
        this.#state = State.AfterQuoted;
        this.#fault = 'text-after-quote';
      }
    }
    take(chunk.length);
    return records;
  }

  /** The last record, if the text doesn't end with a line end. */
  end(): DelimitedRecord[] {
    const records: DelimitedRecord[] = [];
    if (this.#state === State.Quoted) this.#fault = 'unclosed-quote';
    if (this.#state !== State.CellStart || this.#cells.length > 0) this.#endRecord(records);
    return records;
  }

  #grow(text: string): void {
    this.#cell += text;
    this.#size += text.length;
    if (this.#size > this.options.maxRecord) throw new RecordTooLong(this.#recordLine, this.#state === State.Quoted);
  }

  #endCell(): void {
    this.#cells.push(this.#cell);
    this.#cell = '';
    this.#state = State.CellStart;
  }

  #endRecord(records: DelimitedRecord[]): void {
    const blank = this.#cells.length === 0 && this.#state === State.CellStart;
    if (!blank) {
      this.#endCell();
      records.push({ number: ++this.#number, line: this.#recordLine, cells: this.#cells, fault: this.#fault });
    }
    this.#cells = [];
    this.#state = State.CellStart;
    this.#fault = null;
    this.#size = 0;
    this.#recordLine = ++this.#line;
  }
}

/** Reads a whole text at once: for samples and tests. */
export function readDelimited(text: string, options: Omit<DelimitedOptions, 'maxRecord'>): DelimitedRecord[] {
  const reader = new DelimitedReader({ ...options, maxRecord: Number.POSITIVE_INFINITY });
  return [...reader.push(text), ...reader.end()];
}
