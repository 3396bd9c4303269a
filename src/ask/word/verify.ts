import { contradictions } from './contradictions.js';
import { contentWords, type Word } from '../read/words.js';

export interface Support {
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
  const held = stemsOf(source);
  const asked = stemsOf(question);
  const words = contentWords(wording);
  const contradicted = contradicting ? contradictions(wording, source) : new Set<string>();
  const missing = words.filter(({ stem }) => contradicted.has(stem) || (!held.has(stem) && !asked.has(stem)));
  const answered = !asksForNumber(question) || keepsNumber(words, held, asked);
  const informative = words.some(({ stem }) => held.has(stem) && !asked.has(stem)) || isYesNo(wording);
  return {
    supported: words.length > 0 && missing.length === 0 && informative && answered,
    share: words.length === 0 ? 0 : 1 - missing.length / words.length,
    missing: missing.map(({ text }) => text),
  };
}

/** How much of a text's content a quote holds, 0 to 1: words by their number, each once. */
export function supportShare(text: string, quote: string, question: string): number {
  const said = [...stemsOf(text)];
  const asked = stemsOf(question);
  const contradicted = contradictions(text, quote);
  // What the question says already is no merit of the quote, unless the text says nothing else; what the quote contradicts counts.
  const own = said.filter((stem) => !asked.has(stem) || contradicted.has(stem));
  const counted = own.length > 0 ? own : said;
  const held = stemsOf(quote);
  const supported = counted.filter((stem) => held.has(stem) && !contradicted.has(stem));
  return counted.length === 0 ? 0 : supported.length / counted.length;
}

const stemsOf = (text: string): Set<string> => new Set(contentWords(text).map(({ stem }: Word) => stem));

/** Whether the answer must be a number, in the languages whose asking words are short enough to list. */
const asksForNumber = (question: string): boolean =>
  /\b(how (many|much|long|old|far|often|tall|high|fast|quickly|big|large)|when|what (year|date|percentage|number|price|time|score)|cuánt[oa]s?|cuándo|wie viele?)\b/i.test(
    question,
  );

/** False when the evidence has numbers that the question doesn't, and the wording dropped all of them. */
function keepsNumber(words: readonly Word[], held: ReadonlySet<string>, asked: ReadonlySet<string>): boolean {
  const isNew = (stem: string): boolean => /\p{N}/u.test(stem) && !asked.has(stem);
  return ![...held].some(isNew) || words.some(({ stem }) => isNew(stem));
}

const isYesNo = (wording: string): boolean => /^(yes|no|sí)\b/i.test(wording.trim());
