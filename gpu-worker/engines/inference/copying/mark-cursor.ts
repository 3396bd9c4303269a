import type { Token } from 'node-llama-cpp';
import type { MarkedCopy } from '../../../../src/worker-protocol/index.js';
import { beginsWord, endsWord, placesOf } from './borders.js';
import { placesAfter, type Cursor } from './copy-cursor.js';
import { toBytes, type Vocabulary } from './vocabulary.js';

/**
 * Tokens that are drafted at once. Reading some is several times as fast as writing them one by one, but what stands behind a mark
 * is read in vain.
 */
const AHEAD = 8;

/** How far a copy has come. Offsets count bytes; a byte is one character. */
interface Place {
  at: number;
  /** Where the marked stretch began; null outside of one. */
  from: number | null;
  /** What was said of the type; null where none is being said. */
  type: string | null;
  /** The rest of a symbol that has begun. */
  due: string;
}

/** The text and what may be done with it: the same for all places of a copy. */
interface Marking {
  vocabulary: Vocabulary;
  bytes: string;
  types: readonly string[];
  symbols: Record<'open' | 'between' | 'close', string>;
  /** Where words begin, and where they end. */
  begins: ReadonlySet<number>;
  ends: ReadonlySet<number>;
  /** The text's, as the model cuts it, and which of them begins at an offset. */
  tokens: readonly Token[];
  starts: ReadonlyMap<number, number>;
}

/**
 * Where an answer stands that may only be a copy of a text in which stretches of whole words are marked with a type: what the text
 * doesn't say can't be marked, and nothing of it is lost. Symbols may share a token with what stands beside them, as they do where
 * a model learned them (`].`): what is allowed is told by bytes.
 */
export class MarkCursor implements Cursor {
  private next: Map<Token, Place[]> | null = null;

  private constructor(
    private readonly marking: Marking,
    private readonly places: readonly Place[],
  ) {}

  /** @param tokens the text's, as the model cuts it */
  static over(
    vocabulary: Vocabulary,
    { text, open, between, close, types }: MarkedCopy,
    tokens: readonly Token[],
  ): MarkCursor {
    const bytes = toBytes(text);
    const places = placesOf(text);
    const marking = {
      vocabulary,
      bytes,
      types: types.map(toBytes),
      tokens,
      starts: startsOf(tokens, bytes, vocabulary),
      symbols: { open: toBytes(open), between: toBytes(between), close: toBytes(close) },
      begins: new Set(places.filter(beginsWord).map((place) => place.bytes)),
      ends: new Set(places.filter(endsWord).map((place) => place.bytes)),
    };
    return new MarkCursor(marking, [{ at: 0, from: null, type: null, due: '' }]);
  }

  get options(): ReadonlyMap<Token, readonly Place[]> {
    return (this.next ??= this.findNext());
  }

  get mayEnd(): boolean {
    return this.places.some((place) => isOutside(place) && place.at === this.marking.bytes.length);
  }

  get isWhole(): boolean {
    return this.places.some(isOutside);
  }

  refuses(): boolean {
    return false;
  }

  /** Most words are not marked: the text itself. */
  draft(): readonly Token[] {
    const { tokens, starts } = this.marking;
    const [place, ...otherPlaces] = this.places;
    const index = place && otherPlaces.length === 0 && isOutside(place) ? starts.get(place.at) : undefined;
    return index === undefined ? [] : tokens.slice(index, index + AHEAD);
  }

  after(token: Token): MarkCursor {
    return new MarkCursor(this.marking, placesAfter(this, token));
  }

  /** All tokens that can be spelled from here. */
  private findNext(): Map<Token, Place[]> {
    const { vocabulary } = this.marking;
    const next = new Map<Token, Place[]>();
    const spell = (spelled: string, places: readonly Place[]): void => {
      for (const byte of new Set(places.flatMap((place) => this.bytesAt(place)))) {
        const longer = spelled + byte;
        const token = vocabulary.tokens.get(longer);
        const goesOn = vocabulary.prefixes.has(longer);
        if (token === undefined && !goesOn) continue;
        const reached = places.flatMap((place) => this.step(place, byte));
        if (token !== undefined) next.set(token, reached);
        if (goesOn) spell(longer, reached);
      }
    };
    spell('', this.places);
    return next;
  }

  /** The bytes of which one must come next. */
  private bytesAt({ at, from, type, due }: Place): string[] {
    const { bytes, types, begins, ends, symbols } = this.marking;
    const { open, between, close } = symbols;
    if (due !== '') return [due[0]!];
    if (type !== null)
      return types.flatMap((candidate) =>
        candidate.startsWith(type) ? [candidate === type ? close[0]! : candidate[type.length]!] : [],
      );
    const copied = at < bytes.length ? [bytes[at]!] : [];
    if (from !== null) return at > from && ends.has(at) ? [...copied, between[0]!] : copied;
    return begins.has(at) ? [...copied, open[0]!] : copied;
  }

  /** Where a byte leads to; to more than one place only where the text itself holds a symbol, or one type begins with another. */
  private step(place: Place, byte: string): Place[] {
    const { at, from, type, due } = place;
    const { bytes, types, begins, ends, symbols } = this.marking;
    const { open, between, close } = symbols;
    if (due !== '') return due[0] === byte ? [{ ...place, due: due.slice(1) }] : [];
    if (type !== null) {
      const typed = type + byte;
      const closed = types.includes(type) && byte === close[0];
      return [
        ...(types.some((candidate) => candidate.startsWith(typed)) ? [{ ...place, type: typed }] : []),
        ...(closed ? [{ at, from: null, type: null, due: close.slice(1) }] : []),
      ];
    }
    const steps: Place[] = bytes[at] === byte ? [{ ...place, at: at + 1 }] : [];
    if (from === null && begins.has(at) && byte === open[0]) steps.push({ ...place, from: at, due: open.slice(1) });
    if (from !== null && at > from && ends.has(at) && byte === between[0])
      steps.push({ ...place, type: '', due: between.slice(1) });
    return steps;
  }
}

/** Nothing where the tokens don't spell the text, as with vocabularies that put a space in front of it. */
function startsOf(tokens: readonly Token[], text: string, { bytes }: Vocabulary): Map<number, number> {
  const starts = new Map<number, number>();
  let offset = 0;
  for (const [index, token] of tokens.entries()) {
    starts.set(offset, index);
    const spelled = bytes.get(token);
    if (spelled === undefined || !text.startsWith(spelled, offset)) return new Map();
    offset += spelled.length;
  }
  return starts;
}

const isOutside = ({ from, due }: Place): boolean => from === null && due === '';
