import { splitSentences } from '../../knowledge/index.js';

/** Words of a question that is made: about as many as people ask with. */
const WORDS = { least: 5, most: 12 } as const;
/** Share of the words that are left out: people don't ask in the words of the document. */
const LEFT_OUT = 0.35;
const WORD = /[\p{L}\p{N}][\p{L}\p{M}\p{N}.,'’-]*/gu;

/**
 * A question whose answer stands in a text, made without any model: a stretch of one of its sentences, of which a telling word (a
 * number, a name, else the longest) is taken away as the answer, and some others at random.
 * @returns null where no sentence is long enough
 */
export function clozeQuestion(text: string, random: () => number): string | null {
  const sentences = splitSentences(text)
    .map((sentence) => [...sentence.text.matchAll(WORD)].map(([word]) => word.replace(/[.,'’-]+$/, '')))
    .filter((words) => words.length > WORDS.least);
  const words = sentences[Math.floor(random() * sentences.length)];
  if (!words) return null;
  const answer = telling(words);
  const from = Math.max(0, Math.min(answer - Math.floor(WORDS.most / 2), words.length - WORDS.most));
  const stretch = words.slice(from, from + WORDS.most + 1).filter((_, i) => from + i !== answer);
  const kept = stretch.filter(() => random() >= LEFT_OUT);
  return `${(kept.length < 3 ? stretch : kept).join(' ')}?`;
}

/** Place of the word that a question would ask for. */
function telling(words: readonly string[]): number {
  const rank = (word: string, i: number): number =>
    (/\p{N}/u.test(word) ? 200 : i > 0 && /^\p{Lu}/u.test(word) ? 100 : 0) + word.length;
  return words.reduce((best, word, i) => (rank(word, i) > rank(words[best]!, best) ? i : best), 0);
}
