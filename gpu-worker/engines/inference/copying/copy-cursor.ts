import type { Token } from 'node-llama-cpp';
import { beginsWord, endsWord, isBlank, placesOf } from './borders.js';
import { toBytes, type Vocabulary } from './vocabulary.js';

/** Where an answer stands of which each token must be one of a few. A cursor stays where it is; `after` gives the next. */
export interface Cursor {
  /** Tokens that may come next. */
  readonly options: ReadonlyMap<Token, unknown>;
  /** Whether the answer may end here. */
  readonly mayEnd: boolean;
  /** Whether what was said so far can be given out, because nothing in it is half said. */
  readonly isWhole: boolean;
  /** Whether a token leads into the refusal. */
  refuses(token: Token): boolean;
  /** What will probably be said next, so that several places can be evaluated at once; empty where nothing is likely. */
  draft(): readonly Token[];
  /** @param token one of `options` */
  after(token: Token): Cursor;
}

/** A text of which a span may be copied. Offsets count bytes; a byte is one character of `bytes`. */
interface Source {
  bytes: string;
  begins: readonly number[];
  ends: ReadonlySet<number>;
  refusal: boolean;
}

/** How far into a source the copy has come. */
interface Place {
  source: Source;
  at: number;
}

/**
 * Where an answer stands that may only be a contiguous span of one of the texts, from one word's beginning to another's end, or
 * the refusal. All places are kept at which what was said so far could stand, so the next token is free as long as the texts are.
 */
export class CopyCursor implements Cursor {
  private next: Map<Token, Place[]> | null = null;

  private constructor(
    private readonly vocabulary: Vocabulary,
    private readonly places: readonly Place[],
    private readonly atStart: boolean,
  ) {}

  static over(
    vocabulary: Vocabulary,
    { texts, refusal }: { texts: readonly string[]; refusal: string | null },
  ): CopyCursor {
    const sources = [...texts.map(spans), ...(refusal === null ? [] : [whole(refusal)])];
    const places = sources.flatMap((source) => source.begins.map((position) => ({ source, at: position })));
    return new CopyCursor(vocabulary, places, true);
  }

  get options(): ReadonlyMap<Token, readonly Place[]> {
    return (this.next ??= this.findNext());
  }

  get mayEnd(): boolean {
    return !this.atStart && this.places.some(({ source, at }) => source.ends.has(at));
  }

  get isWhole(): boolean {
    return this.mayEnd;
  }

  refuses(token: Token): boolean {
    return this.options.get(token)?.some(({ source }) => source.refusal) ?? false;
  }

  draft(): readonly Token[] {
    return [];
  }

  after(token: Token): CopyCursor {
    return new CopyCursor(this.vocabulary, placesAfter(this, token), false);
  }

  private findNext(): Map<Token, Place[]> {
    const next = new Map<Token, Place[]>();
    for (const { source, at } of this.places) {
      const longest = Math.min(this.vocabulary.longest, source.bytes.length - at);
      for (let length = 1; length <= longest; length++) {
        const token = this.vocabulary.tokens.get(source.bytes.slice(at, at + length));
        if (token === undefined) continue;
        const place = { source, at: at + length };
        const cursors = next.get(token);
        if (cursors) cursors.push(place);
        else next.set(token, [place]);
      }
    }
    return next;
  }
}

export function placesAfter<P>({ options }: { options: ReadonlyMap<Token, readonly P[]> }, token: Token): readonly P[] {
  const places = options.get(token);
  if (places === undefined) throw new Error('a token was chosen that is no option');
  return places;
}

/** Begins at words or at the space before one, which is part of the first token of a word in most vocabularies; ends after words. */
function spans(text: string): Source {
  const places = placesOf(text);
  const begins = places.filter((place) => beginsWord(place) || (isBlank(place.after) && !isBlank(place.before)));
  const ends = places.filter(endsWord);
  return {
    bytes: toBytes(text),
    begins: begins.map(({ bytes }) => bytes),
    ends: new Set(ends.map(({ bytes }) => bytes)),
    refusal: false,
  };
}

/** Begins at its beginning and ends at its end. */
function whole(text: string): Source {
  const bytes = toBytes(text);
  return { bytes, begins: [0], ends: new Set([bytes.length]), refusal: true };
}
