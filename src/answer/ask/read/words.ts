import { UNIT } from '../../../kernel/units.js';
import { listed, SENTENCE_WORDS } from '../languages/index.js';

/**
 * Words as evidence and wording are compared by: lower case, without marks and inflection. The stemmer is small on purpose: it is only
 * compared with itself, needs no dictionary, and treats languages other than English no worse than not at all. Porter's (of a library) in its place
 * put no more right sentences first on six corpora, and leaves `quickly` apart from `quick`; neither did the stop words of lists.
 */
export interface Word {
  /** As written. */
  text: string;
  stem: string;
  /** Contains a digit: two numbers are the same only when they are written with the same digits. */
  numeric: boolean;
  /** A number, or written with a capital inside a sentence. */
  name: boolean;
}

/** Version of how words are told and compared: with another, other sentences may come first. */
export const WORDS_VERSION = 3;

/** A point or comma stays inside a number only: `3.5.1`, `1,000` (which is read as 1000); a unit behind it is a word of its own. */
const WORD = new RegExp(
  `\\p{N}+(?:[.,]\\p{N}+)*(?:(?=${UNIT})|\\p{L}*)|[\\p{L}\\p{M}]+(?:['’][\\p{L}]+)?[\\p{N}\\p{L}\\p{M}]*`,
  'giu',
);

/** Scripts that put no blanks between words. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Khmer}\p{Script=Lao}\p{Script=Myanmar}]/u;
const SEGMENTER = new Intl.Segmenter('zh', { granularity: 'word' });

/** The words of a text with their places; where a script has no blanks, a dictionary parts them. */
function* matchesOf(text: string): Generator<{ word: string; index: number }> {
  for (const { 0: word, index } of text.matchAll(WORD)) {
    if (!UNSPACED.test(word)) yield { word, index };
    else {
      // Its segments are words of its own kind: an apostrophe is one, and a number with letters behind it.
      for (const { segment, index: start } of SEGMENTER.segment(word))
        for (const part of segment.matchAll(WORD)) yield { word: part[0], index: index + start + part.index };
    }
  }
}

/** A text as its reader sees it: without soft hyphens, zero-width blanks and marks of direction, which would part words, and with each character in one form. */
const seenForm = (text: string): string => text.replace(UNSEEN, '').normalize('NFKC');

