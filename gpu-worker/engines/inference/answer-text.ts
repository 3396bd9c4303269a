/** Tokens that may pass without completing a character, which has at most four bytes: after so many the bytes are no text. */
const MAX_STALLED_TOKENS = 8;
/** What decoding makes of the beginning of a character that is not whole yet. */
const UNFINISHED = /\ufffd+$/;

/**
 * Turns tokens into text. A token may end in the middle of a character; what is whole leaves at once, the rest waits for its
 * end, so no delta holds half a character. `decode` gets the new tokens and the ones before them, which some vocabularies
 * need for spaces.
 */
export class TokenText<T> {
  /** Tokens since the text last ended with a whole character; the first `sent` UTF-16 units of their text have left. */
  private pending: T[] = [];
  private sent = 0;
  private stalled = 0;

  constructor(
    private readonly decode: (tokens: readonly T[], before: readonly T[]) => string,
    private before: readonly T[],
  ) {}

  next(token: T): string {
    this.pending.push(token);
    const text = this.decode(this.pending, this.before);
    const whole = text.replace(UNFINISHED, '');
    this.stalled = whole.length > this.sent ? 0 : this.stalled + 1;
    if (whole.length === text.length || this.stalled >= MAX_STALLED_TOKENS) return this.settle(text);
    const piece = whole.slice(this.sent);
    this.sent = Math.max(this.sent, whole.length);
    return piece;
  }

  /** What is left when the answer ends, without the part of a character that never became whole. */
  end(): string {
    const text = this.pending.length === 0 ? '' : this.decode(this.pending, this.before);
    return this.settle(text).replace(UNFINISHED, '');
  }

  private settle(text: string): string {
    const piece = text.slice(this.sent);
    this.before = [...this.before, ...this.pending].slice(-4);
    this.pending = [];
    this.sent = 0;
    this.stalled = 0;
    return piece;
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
    const positions = this.stops.map((stop) => this.held.indexOf(stop)).filter((index) => index >= 0);
    if (positions.length > 0) {
      this.stopped = true;
      return this.take(Math.min(...positions));
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
