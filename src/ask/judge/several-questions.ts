import type { RouteReason } from '../answer.js';

/** The end of a question, however many marks it has; `?` inside an address is none. */
const ENDED = /(?:\?(?=[\s?!]|$)|[？؟])[\s?!？؟]*/g;

/** One that begins behind an "and", in English, Spanish, German and French, as the words of `answer-type.ts` are. */
const JOINED =
  /(?<!\p{L})(?:(?:and|or) (?:who|whom|whose|what|when|where|which|why|how)|[yo] (?:por qué|a quién|quién(?:es)?|qué|cuándo|dónde|cuál(?:es)?|cuánt[oa]s?|cómo)|(?:und|oder) (?:wer|wem|wen|was|wann|wo|welche[nmrs]?|warum|wie)|(?:et|ou) (?:qui|quand|où|quel(?:le)?s?|pourquoi|comment|combien))(?!\p{L})/giu;

/** How many questions a text asks at once, as far as its marks and words tell: 1 or more. */
export function questionsIn(text: string): number {
  return Math.max(1, text.match(ENDED)?.length ?? 0) + (text.match(JOINED)?.length ?? 0);
}

/** What should be known of several questions in one, where a sentence of the documents is the answer; null where only one is asked. */
export function severalReason(question: string): RouteReason | null {
  const asked = questionsIn(question);
  return asked === 1
    ? null
    : {
        feature: 'question.several',
        value: asked,
        contribution: -1,
        sentence: `These seem to be ${asked} questions in one, and one of them may be left without an answer: ask them one by one.`,
      };
}
