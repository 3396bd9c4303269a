import { splitSentences } from '../../../kernel/sentences.js';
import { wordsOf } from '../../../kernel/text.js';
import type { TermWeight } from '../retrieval/lexical.js';

/** Words of a sentence that can become a question: fewer say nothing, more are tables and lists. */
const WORDS = { least: 8, most: 50 } as const;
/** Words that have to be left for a question to ask for anything. */
const LEAST_LEFT = 3;

/** A sentence of the passage that may become a question, the same for the same `draw`; null where there is none. */
export function clozeSentence(passage: string, draw: number): string | null {
  const fit = splitSentences(passage).filter(({ text }) => {
    const { length } = wordsOf(text);
    return length >= WORDS.least && length <= WORDS.most;
  });
  return fit[Math.floor(draw * fit.length)]?.text ?? null;
}

/** The words of sentences, to be weighed together. */
export const clozeWords = (sentences: readonly string[]): string[] => [...new Set(sentences.flatMap(wordsOf))];

/**
 * What is left of a sentence without the rarer half of its words. With them, words alone would always find the passage that
 * they were taken from, which no question of a reader's does.
 * @param weights of words that are not stop words
 * @returns null where too little is left
 */
export function clozeQuestion(sentence: string, weights: ReadonlyMap<string, TermWeight>): string | null {
  const words = wordsOf(sentence);
  const telling = [...new Set(words.filter((word) => weights.has(word)))];
  const rarity = (word: string) => weights.get(word)!.idf;
  const hidden = new Set(telling.sort((a, b) => rarity(b) - rarity(a)).slice(0, Math.floor(telling.length / 2)));
  if (telling.length - hidden.size < LEAST_LEFT) return null;
  return words.filter((word) => !hidden.has(word)).join(' ');
}