/** Joiners are not among them: where Persian or Hindi is written with them, they part words here as in the lexical index. */
const UNSEEN = /[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g;

/** Every word of a text, in order. */
export function analyzedWords(text: string): Word[] {
  const input = seenForm(text);
  return [...matchesOf(input)].map(({ word, index }) => {
    const numeric = /\p{N}/u.test(word);
    const name = numeric || (/^\p{Lu}/u.test(word) && !/(^|[.!?:]\s+)["'“‘(¿¡]*$/u.test(input.slice(0, index)));
    return { text: word, stem: stemmed(word, numeric), numeric, name };
  });
}

/** Words that carry meaning of their own, in order: stop words are left out. */
export function contentWords(text: string): Word[] {
  const words = analyzedWords(text);
  const foreign = languageOfStopWords(words.map(({ text: word }) => word));
  const meaningfulWords = words.filter(({ text: word }) => !isStopWord(word, foreign));
  // In a text of capitals none tells a name.
  if (isShouted(text)) return meaningfulWords.map((word) => ({ ...word, name: word.numeric }));
  // German writes every noun with a capital: there it takes more than one to tell a name (ISO, RMA).
  return languageOf(words.map(({ text: word }) => word)) === 'de'
    ? meaningfulWords.map((word) => ({ ...word, name: word.numeric || CAPITALS.test(word.text) }))
    : meaningfulWords;
}

const CAPITALS = /^\p{Lu}{2}/u;

/** Whether a text is written in capitals, but for a unit, an ß or an ordinal: scripts without capitals don't count for it. */
function isShouted(text: string): boolean {
  const count = (letters: RegExp): number => text.match(letters)?.length ?? 0;
  return count(/\p{Lu}/gu) >= SHOUTED * count(/[\p{Ll}\p{Lo}]/gu);
}

/** Capitals to each other letter. In writing there is one to some ten. */
const SHOUTED = 4;

/** The stems of `contentWords`. Every sentence of every passage goes through here, so what a word was found to be is kept. */
export function contentStems(text: string): Set<string> {
  const stems = new Set<string>();
  const words = [...matchesOf(seenForm(text))].map(({ word }) => word);
  const foreign = languageOfStopWords(words);
  for (const word of words) {
    if (isAmbiguous(word) && isStopWord(word, foreign)) continue;
    let stem = KNOWN.get(word);
    if (stem === undefined) {
      stem = isStopWord(word, null) ? '' : stemmed(word, /\p{N}/u.test(word));
      if (KNOWN.size >= MOST_KNOWN) KNOWN.clear();
      if (word.length <= LONGEST_KNOWN) KNOWN.set(word, stem);
    }
    if (stem !== '') stems.add(stem);
  }
  return stems;
}

/** Stems by word; empty for stop words. Bounded, because the words are strangers'. */
const KNOWN = new Map<string, string>();
const MOST_KNOWN = 20_000;
const LONGEST_KNOWN = 40;

const stemmed = (word: string, numeric: boolean): string => (numeric ? numberForm(word) : stemOf(word));

/** Commas that part thousands are left out, and points that can do nothing else: `1.000.000`, `1.000`; what `1.250` means nobody can tell. */
const numberForm = (word: string): string => {
  const plain = word.toLowerCase().replace(/,(?=\d{3}(?!\d))/g, '');
  return /^[1-9]\d{0,2}(\.\d{3}){2,}(?!\d)|^[1-9]\d{0,2}\.000(?!\d)/.test(plain) ? plain.replaceAll('.', '') : plain;
};

/**
 * Latin letters without their marks, ß as ss: who asks from a foreign keyboard, in haste or in capitals leaves them out. Of XQuAD's Spanish questions
 * without theirs the best sentence by words holds the answer for 79.2 %, where it did for 75.5 % as long as marks were compared, and with theirs for
 * as many as before. Marks of other scripts are letters of their own.
 */
const unmarked = (lower: string): string =>
  ASCII.test(lower)
    ? lower
    : lower
        .normalize('NFD')
        .replace(/(?<=\p{Script=Latin})[\u0300-\u036f]+/gu, '')
        .normalize('NFC')
        .replaceAll('ß', 'ss');

/** Letters without marks, and none that shows nothing. */
const ASCII = /^\p{ASCII}*$/u;

/** Numbers in words are the same as in digits; `one` and its like are pronouns, too. */
const NUMBER_WORDS = new Map(
  SENTENCE_WORDS.flatMap(({ numbers }) =>
    listed(numbers).map((word, i): [string, string] => [unmarked(word), String(i + 2)]),
  ),
);

const SUFFIXES =
  'ations ation ingly edly ments ment ness ings ing ions ion ers er ors or ed ly al ive able ible ous'.split(' ');

/** @returns the word in lower case without its inflection; meant for comparison with other stems, not for reading */
export function stemOf(word: string): string {
  const lower = unmarked(word.toLowerCase()).replace(/['’]s$/, '');
  const number = NUMBER_WORDS.get(lower);
  if (number !== undefined) return number;
  if (lower.length <= 3) return lower;
  let stem = lower
    .replace(/ies$/, 'y')
    .replace(/(ss|x|ch|sh|z)es$/, '$1')
    .replace(/([^s])s$/, '$1');
  const suffix = SUFFIXES.find(
    (ending) => stem.endsWith(ending) && stem.length - ending.length >= 3 && hasVowel(stem, ending),
  );
  if (suffix !== undefined) stem = stem.slice(0, -suffix.length);
  return stem.replace(/([bdfglmnprt])\1$/, '$1').replace(/(?<=....)[eyi]$/, '');
}

const hasVowel = (word: string, suffix: string): boolean => /[aeiouy]/.test(word.slice(0, -suffix.length));

const STOP_WORDS = new Set(
  SENTENCE_WORDS.flatMap(({ stopWords }) => listed(stopWords).flatMap((word) => [word, unmarked(word)])),
);

/** Words of grammar in one language that say something in English: “When did she die?” */
const AMBIGUOUS = new Map(
  SENTENCE_WORDS.flatMap(({ code, ambiguous }) => listed(ambiguous).map((word): [string, string] => [word, code])),
);

/** Stop words that tell the language of a text with an ambiguous one, English among them. */
const STOP_WORDS_OF = SENTENCE_WORDS.filter(({ telling }) => telling !== undefined).map(
  ({ code, telling }) => [code, new Set(listed(telling))] as const,
);

const isAmbiguous = (word: string): boolean => AMBIGUOUS.has(word.toLowerCase());

/** The language of a text in which an ambiguous word stands; null where that is English, and in any other text. */
const languageOfStopWords = (words: readonly string[]): string | null =>
  words.some(isAmbiguous) ? languageOf(words) : null;

/** The language whose stop words a text has most of; null where that is English, and where it has none. */
function languageOf(words: readonly string[]): string | null {
  const counts = STOP_WORDS_OF.map(([code, telling]) => ({
    code,
    count: words.filter((word) => telling.has(word.toLowerCase())).length,
  }));
  const [winner] = counts.toSorted((a, b) => b.count - a.count);
  return winner === undefined || winner.count === 0 || winner.code === 'en' ? null : winner.code;
}

/** @param foreign the language of the text where an ambiguous word stands in it: only there is it one of grammar */
function isStopWord(word: string, foreign: string | null): boolean {
  const lower = word.toLowerCase().replaceAll('’', "'");
  const only = AMBIGUOUS.get(lower);
  return only === undefined ? STOP_WORDS.has(lower) : only === foreign;
}
