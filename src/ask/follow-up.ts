import { wordsOf } from '../kernel/text.js';

/** Words that point at what was said before. */
const POINTING = new Set(
  'it its they them their theirs he him his she her hers this that these those one ones there then both either neither same other others former latter'.split(
    ' ',
  ),
);

/** How a question begins that goes on where the last one ended, whatever follows. */
const GOES_ON = /^\s*(?:and|or|but|so|also|what about|how about|what if)\b/i;

/** Beginnings that go on only where little follows: "How much?" does, "How much does shipping to Norway cost?" asks for itself. */
const MOST_WORDS_OF_A_BARE_QUESTION = 3;

/** Longer questions say what they are about, whatever words they use. */
const MOST_WORDS_OF_A_FOLLOW_UP = 14;

const BARE = /^\s*(?:since when|until when|which ones?|for how long|by whom|how|when|where|who|why)\b/i;

/**
 * A question that stands for itself: a follow-up (a pointing word, a beginning that goes on, very few words) behind the questions that it
 * follows, the rest as they are. Plain concatenation: retrieval and the reader both work with the words that are there.
 * @param earlier what the same person asked before, oldest first
 * @returns the question to be answered, and how many earlier ones are part of it
 */
export function standaloneQuestion(question: string, earlier: readonly string[]): { text: string; joined: number } {
  if (!goesOn(question)) return { text: question, joined: 0 };
  // What the last question follows itself is what this one is about, too.
  let first = earlier.length;
  while (first > 0) {
    first -= 1;
    if (!goesOn(earlier[first]!)) break;
  }
  const followed = earlier.slice(first);
  return { text: [...followed, question].join(' '), joined: followed.length };
}

/** Whether a question points at what was said before it. */
export function goesOn(question: string): boolean {
  const words = wordsOf(question.toLowerCase());
  if (words.length > MOST_WORDS_OF_A_FOLLOW_UP) return false;
  if (GOES_ON.test(question)) return true;
  if (words.length <= MOST_WORDS_OF_A_BARE_QUESTION && BARE.test(question)) return true;
  return words.some((word) => POINTING.has(word)) && !namesSomething(question);
}

/** Whether it has a name or a number of its own, behind its first word: then pointing words mostly point at that. */
const namesSomething = (question: string): boolean => /\s\p{Lu}[\p{L}\p{N}]+|\d/u.test(question.trim());
