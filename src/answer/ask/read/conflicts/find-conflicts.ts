import type { Conflict, ConflictingQuote, Evidence } from '../../answer.js';
import type { QuestionTerm } from '../evidence.js';
import { contentStems, analyzedWords } from '../words.js';
import { differ, readValues, type StatedValue } from './values.js';

/** An answer carries no more. */
const MOST_CONFLICTS = 3;
/** Both sentences must hold this share of the question's words themselves: else each may be about something else. */
const LEAST_ASKED = 0.5;
/** One sentence may have so many words that the other lacks, for each one that they share. */
const MORE_WORDS = 1 / 3;
const LONGEST_NAME = 4;

/**
 * Where sentences that match a question give different values for the same thing: the same frame of words with another number of
 * the same unit, another date, or another name in it. Rather silent than wrong: where anything else differs that could make two
 * things of one (a qualifier on both sides, a second value, a denial, another section of the same document), nothing is said.
 * Words are compared, not meanings: "24 months" and "two years" are not held against each other.
 * @param sentences best first
 */
export function findConflicts(sentences: readonly Evidence[], terms: readonly QuestionTerm[]): Conflict[] {
  const telling = terms.filter(({ stem }) => !LIGHT.has(stem));
  const statements = sentences.map(readStatement).filter(({ stems }) => asksFor(stems, telling));
  const conflicts = new Map<string, Conflict>();
  for (const [index, second] of statements.entries())
    for (const first of statements.slice(0, index)) {
      const conflict = compare(first, second, terms);
      if (!conflict) continue;
      // The same two values again, from copies of the sentences, say nothing new.
      const key = [conflict.kind, ...conflict.quotes.map(({ value }) => value.toLowerCase()).sort()].join('\n');
      if (!conflicts.has(key)) conflicts.set(key, conflict);
    }
  return [...conflicts.values()].slice(0, MOST_CONFLICTS);
}

interface Statement {
  sentence: Evidence;
  values: StatedValue[];
  /** Stems of the words that say what the values are of. */
  frame: Set<string>;
  /** Of those, the ones written with a capital, as written, in order, with their place among all words of the sentence. */
  names: { stem: string; text: string; place: number }[];
  denies: boolean;
  /** Stems of all words that carry meaning. */
  stems: Set<string>;
}

function readStatement(sentence: Evidence): Statement {
  const { values, rest } = readValues(sentence.quote);
  const stems = contentStems(sentence.quote);
  const frame = new Set([...contentStems(rest)].filter((stem) => !LIGHT.has(stem)));
  const words = analyzedWords(rest);
  const names = words.flatMap(({ stem, text }, place) =>
    frame.has(stem) && /^\p{Lu}/u.test(text) ? [{ stem, text, place }] : [],
  );
  return { sentence, values, frame, names, denies: words.some(({ text }) => NEGATION.test(text)), stems };
}

const asksFor = (stems: ReadonlySet<string>, terms: readonly QuestionTerm[]): boolean =>
  terms.length > 0 && terms.filter(({ stem }) => stems.has(stem)).length >= LEAST_ASKED * terms.length;

function compare(first: Statement, second: Statement, terms: readonly QuestionTerm[]): Conflict | null {
  if (first.denies !== second.denies || !comparablePlaces(first.sentence, second.sentence)) return null;
  const lackingStems = [lacking(first.frame, second.frame), lacking(second.frame, first.frame)] as const;
  const shared = first.frame.size - lackingStems[0].length;
  if (shared === 0) return null;
  const pair =
    lackingStems[0].length > 0 && lackingStems[1].length > 0
      ? names(first, second, terms)
      : figures(first, second, terms, shared);
  if (pair === null) return null;
  const [{ kind }] = pair;
  return { kind, quotes: [quoteOf(first.sentence, pair[0].text), quoteOf(second.sentence, pair[1].text)] };
}

type Told = { kind: Conflict['kind']; text: string };

