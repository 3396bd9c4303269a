import { anyOf, SENTENCE_WORDS } from '../languages/index.js';
import { contentWords, type Word } from '../read/words.js';
import { contradictions } from './contradictions.js';
import { numbersAsIn } from './numbers.js';
import { withoutYesNo, type YesNo } from './yes-no.js';

interface Support {
  supported: boolean;
  /** Share of the wording's content words that evidence or question hold, 0 to 1. */
  share: number;
  /** Words of the wording that neither holds or that the evidence contradicts, as written; for the reader of `AnswerBody`. */
  missing: string[];
}

/** Rules about what a wording says against its source; `bench -- wording-rules` leaves each out in turn, to see what it is worth. */
export interface WordingRules {
  /** What the source contradicts is not supported: see `contradictions`. */
  contradicting: boolean;
}
export const ALL_WORDING_RULES: WordingRules = { contradicting: true };

/**
 * Whether a wording says nothing that its evidence doesn't: every content word and every number stands in the evidence
 * (words of the question may be repeated, its numbers too, unless the evidence has another in their place), nothing that the
 * evidence denies is affirmed or the other way round, and something of the evidence is in it that the question doesn't hold
 * already. This checks words, not meaning: a wording that puts the evidence's words together wrongly passes.
 */
export function checkWording(
  wording: string,
  evidence: readonly string[],
  question: string,
  { contradicting }: WordingRules = ALL_WORDING_RULES,
): Support {
  const source = evidence.join('\n');
  const sourceStems = stemsOf(source);
  const questionStems = stemsOf(question);
  const { rest, yesNo } = withoutYesNo(wording);
  const normalizedText = numbersAsIn(`${source}\n${question}`, rest);
  const words = contentWords(normalizedText).filter(isChecked);
  const contradicted = contradicting ? contradictions(normalizedText, source) : new Set<string>();
  const unheld = words.filter(
    ({ stem }) => contradicted.has(stem) || (!sourceStems.has(stem) && !questionStems.has(stem)),
  );
  const missing = [
    ...(yesNo !== null && contradicting && isDenied(yesNo, words.length === 0, { question, source }) ? [yesNo] : []),
    ...unheld,
  ];
  const isNumberKept = !asksForNumber(question) || keepsNumber(words, sourceStems, questionStems);
  const informative = words.some(({ stem }) => sourceStems.has(stem) && !questionStems.has(stem)) || yesNo !== null;
  const count = words.length + (yesNo === null ? 0 : 1);
  return {
    supported: count > 0 && missing.length === 0 && informative && isNumberKept,
    share: count === 0 ? 0 : 1 - missing.length / count,
    missing: missing.map(({ text }) => text),
  };
}

/** "Cannot" denies what comes behind it, as "not" does: see `contradictions`. */
const isChecked = ({ stem }: Word): boolean => stem !== 'cannot';

/**
 * Whether a source speaks against a yes or no to the question: against a yes where it denies a word of the question or has another number in its place,
 * against a no that says nothing else where it says all that the question does.
 */
function isDenied(
  { affirms }: YesNo,
  isAlone: boolean,
  { question, source }: { question: string; source: string },
): boolean {
  const statement = numbersAsIn(source, question.replace(NEGATED_OPENING, ''));
  const sourceStems = stemsOf(source);
  const contradictedStems = [...contradictions(statement, source)].filter(
    (stem) => sourceStems.has(stem) || /\p{N}/u.test(stem),
  );
  if (affirms) return contradictedStems.length > 0;
  return isAlone && contradictedStems.length === 0 && [...stemsOf(statement)].every((stem) => sourceStems.has(stem));
}

/** "Aren't refunds allowed?" is answered as "Are refunds allowed?" is. */
const NEGATED_OPENING = /^\s*\p{L}+n['’]t\b/iu;

/** How much of a text's content a quote holds, 0 to 1: words by their number, each once. */
export function supportShare(text: string, quote: string, question: string): number {
  const wording = numbersAsIn(quote, withoutYesNo(text).rest);
  const textStems = [...stemsOf(wording)];
  const questionStems = stemsOf(question);
  const contradicted = contradictions(wording, quote);
  // What the question says already is no merit of the quote, unless the text says nothing else; what the quote contradicts counts.
  const ownStems = textStems.filter((stem) => !questionStems.has(stem) || contradicted.has(stem));
  const countedStems = ownStems.length > 0 ? ownStems : textStems;
  const quoteStems = stemsOf(quote);
  const supported = countedStems.filter((stem) => quoteStems.has(stem) && !contradicted.has(stem));
  return countedStems.length === 0 ? 0 : supported.length / countedStems.length;
}

const stemsOf = (text: string): Set<string> => new Set(contentWords(text).map(({ stem }: Word) => stem));

/** Whether the answer must be a number, in the languages whose asking words are short enough to list. */
const asksForNumber = (question: string): boolean => WHEN.test(question) || HOW_MANY.test(question);

const WHEN = anyOf(SENTENCE_WORDS.flatMap(({ when }) => when ?? []));
const HOW_MANY =
  /\b(how (many|much|long|old|far|often|tall|high|fast|quickly|big|large)|what (year|date|percentage|number|price|time|score)|cuánt[oa]s?|wie viele?)\b/i;

/** False when the evidence has numbers that the question doesn't, and the wording dropped all of them. */
function keepsNumber(
  words: readonly Word[],
  sourceStems: ReadonlySet<string>,
  questionStems: ReadonlySet<string>,
): boolean {
  const isNew = (stem: string): boolean => /\p{N}/u.test(stem) && !questionStems.has(stem);
  return ![...sourceStems].some(isNew) || words.some(({ stem }) => isNew(stem));
}
