import { anyOf, SENTENCE_WORDS, type AskedKind } from '../languages/index.js';
import { analyzedWords } from './words.js';

/** What a question asks for. */
export interface AnswerType {
  kind: AskedKind;
  /** Whether a sentence names it, which the question doesn't name itself. */
  isNamed(sentence: string): boolean;
}

/** The first that fits counts. */
const ASKED = (['REASON', 'FIGURE', 'NAME'] as const satisfies AskedKind[]).map(
  (kind) => [kind, anyOf(SENTENCE_WORDS.flatMap(({ asks }) => asks[kind]))] as const,
);
const FIGURE_WORD = anyOf(SENTENCE_WORDS.flatMap(({ figures }) => figures));
const REASON = anyOf(SENTENCE_WORDS.flatMap(({ reasons }) => reasons));

/** @returns null where the question's words don't say what it asks for */
export function answerTypeOf(question: string): AnswerType | null {
  const kind = ASKED.find(([, pattern]) => pattern.test(question))?.[0];
  if (kind === undefined) return null;
  if (kind === 'REASON') return { kind, isNamed: (sentence) => REASON.test(sentence) };
  const questionWords = new Set(analyzedWords(question).map(({ text }) => text.toLowerCase()));
  return {
    kind,
    isNamed: (sentence) =>
      analyzedWords(sentence).some(
        ({ text, name, numeric }) =>
          !questionWords.has(text.toLowerCase()) &&
          (kind === 'FIGURE' ? numeric || FIGURE_WORD.test(text) : name && !numeric),
      ),
  };
}
