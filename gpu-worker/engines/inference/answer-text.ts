/** Longest run of tokens that may wait for the rest of one character: a character has at most four bytes. */
const MAX_PENDING_TOKENS = 8;
const REPLACEMENT = '\ufffd';

/**
 * Turns tokens into text. A token may hold a part of a character only; nothing leaves until the character is whole, so
 * no delta ends in half a character. `decode` gets the new tokens and the ones before them, which some vocabularies need for spaces.
 */
export class TokenText<T> {
  private pending: T[] = [];

  constructor(
    private readonly decode: (tokens: readonly T[], before: readonly T[]) => string,
    private before: readonly T[],
  ) {}

  next(token: T): string {
    this.pending.push(token);
    const text = this.decode(this.pending, this.before);
    if (text.endsWith(REPLACEMENT) && this.pending.length < MAX_PENDING_TOKENS) return '';
    this.before = [...this.before, ...this.pending].slice(-4);
    this.pending = [];
    return text;
  }

  /** What is left when the answer ends, without the part of a character that never became whole. */
  end(): string {
    const text = this.pending.length === 0 ? '' : this.decode(this.pending, this.before);
    this.pending = [];
    return text.replace(/\ufffd+$/, '');
  }
}

/** Ends an answer at the first of the stop texts, wherever the borders of tokens lie; no part of a stop text leaves. */
export class StopScanner {
  private held = '';
  stopped = false;

  constructor(private readonly stops: readonly string[]) {}

  /** @returns the text that is certain to belong to the answer */
  push(text: string): string {
    if (this.stopped) return '';
    this.held += text;
    const found = this.stops.map((stop) => this.held.indexOf(stop)).filter((index) => index >= 0);
    if (found.length > 0) {
      this.stopped = true;
      return this.take(Math.min(...found));
    }
    return this.take(this.held.length - this.longestBeginning());
  }

  /** @returns what was held back because it could have been the beginning of a stop text */
  end(): string {
    return this.stopped ? '' : this.take(this.held.length);
  }

  private take(length: number): string {
    const text = this.held.slice(0, length);
    this.held = this.held.slice(length);
    return text;
  }

  /** Length of the longest end of the held text with which a stop text begins. */
  private longestBeginning(): number {
    let longest = 0;
    for (const stop of this.stops)
      for (let length = Math.min(stop.length - 1, this.held.length); length > longest; length--)
        if (this.held.endsWith(stop.slice(0, length))) longest = length;
    return longest;
  }
}
