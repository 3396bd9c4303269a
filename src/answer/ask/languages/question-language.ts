import type { RouteReason } from '../answer.js';
import { LANGUAGES, listed } from './index.js';
import type { Plan } from '../plan.js';

/** A question is too short for n-grams to be sure, and their tables take 90 MB in every gateway: words that are in most questions tell. */
const IN_QUESTIONS: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  LANGUAGES.map(({ code, inQuestions }) => [code, listed(inQuestions)]),
);

/** Languages whose script says which they are, or at least that they are none of those told by words. */
const SCRIPTS: readonly (readonly [language: string, letters: RegExp])[] = [
  ['ru', /\p{Script=Cyrillic}/gu],
  ['el', /\p{Script=Greek}/gu],
  ['ar', /\p{Script=Arabic}/gu],
  ['ja', /[\p{Script=Hiragana}\p{Script=Katakana}]/gu],
  ['zh', /\p{Script=Han}/gu],
  ['ko', /\p{Script=Hangul}/gu],
  ['hi', /\p{Script=Devanagari}/gu],
  ['th', /\p{Script=Thai}/gu],
];

/** How many telling words it takes. */
const ENOUGH = 2;

/** The language of a question, ISO 639-1; null where little speaks for any. */
export function languageOf(question: string): string | null {
  const letters = question.match(/\p{L}/gu)?.length ?? 0;
  const script = SCRIPTS.find(([, pattern]) => 2 * (question.match(pattern)?.length ?? 0) > letters);
  if (script) return script[0];
  const words = wordSet(question);
  const ranking = Object.entries(IN_QUESTIONS)
    .map(([language, telling]) => ({ language, count: countOf(telling, words) }))
    .sort((a, b) => b.count - a.count);
  const [first, second] = ranking;
  return first!.count >= ENOUGH && first!.count > second!.count ? first!.language : null;
}

/** Whether a question is in a language for all that is known: something speaks for it, and nothing more for another. */
export function seemsIn(language: string, question: string): boolean {
  const detectedLanguage = languageOf(question);
  if (detectedLanguage !== null) return detectedLanguage === language;
  const words = wordSet(question);
  const counts = Object.entries(IN_QUESTIONS).map(([name, telling]) => ({ name, count: countOf(telling, words) }));
  const ownCount = counts.find(({ name }) => name === language)?.count ?? 0;
  return ownCount > 0 && counts.every(({ count }) => count <= ownCount);
}

/** Whether nothing speaks for any language, no word and no letter (ł, ñ): key words, most of the time. */
export function isUntold(question: string): boolean {
  const words = wordSet(question);
  const foreign = /[^\P{L}a-z]/iu.test(question);
  return !foreign && Object.values(IN_QUESTIONS).every((telling) => countOf(telling, words) === 0);
}

const wordSet = (question: string): Set<string> => new Set(question.toLowerCase().match(/\p{L}+(?:-\p{L}+)?/gu));
const countOf = (telling: readonly string[], words: ReadonlySet<string>): number =>
  telling.filter((word) => words.has(word)).length;

/**
 * What should be known of a question in a language that the embedder wasn't trained for; null where it was, or where the question's is unknown. Any two
 * sentences of such a language are near each other (`npm run bench -- languages`).
 * @param trained ISO 639-1; null: any
 */
export function embedderReason(trained: readonly string[] | null, question: string): RouteReason | null {
  const questionLanguage = languageOf(question);
  if (questionLanguage === null || trained === null || trained.includes(questionLanguage)) return null;
  return {
    feature: 'retrieval.language',
    value: 0,
    contribution: -1,
    sentence: `The question seems to be in a language (${questionLanguage}) that the embedder didn’t learn (${trained.join(', ')}): it tells less surely what is not in the documents.`,
  };
}

/** What should be known of a question in another language than the adapter learned; null where it is the same, or unknown. */
export function languageReason({ adaptation }: Plan, question: string): RouteReason | null {
  const adapterLanguage = adaptation?.adapter.usage.language;
  if (adapterLanguage === undefined || adaptation === null) return null;
  const questionLanguage = languageOf(question);
  if (questionLanguage === null || questionLanguage === adapterLanguage) return null;
  const { adapter, version } = adaptation.adapter;
  return {
    feature: 'adapter.language',
    value: 0,
    contribution: -1,
    sentence: `The question seems to be in another language (${questionLanguage}) than ${adapter}@${version} learned (${adapterLanguage}).`,
  };
}
