import { wordsOf } from '../../kernel/text.js';
import { SENTENCE_WORDS } from './languages/index.js';

/** Words that point at what was said before, wherever they stand. */
const POINTING = new Set('it its they them their theirs he him his she her hers one ones former latter'.split(' '));

const VERBS = 'is|are|was|were|do|does|did|can|could|will|would|shall|should|may|might|must|has|have|had';
/** Behind these a clause begins: "Does this cover theft?", "What happens if that fails?" */
const BEFORE_SUBJECTS = `${VERBS}|if|when|because|while|whether|how|why|what|where`;
const PREPOSITIONS = 'about|after|at|before|by|during|for|from|in|of|on|since|to|under|until|with|without';
const TIMES =
  'time|minute|hour|morning|afternoon|evening|night|day|week|weekend|month|quarter|season|spring|summer|autumn|fall|winter|year';

/** Words that point in some places only: not in "Is there a fee?", "a pump that leaks", "this month", "at this hotel" or "those who pay late". */
const POINTING_IN_PLACE = [
  /\b(?:this|that|these|those|there|then)\W*$/i,
  new RegExp(`(?:^\\s*|\\b(?:${BEFORE_SUBJECTS})\\s+)(?:this|these)\\b(?!\\s+(?:${TIMES})s?\\b)`, 'i'),
  new RegExp(
    `(?:^\\s*|\\b(?:${BEFORE_SUBJECTS}|${PREPOSITIONS})\\s+)(?:that|those)\\b(?!\\s+(?:who|that|which|with)\\b)`,
    'i',
  ),
];

const among = (words: 'goesOn' | 'bare' | 'fragment'): string[] =>
  SENTENCE_WORDS.flatMap(({ followUps }) => followUps?.[words] ?? []);
const beginsWith = (alternatives: readonly string[]): RegExp =>
  new RegExp(`^[\\s¿¡]*(?:${alternatives.join('|')})(?!\\p{L})`, 'iu');

/** How a question begins that goes on where the last one ended, whatever follows. */
const GOES_ON = beginsWith(among('goesOn'));

/** Beginnings that go on only where little follows: "How much?" does, "How much does shipping to Norway cost?" asks for itself. */
const BARE = beginsWith(among('bare'));
const MOST_WORDS_OF_A_BARE_QUESTION = 3;

/** Questions without a verb and a subject: "With how much acid?", "For children under 4?" */
const FRAGMENT = beginsWith(among('fragment'));
const MOST_WORDS_OF_A_FRAGMENT = 4;
const VERB = new RegExp(`\\b(?:${VERBS})\\b`, 'i');

/** Longer questions say what they are about, whatever words they use. */
const MOST_WORDS_OF_A_FOLLOW_UP = 14;

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
  if (words.length <= MOST_WORDS_OF_A_FRAGMENT && FRAGMENT.test(question) && !VERB.test(question)) return true;
  if (namesSomething(question)) return false;
  return (words.length <= MOST_WORDS_OF_A_BARE_QUESTION && BARE.test(question)) || points(question, words);
}

const points = (question: string, words: readonly string[]): boolean =>
  words.some((word) => POINTING.has(word)) || POINTING_IN_PLACE.some((pattern) => pattern.test(question));

/** Whether it has a name or a number of its own, behind its first word: then it stands for itself, and pointing words mostly point at that. */
const namesSomething = (question: string): boolean => /\s\p{Lu}[\p{L}\p{N}]+|\d/u.test(question.trim());
