/*
 * Documents answer with the best sentence, so that of two questions put as one the other is left without an answer. Nothing is split here: who asked is
 * told.
 */
import type { RouteReason } from '../answer.js';
import { anyOf, SENTENCE_WORDS } from '../languages/index.js';

/** The end of a question, however many marks it has; `?` inside an address is none. */
const ENDED = /(?:\?(?=[\s?!]|$)|[？؟])[\s?!？؟]*/;

/** Behind the last question mark, the end of what asks nothing: "What is the fee? I am 17." */
const STATED = /[.!。]["'”’)]*\s*$/u;

const among = (words: 'joins' | 'asides'): string[] => SENTENCE_WORDS.flatMap(({ [words]: phrases }) => phrases ?? []);
/** One that begins behind an "and". */
const JOINED = anyOf(among('joins'), 'giu');
const ASIDE = new RegExp(`^(?:${among('asides').join('|')})\\P{L}*$`, 'iu');

/** How many questions a text asks at once, as far as its marks and words tell, which may be too many: 1 or more. */
export function questionsIn(text: string): number {
  const pieces = text
    .normalize('NFC')
    .split(ENDED)
    .map((piece) => piece.replace(/^[^\p{L}\p{N}]+/u, ''));
  const lastIndex = pieces.length - 1;
  const questions = pieces.filter(
    (piece, i) =>
      piece !== '' && !ASIDE.test(piece) && !(i === lastIndex && STATED.test(piece) && !beginsJoined(piece)),
  );
  // What a question begins with joins it to another, which is not here or counted already.
  const joined = pieces.flatMap((piece) => [...piece.matchAll(JOINED)].filter(({ index }) => index > 0));
  return Math.max(1, questions.length) + joined.length;
}

const beginsJoined = (piece: string): boolean => piece.search(JOINED) === 0;

/** What should be known of several questions in one, where a sentence of the documents is the answer; null where only one is asked. */
export function severalReason(question: string): RouteReason | null {
  const count = questionsIn(question);
  return count === 1
    ? null
    : {
        feature: 'question.several',
        value: count,
        contribution: -1,
        sentence: `These seem to be ${count} questions in one, and one of them may be left without an answer: ask them one by one.`,
      };
}
