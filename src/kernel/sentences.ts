/** A sentence, list item or table row: `text === source.slice(start, end)`, without white space or list bullet around it. */
export interface Sentence {
  /** UTF-16 offsets. */
  start: number;
  end: number;
  text: string;
}

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });
const words = (list: string): Set<string> => new Set(list.split(' '));

/** A name or an example follows them, never a new sentence (English, Spanish, German, French). */
const BEFORE_ANYTHING = words(
  'mr mrs ms dr prof st sr rev hon gen col capt lt sgt gov sen rep pres mt e.g i.e cf vs viz incl excl approx ca ' +
    'sra srta dra hr fr bzw z.b d.h u.a einschl inkl exkl zzgl abzgl bzgl ggf evtl vgl sog aprox mme mlle',
);
/** They end a sentence unless a number or a bracket follows. */
const BEFORE_NUMBER = words(
  'no nos nr n° num núm vol vols p pp pág ch sec sect art fig figs eq eqs app ex tab ver v ed eds al av str min max avg est ' +
    'jan feb mar apr jun jul aug sep sept oct nov dec abs ziff tel',
);
/** After `U.S.` and the like: these words start a sentence, others go on with it (`U.S. Army`). */
const STARTERS = words(
  'the a an it its in on at he she they we i you this that these those there when while if as but and however for to with ' +
    'after before since what who why how el la los las en der die das le les',
);

/** What German counts with a point behind the figure: `am 31. Dezember`, `im 19. Jahrhundert`. */
const AFTER_ORDINAL =
  /^(?:Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember|Jahrhundert|Jahrestag|Geburtstag|Lebensjahr|Quartal|Kalendertag|Kalenderwoche|Werktag|Arbeitstag|Stock|Auflage|Weltkrieg)/;
const ORDINAL = /(?<![\p{L}\p{N}.,])\d{1,2}\.\s+$/u;
/** `z. B.`, `i. d. R.` as they are printed: a small letter and its point, with more of them before or behind it. */
const SPACED_LETTER = /(?<!\p{L})\p{Ll}\.\s+$/u;
const SPACED_LETTERS = /(?<!\p{L})\p{L}\.\s\p{Ll}\.\s+$/u;

/** The last word of a segment that ends in a full stop, with inner stops: `e.g`, `U.S`, `J`. */
const LAST_WORD = /([\p{L}\p{M}°]+(?:\.\p{L}+)*)\.["'”’)\]]*\s*$/u;
const INITIAL = /^\p{Lu}$/u;
const ACRONYM = /^\p{L}(?:\.\p{L})+$/u;
/** `1.`, `12)`, `a.` alone: the number of the item that follows. */
const LIST_NUMBER = /^\s*(?:\(?\d{1,3}[.)]|\(?[a-z][.)]|[ivx]{1,5}[.)])\s*$/;
const BULLET = /^[-*+•‣▪◦–—]\s+/;
const LINE_END = /[\n\r\u0085\u2028\u2029]$/;

/**
 * Splits text into sentences. A line break always ends one (list items, table rows and headings stand on their own);
 * abbreviations, initials and item numbers don't. The sentences are in order and don't overlap; between them lies only
 * white space, or a list bullet at the start of a line.
 */
export function splitSentences(text: string): Sentence[] {
  const sentences: Sentence[] = [];
  let start = 0;
  let end = 0;
  let torn = false;
  for (const segment of segments(text)) {
    if (segment.start > start && !torn && !continues(text.slice(start, end), text.slice(segment.start, segment.end))) {
      add(sentences, text, start, end);
      start = segment.start;
    }
    end = segment.end;
    torn = segment.torn;
  }
  add(sentences, text, start, end);
  return sentences;
}

/** Intl.Segmenter takes time quadratic in the length of its input (53 s for 1 MB), so it is given this much at a time. */
const WINDOW = 2_000;

