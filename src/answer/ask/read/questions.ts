import type { Sentence } from '../../../kernel/sentences.js';

/** What a list of questions and answers puts before its answers. */
export const ANSWER_LABEL = /^\W{0,4}(a|answer|respuesta|antwort|réponse)\W{0,2}:/iu;
const QUESTION_LABEL = /^\W{0,4}(q|question|pregunta|frage)\W{0,2}(\d{1,3}\W{0,2})?:/iu;
/** Whether a sentence stands in a list of questions and answers. */
export const isLabelled = (text: string): boolean => ANSWER_LABEL.test(text) || QUESTION_LABEL.test(text);

/** A second `Name: value`, as a table's row has. */
const NEXT_CELL = /;\s?[^:;]{1,60}:/u;

const MARKED = /[?？؟][?!？！؟]{0,8}$/u;
/** What a whole question may be set in. A statement may end in the question that it quotes. */
const SET_IN = /^["'“‘„«»(*_]{1,4}([^]*?)["'”’“«»)*_]{1,4}$/u;

/** Whether a sentence asks, as far as its mark tells. */
export const isQuestion = (text: string): boolean => MARKED.test(SET_IN.exec(text)?.[1] ?? text);

/** Whether a sentence is a row of a table, whose cells have their names before them. */
export const isRow = (text: string): boolean => NEXT_CELL.test(text);

const CELL_OF_ANSWER = /;\s?(answer|respuesta|antwort|réponse):/iu;

/** A sentence without the label that says no more than that it answers a question: the one before, or that of its own row. */
export function withoutAnswerLabel(text: string, afterQuestion: boolean): string {
  if (QUESTION_LABEL.test(text)) return text.replace(CELL_OF_ANSWER, ';');
  return afterQuestion ? text.replace(ANSWER_LABEL, '') : text;
}

/** What a sentence has to do with a question of its text. */
interface Asking {
  asks: boolean;
  /** Whether it goes on with the question before it. */
  goesOn: boolean;
  /** Whether it follows a question, or answers one by its label. */
  afterQuestion: boolean;
}

/**
 * The questions of a text, sentence by sentence. What is labelled as a question (`Q:`) is one without a question mark, too, with all of its line where an
 * answer is labelled below; and what is labelled so answers it, further down its paragraph as well.
 */
export function readQuestions(text: string, sentences: readonly Sentence[]): Asking[] {
  const gapBefore = (index: number): string => text.slice(sentences[index - 1]?.end ?? 0, sentences[index]!.start);
  const answeredBelow = (from: number): boolean => {
    const lineIndex = sentences.findIndex((_, index) => index > from && gapBefore(index).includes('\n'));
    return lineIndex >= 0 && ANSWER_LABEL.test(sentences[lineIndex]!.text);
  };
  let last: Asking = { asks: false, goesOn: false, afterQuestion: false };
  let [lineAsks, unanswered] = [false, false];
  return sentences.map(({ text: sentence }, index) => {
    if (/\n\s*\n/.test(gapBefore(index))) unanswered &&= last.asks;
    const answers = ANSWER_LABEL.test(sentence);
    const labelled = QUESTION_LABEL.test(sentence) && !isRow(sentence);
    const goesOn = lineAsks && !gapBefore(index).includes('\n') && !answers;
    lineAsks = goesOn || (labelled && answeredBelow(index));
    const afterQuestion = last.asks || (answers && unanswered);
    unanswered = labelled || (unanswered && !answers);
    last = { asks: labelled || goesOn || isQuestion(sentence), goesOn, afterQuestion };
    return last;
  });
}
