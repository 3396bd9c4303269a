import type { Token } from 'node-llama-cpp';
import type { MarkedCopy } from '../../../../src/worker-protocol/index.js';
import { beginsWord, endsWord, placesOf } from './borders.js';
import type { Cursor } from './copy-cursor.js';
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

/**
 * Where an answer stands that may only be a copy of a text in which stretches of whole words are marked with a type: what the text
 * doesn't say can't be marked, and nothing of it is lost. Symbols may share a token with what stands beside them, as they do where
 * a model learned them (`].`): what is allowed is told by bytes.
 */
export class MarkCursor implements Cursor {
  private readonly bytes: string;
  private readonly types: readonly string[];
  private readonly symbols: Record<'open' | 'between' | 'close', string>;
  private readonly begins: ReadonlySet<number>;
  private readonly ends: ReadonlySet<number>;
  private places: Place[] = [{ at: 0, from: null, type: null, due: '' }];
  private next: Map<Token, Place[]> | null = null;
  /** Which of the text's tokens begins at an offset. */
  private readonly starts: ReadonlyMap<number, number>;

  /** @param tokens the text's, as the model cuts it */
  constructor(
    private readonly vocabulary: Vocabulary,
    { text, open, between, close, types }: MarkedCopy,
    private readonly tokens: readonly Token[],
  ) {
    this.bytes = toBytes(text);
    this.types = types.map(toBytes);
    this.symbols = { open: toBytes(open), between: toBytes(between), close: toBytes(close) };
    const places = placesOf(text);
    this.begins = new Set(places.filter(beginsWord).map(({ bytes }) => bytes));
    this.ends = new Set(places.filter(endsWord).map(({ bytes }) => bytes));
    this.starts = startsOf(tokens, this.bytes, vocabulary);
  }

  get options(): ReadonlyMap<Token, readonly Place[]> {
    return (this.next ??= this.findNext());
  }

  get mayEnd(): boolean {
    return this.places.some((place) => isOutside(place) && place.at === this.bytes.length);
  }

  get isWhole(): boolean {
    return this.places.some(isOutside);
  }

  refuses(): boolean {
    return false;
  }

  advance(token: Token): void {
    const places = this.options.get(token);
    if (places === undefined) throw new Error('a token was chosen that is no option');
    this.places = [...places];
    this.next = null;
  }

  /** Most words are not marked: the text itself. */
  draft(): readonly Token[] {
    const [place, ...others] = this.places;
    const index = place && others.length === 0 && isOutside(place) ? this.starts.get(place.at) : undefined;
    return index === undefined ? [] : this.tokens.slice(index, index + AHEAD);
  }

  fork(): MarkCursor {
    return Object.assign(Object.create(MarkCursor.prototype) as MarkCursor, this);
  }

  /** All tokens that can be spelled from here. */
  private findNext(): Map<Token, Place[]> {
    const next = new Map<Token, Place[]>();
    const spell = (spelled: string, places: readonly Place[]): void => {
      for (const byte of new Set(places.flatMap((place) => this.bytesAt(place)))) {
        const longer = spelled + byte;
        const token = this.vocabulary.tokens.get(longer);
        const goesOn = this.vocabulary.prefixes.has(longer);
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
    const { open, between, close } = this.symbols;
    if (due !== '') return [due[0]!];
    if (type !== null)
      return this.types.flatMap((each) =>
        each.startsWith(type) ? [each === type ? close[0]! : each[type.length]!] : [],
      );
    const copied = at < this.bytes.length ? [this.bytes[at]!] : [];
    if (from !== null) return at > from && this.ends.has(at) ? [...copied, between[0]!] : copied;
    return this.begins.has(at) ? [...copied, open[0]!] : copied;
  }

  /** Where a byte leads to; to more than one place only where the text itself holds a symbol, or one type begins with another. */
  private step(place: Place, byte: string): Place[] {
    const { at, from, type, due } = place;
    const { open, between, close } = this.symbols;
    if (due !== '') return due[0] === byte ? [{ ...place, due: due.slice(1) }] : [];
    if (type !== null) {
      const said = type + byte;
      const closed = this.types.includes(type) && byte === close[0];
      return [
        ...(this.types.some((each) => each.startsWith(said)) ? [{ ...place, type: said }] : []),
        ...(closed ? [{ at, from: null, type: null, due: close.slice(1) }] : []),
      ];
    }
    const steps: Place[] = this.bytes[at] === byte ? [{ ...place, at: at + 1 }] : [];
    if (from === null && this.begins.has(at) && byte === open[0])
      steps.push({ ...place, from: at, due: open.slice(1) });
    if (from !== null && at > from && this.ends.has(at) && byte === between[0])
      steps.push({ ...place, type: '', due: between.slice(1) });
    return steps;
  }
}

/** Nothing where the tokens don't spell the text, as with vocabularies that put a space in front of it. */
function startsOf(tokens: readonly Token[], text: string, { bytes }: Vocabulary): Map<number, number> {
  const starts = new Map<number, number>();
  let at = 0;
  for (const [index, token] of tokens.entries()) {
    starts.set(at, index);
    const spelled = bytes.get(token);
    if (spelled === undefined || !text.startsWith(spelled, at)) return new Map();
    at += spelled.length;
  }
  return starts;
}

const isOutside = ({ from, due }: Place): boolean => from === null && due === '';