/** The one number or date in which two sentences differ whose words fit. */
function figures(
  first: Statement,
  second: Statement,
  terms: readonly QuestionTerm[],
  shared: number,
): [Told, Told] | null {
  const extra = first.frame.size + second.frame.size - 2 * shared;
  if (extra > Math.floor(shared * MORE_WORDS) || hasName(first, second) || hasName(second, first)) return null;
  if (first.values.length !== second.values.length) return null;
  const unmatchedValues = [...second.values];
  let pair: [StatedValue, StatedValue] | null = null;
  for (const value of first.values) {
    const sameIndex = unmatchedValues.findIndex(
      (candidate) => candidate.key === value.key && !differ(value, candidate),
    );
    const matchIndex = sameIndex >= 0 ? sameIndex : unmatchedValues.findIndex(({ key }) => key === value.key);
    const [partner] = matchIndex < 0 ? [] : unmatchedValues.splice(matchIndex, 1);
    if (partner === undefined) return null;
    if (sameIndex >= 0) continue;
    // Two differences: one may be what the other depends on.
    if (pair !== null) return null;
    pair = [value, partner];
  }
  // A date that is asked about is a condition, and what holds on another day is no contradiction.
  return pair?.[0].kind === 'DATE' && pair.some(({ text }) => asksAbout(text, terms)) ? null : pair;
}

const hasName = ({ names: properNames }: Statement, { frame }: Statement): boolean =>
  properNames.some(({ stem }) => !frame.has(stem));

/** The one name in which two sentences differ that are alike otherwise. */
function names(first: Statement, second: Statement, terms: readonly QuestionTerm[]): [Told, Told] | null {
  const [firstName, secondName] = [ownName(first, second), ownName(second, first)];
  if (firstName === null || secondName === null || first.frame.size - firstName.split(' ').length < 2) return null;
  const sameFigures =
    first.values.length === second.values.length &&
    first.values.every((value) =>
      second.values.some((candidate) => candidate.key === value.key && !differ(value, candidate)),
    );
  if (!sameFigures || [firstName, secondName].some((text) => asksAbout(text, terms))) return null;
  return [
    { kind: 'NAME', text: firstName },
    { kind: 'NAME', text: secondName },
  ];
}

/** The name that is all a sentence has and another lacks; null when it has other words too, or several names. */
function ownName({ frame, names: properNames }: Statement, { frame: otherFrame }: Statement): string | null {
  const distinctNames = properNames.filter(({ stem }) => !otherFrame.has(stem));
  const words = new Set(distinctNames.map(({ stem }) => stem));
  const last = distinctNames.at(-1);
  // The first word of a sentence has a capital whatever it is.
  if (
    last === undefined ||
    last.place === 0 ||
    words.size !== lacking(frame, otherFrame).length ||
    distinctNames.length > LONGEST_NAME
  )
    return null;
  return last.place - distinctNames[0]!.place === distinctNames.length - 1
    ? distinctNames.map(({ text }) => text).join(' ')
    : null;
}

const asksAbout = (text: string, terms: readonly QuestionTerm[]): boolean => {
  const stems = contentStems(text);
  return terms.some(({ stem }) => stems.has(stem));
};

const lacking = (stems: ReadonlySet<string>, otherStems: ReadonlySet<string>): string[] =>
  [...stems].filter((stem) => !otherStems.has(stem));

/** Sections of one document are about different things, which their sentences need not repeat. */
const comparablePlaces = (first: Evidence, second: Evidence): boolean =>
  first.documentId !== second.documentId || first.headings.join('\n') === second.headings.join('\n');

const quoteOf = (sentence: Evidence, value: string): ConflictingQuote => {
  const { documentId, documentName, chunkId, collectionName, quote, start, end, page, headings, scores } = sentence;
  return { documentId, documentName, chunkId, collectionName, quote, start, end, page, headings, scores, value };
};

/** Stems of words that don't tell one thing from another. */
const LIGHT = contentStems(
  'run runs operate operates works work set amounts measures lasts last stands costs cost needs requires has holds uses gives makes ' +
    'exactly currently now today always usually normally officially according note important correct right true updated new ' +
    'value figure equal equals become becomes remain remains',
);
const NEGATION = /^(not|no|never|without|cannot|nor|neither|\p{L}+n['’]t)$/iu;
