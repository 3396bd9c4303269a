import { stemOf } from '../words.js';

/** What a sentence says of something as a figure or a date. */
export interface StatedValue {
  kind: 'NUMBER' | 'DATE';
  /** As written. */
  text: string;
  /** Only values with the same key can be compared: unit and bound ("at least") of a number, `date`. */
  key: string;
  /** The parts that are compared: one number, two of a range, year, month and day of a date where they are given. */
  parts: readonly (number | null)[];
  /** Parts written like `1.250`, which are read as decimals and may be thousands; missing where there are none. */
  dotted?: readonly boolean[];
  /** Whether the sentence calls it approximate. */
  rough: boolean;
  /** Of a number: whether it is a sum of money, what it counts, and whether it is the least or the most; missing where nothing says so. */
  currency?: boolean;
  unit?: string;
  bound?: 'least' | 'most';
  /** Whether it isn't among those that a bound lets in: “less than”. */
  open?: boolean;
}

/** A text taken apart: its values, and what is left of it without them. */
interface ValuedText {
  values: StatedValue[];
  rest: string;
}

const MONTHS = 'january february march april may june july august september october november december'.split(' ');
const MONTH = `(${MONTHS.map((month) => `${month}|${month.slice(0, 3)}\\.?`).join('|')})`;
const DAY = '([0-3]?\\d)(?:st|nd|rd|th)?';
const YEAR = '(1[1-9]\\d\\d|20\\d\\d)';

/** Each with the places of year, month and day among its groups; 0 where it has none. */
const DATES: readonly [pattern: RegExp, year: number, month: number, day: number][] = [
  [/(?<![\d-])(\d{4})-(0[1-9]|1[0-2])-([0-3]\d)(?![\d-])/giu, 1, 2, 3],
  [new RegExp(`\\b${DAY}\\s+(?:of\\s+)?${MONTH}(?:,?\\s+${YEAR})?(?![\\p{L}\\d])`, 'giu'), 3, 2, 1],
  [new RegExp(`\\b${MONTH}\\s+${DAY}(?:,?\\s+${YEAR})?(?![\\p{L}\\d])`, 'giu'), 3, 1, 2],
  [new RegExp(`\\b${MONTH},?\\s+${YEAR}\\b`, 'giu'), 2, 1, 0],
  [
    new RegExp(
      `(?<=\\b(?:in|since|until|till|by|from|before|after|during|year|of|to)\\s)${YEAR}(?![\\d.,]*\\d)`,
      'giu',
    ),
    1,
    0,
    0,
  ],
];

/** Number words that are no pronoun. */
const NUMBER_WORDS =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const TENS = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
const COUNTED = 'minute|hour|day|week|month|year';
const MULTIPLES: Record<string, number> = { hundred: 1e2, thousand: 1e3, million: 1e6, billion: 1e9, trillion: 1e12 };
const DIGITS = '\\d+(?:[.,]\\d+)*';
const NUMBER_WORD =
  `(?:${TENS.join('|')})(?:-(?:${NUMBER_WORDS.slice(1, 10).join('|')}))?|` +
  `one(?=[\\s-](?:${COUNTED}))|${NUMBER_WORDS.filter((word) => word !== 'one').join('|')}`;
export const NUMBER = `(?:${DIGITS}|(?<![\\p{L}\\d])(?:${NUMBER_WORD})(?!\\p{L}))`;
/** A minus stands at its number: behind another it is the dash of a range, behind a word a hyphen. */
const MINUS = '(?<=^|[\\s(\\[=:<>≤≥])(?<!\\d\\s?(?:[%‰]|°\\p{L}?)?\\s)(?:[-−–](?=[$£€¥\\d])|minus\\s)';
/**
 * A number or a range, with what it counts: a currency before it or the word behind it. A number inside a name (`P12`, `3.5.1`)
 * is none.
 */
const QUANTITY = new RegExp(
  `(?<![\\p{L}\\d]|\\d[.,:/-])(${MINUS})?([$£€¥]\\s?)?(${NUMBER})(?:\\s?(?:-|–|to|and)\\s?((?<!-)[-−])?(?:[$£€¥]\\s?)?(${NUMBER}))?(?![\\d:/]|[.,-]\\d)` +
    `(?:[\\s-]?(${Object.keys(MULTIPLES).join('|')}))?(?:(?:\\s|-)?([%°‰]\\p{L}?|\\p{L}[\\p{L}µ²³]*(?:/\\p{L}[\\p{L}²³]*)?))?`,
  'giu',
);

const BOUNDS: readonly [bound: 'least' | 'most', pattern: RegExp][] = [
  ['least', /\b(at least|minimum( of)?|no (less|fewer) than|more than|over|above|exceeds?|beyond|from|after)\W*$/iu],
  ['most', /\b(at most|maximum( of)?|no more than|up to|less than|fewer than|under|below|within|until|before)\W*$/iu],
];
/** What isn't among those that it lets in. */
const OPEN = /\b(more than|over|above|exceeds?|beyond|less than|fewer than|under|below)\W*$/iu;
const ROUGH = /\b(about|approximately|around|roughly|nearly|almost|some|circa|ca\.?|c\.)\W*$/iu;
/** Words that follow a number without being what it counts. */
const NO_UNIT =
  /^(of|and|or|to|in|on|at|by|for|from|with|as|is|are|was|were|the|a|an|but|than|that|which|who|when|if|per)$/iu;

