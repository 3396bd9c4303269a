import { anyOf, SENTENCE_WORDS } from '../languages/index.js';
import { amountsIn, boundsIn, type Amount } from './conflicts/amounts.js';
import { stemOf } from './words.js';

/**
 * How a sentence fits the edition, the code or the amount that a question names: 1 where it speaks of that, -1 where it speaks of another, 0 where it
 * names none. A year or a code that only stands above it, or before it in its paragraph, counts less: much else stands there, too.
 */
export type ParticularsTest = (sentence: string, above: string) => number;

/** A name in the sentence, or above it. The amount that a bound lets in counts whole: no word of the question tells of that. */
const NAMED = 0.5;

/** A code (`E3`), a name with a number (`Tolva 9`) or an edition (`version 4.1`), or a year. */
interface Particular {
  /** What it is compared within: letters, name, label or `year`. */
  of: string;
  value: string;
}

const LABELS = SENTENCE_WORDS.flatMap(({ labels }) => labels ?? []).join('|');
/** Letters or a name, or a label in any letters, and the number behind it. */
const NUMBERED = new RegExp(
  `(?<![\\p{L}\\p{N}])(\\p{Lu}[\\p{L}]{0,20}|${LABELS})(?:[ -]?)(\\d{1,4}(?:\\.\\d{1,4}){0,3})(?![\\p{L}\\p{N}%]|[.,:]\\d|\\s?[%°])`,
  'gu',
);
const YEAR = /(?<![\p{L}\p{N}.,£$€¥-])(?:1[5-9]|20)\d\d(?![\p{L}\p{N}%]|[.,:]\d|\s?[%°])/gu;
/** Begin a question or a sentence, and are no name. */
const NO_NAME = anyOf(
  SENTENCE_WORDS.flatMap(({ stopWords, asks }) => [stopWords.split(' ').join('|'), ...asks.FIGURE]),
);

/** @returns null where a question names nothing of the kind */
export function particularsOf(question: string): ParticularsTest | null {
  const particulars = particularsIn(question);
  const amounts = amountsIn(question).filter(({ text }) => !particulars.some(({ value }) => value === text));
  if (particulars.length === 0 && amounts.length === 0) return null;
  return (sentence, context) => {
    const comparison = compared(particulars, particularsIn(sentence));
    if (comparison !== 0) return comparison > 0 ? NAMED : comparison;
    const bounds = boundsFit(amounts, sentence);
    return bounds !== 0 ? bounds : NAMED * compared(particulars, lastOfEach(particularsIn(context)));
  };
}

function particularsIn(text: string): Particular[] {
  const numbered = [...text.matchAll(NUMBERED)].filter(([, name]) => !NO_NAME.test(name!));
  return [
    ...numbered.map(([, name, value]) => ({ of: stemOf(name!), value: value! })),
    ...[...text.matchAll(YEAR)].map(([value]) => ({ of: 'year', value })),
  ];
}

/** What was named last is what a text goes on about. */
const lastOfEach = (particulars: readonly Particular[]): Particular[] =>
  particulars.filter((particular, index) => !particulars.slice(index + 1).some((later) => later.of === particular.of));

/** 1 where all that both name of a kind is in common, -1 where something named is another. */
function compared(questionParticulars: readonly Particular[], textParticulars: readonly Particular[]): number {
  const shared = questionParticulars.filter(({ of }) => textParticulars.some((particular) => particular.of === of));
  if (shared.length === 0) return 0;
  return shared.every(({ of, value }) =>
    textParticulars.some((particular) => particular.of === of && particular.value === value),
  )
    ? 1
    : -1;
}

/** The same of amounts, where a sentence says from where, or up to where, it holds. */
function boundsFit(amounts: readonly Amount[], sentence: string): number {
  if (amounts.length === 0) return 0;
  const bounds = boundsIn(sentence);
  const fits = amounts.flatMap(({ kind, value }) => {
    const sameKindBounds = bounds.filter((bound) => bound.kind === kind);
    return sameKindBounds.length === 0 ? [] : [sameKindBounds.some((bound) => bound.holds(value))];
  });
  return fits.length === 0 ? 0 : fits.every(Boolean) ? 1 : -1;
}