/** The segmenter's segments, tiling the text; `torn` when a segment goes on in the next one. */
function* segments(text: string): Generator<{ start: number; end: number; torn: boolean }> {
  let position = 0;
  while (position < text.length) {
    const line = /[\n\r\u0085\u2028\u2029]/.exec(text.slice(position, position + WINDOW));
    const length = line === null ? Math.min(WINDOW, text.length - position) : line.index + 1;
    const whole = line !== null || position + length === text.length;
    const starts = Array.from(
      segmenter.segment(text.slice(position, position + length)),
      ({ index }) => position + index,
    );
    const ends = [...starts.slice(1), position + length];
    // The last segment of a window may be cut short: it is read again at the start of the next window.
    const complete = whole ? starts.length : Math.max(1, starts.length - 1);
    for (let i = 0; i < complete; i += 1) {
      let start = starts[i] as number;
      for (const end of [...endsBeforeLowerCase(text, start, ends[i] as number), ends[i] as number]) {
        yield { start, end, torn: !whole && starts.length === 1 && end === ends[i] };
        start = end;
      }
    }
    position = ends[complete - 1] as number;
  }
}

/**
 * Sentence ends that the segmenter doesn't see, because a small letter follows: behind a stop that stands alone (` . `, as
 * tokenised corpora have it), behind a word of five letters or more, which is hardly an abbreviation, and before names like
 * iPhone. Abbreviations are told apart afterwards, as everywhere.
 */
const BEFORE_LOWER_CASE =
  /(?:(?<=\s)\.\s+(?=\p{Ll})|(?<=\p{Ll}{5})\.\s+(?=\p{Ll})|(?<=\p{L})\.\s+(?=\p{Ll}{1,3}\p{Lu}))/gu;

const endsBeforeLowerCase = (text: string, start: number, end: number): number[] =>
  Array.from(text.slice(start, end).matchAll(BEFORE_LOWER_CASE), ({ 0: stop, index }) => start + index + stop.length);

function add(sentences: Sentence[], text: string, from: number, to: number): void {
  const raw = text.slice(from, to);
  const lead = raw.length - raw.trimStart().length;
  const startsLine = from === 0 || LINE_END.test(text.slice(from - 1, from));
  const bullet = startsLine ? (BULLET.exec(raw.slice(lead))?.[0].length ?? 0) : 0;
  const start = from + lead + bullet;
  const end = from + raw.trimEnd().length;
  if (end > start) sentences.push({ start, end, text: text.slice(start, end) });
}

/** Whether the segmenter broke too early, so that `next` belongs to the same sentence. */
// whole: rules in the order in which they decide.
function continues(segment: string, next: string): boolean {
  // Only the end matters; a sentence of megabytes must not be searched again for every segment that joins it.
  const tail = segment.slice(-64);
  if (LINE_END.test(tail)) return false;
  // "Why?" she asked.
  if (/[?!]["'”’»]\s*$/.test(tail) && /^\p{Ll}/u.test(next)) return true;
  // An address goes on behind its question mark, and a sign of a formula (`!=`) is no end either.
  if (/[?!]$/.test(tail) && /^[^\s\p{Lu}]/u.test(next)) return true;
  if (/\/\S*[?!]$/.test(tail) && /^\S/.test(next)) return true;
  if (segment.length <= 16 && LIST_NUMBER.test(segment)) return true;
  if (ORDINAL.test(tail) && AFTER_ORDINAL.test(next)) return true;
  if (SPACED_LETTERS.test(tail) || (SPACED_LETTER.test(tail) && /^\p{L}\./u.test(next))) return true;
  const word = LAST_WORD.exec(tail)?.[1];
  if (word === undefined) return false;
  const begins = STARTERS.has(/^\p{L}+/u.exec(next)?.[0].toLowerCase() ?? '');
  // "J. R. Tolkien" goes on; "vitamin C. The" does not.
  if (INITIAL.test(word)) return word !== 'I' && !begins;
  const lower = word.toLowerCase();
  if (BEFORE_ANYTHING.has(lower)) return true;
  if (BEFORE_NUMBER.has(lower)) return /^[\d(#]/.test(next);
  if (!ACRONYM.test(word) || lower === 'a.m' || lower === 'p.m') return false;
  return !begins;
}