/** `[1]` at a sentence's end names a source and says nothing of its subject. */
const FOOTNOTE = /(\s?\[\d{1,3}\])+(?=[.!?]?\s*$)/;

/** Takes the values out of a text, which is read in NFKC. Dates are read in English. */
export function readValues(text: string): ValuedText {
  const values: StatedValue[] = [];
  let rest = text.normalize('NFKC').replace(FOOTNOTE, ' ');
  for (const [pattern, year, month, day] of DATES)
    rest = rest.replace(pattern, (...groups: (string | undefined)[]) => {
      const part = (group: number): string | undefined => (group === 0 ? undefined : groups[group]);
      const parts = [numberOrNull(part(year)), monthOf(part(month)), numberOrNull(part(day))];
      values.push({ kind: 'DATE', text: groups[0]!, key: 'date', parts, rough: false });
      return ' ';
    });
  rest = rest.replace(QUANTITY, (whole: string, ...groups: unknown[]) => {
    const [minus, currency, first, minusOfSecond, second, multiple, word] = groups as (string | undefined)[];
    const precedingText = rest.slice(0, groups.at(-2) as number).slice(-30);
    const unit = word === undefined || currency !== undefined || NO_UNIT.test(word) ? '' : word;
    const matchedText = unit === (word ?? '') ? whole : whole.slice(0, whole.length - word!.length);
    const scale = multiple === undefined ? 1 : MULTIPLES[multiple.toLowerCase()]!;
    const numbers = [first!, ...(second === undefined ? [] : [second])];
    const signs = [minus, minusOfSecond].map((sign) => (sign === undefined ? 1 : -1));
    const parts = numbers.map((digits, index) => signs[index]! * scale * numberOf(digits));
    const dotted = numbers.map((digits) => DOTTED.test(digits));
    const rough = ROUGH.test(precedingText);
    const exactly = precedingText.replace(ROUGH, '');
    const bound = BOUNDS.find(([, pattern]) => pattern.test(exactly))?.[0];
    const key = [currency?.trim() ?? '', unitOf(unit), bound ?? '', parts.length].join(' ');
    values.push({
      kind: 'NUMBER',
      text: matchedText.trim(),
      key,
      parts,
      rough,
      ...(dotted.includes(true) && { dotted }),
      ...(currency !== undefined && { currency: true }),
      ...(unit !== '' && { unit }),
      ...(bound && { bound, open: OPEN.test(exactly) }),
    });
    return ` ${whole.slice(matchedText.length)} `;
  });
  return { values, rest };
}

/** Whether two values of the same key say different things. A part that one of them leaves out is no difference. */
export function differ(firstValue: StatedValue, secondValue: StatedValue): boolean {
  const tolerance = firstValue.rough || secondValue.rough ? 0.1 : 0;
  return firstValue.parts.some((part, index) => {
    const second = secondValue.parts[index] ?? null;
    if (part === null || second === null) return false;
    const [isFirstDotted, isSecondDotted] = [firstValue.dotted?.[index] === true, secondValue.dotted?.[index] === true];
    // Where only one may be thousands, the two differ if they do under either reading.
    const firsts = isFirstDotted && !isSecondDotted ? [part, 1_000 * part] : [part];
    const seconds = isSecondDotted && !isFirstDotted ? [second, 1_000 * second] : [second];
    const exceedsTolerance = (a: number, b: number): boolean =>
      Math.abs(a - b) > tolerance * Math.max(Math.abs(a), Math.abs(b));
    return firsts.every((a) => seconds.every((b) => exceedsTolerance(a, b)));
  });
}

/** Thousands in one half of the world, a decimal in the other. */
const DOTTED = /^[1-9]\d{0,2}\.\d{3}$/;

const numberOf = (text: string): number => {
  const [ten = '', unit = ''] = text.toLowerCase().split('-');
  const word = NUMBER_WORDS.indexOf(ten);
  if (word >= 0) return word;
  const tens = TENS.indexOf(ten);
  if (tens >= 0) return 20 + 10 * tens + Math.max(0, NUMBER_WORDS.indexOf(unit));
  // `1.000.000` and `1.234,5` can only be thousands with points.
  if (/^\d{1,3}(\.\d{3}){2,}$|^\d{1,3}(\.\d{3})+,\d+$/.test(text))
    return Number(text.replaceAll('.', '').replace(',', '.'));
  return Number(text.replace(/,(?=\d{3}(?!\d))/g, '').replace(',', '.'));
};

const numberOrNull = (text: string | undefined): number | null => (text ? Number(text) : null);

const monthOf = (text: string | undefined): number | null => {
  if (text === undefined) return null;
  return /^\d/.test(text)
    ? Number(text)
    : 1 + MONTHS.findIndex((month) => month.startsWith(text.toLowerCase().replace('.', '')));
};

/** Units are kept as they are written, because case matters (`mW`, `MW`); words without their inflection. */
const unitOf = (text: string): string => (text.length <= 3 || !/^\p{L}+$/u.test(text) ? text : stemOf(text));
