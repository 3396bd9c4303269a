import { readAnswer } from '../../../sources/data/index.js';
import type { Abstention, Evidence, FinishReason, Output, Wording } from '../answer.js';
import { declined } from '../abstention.js';
import type { AskEvent } from '../events.js';
import type { Adaptation } from '../plan.js';
import type { WrittenToken } from '../../../worker-protocol/index.js';
import type { GenerationResult } from '../prompt/generate.js';
import { checkWording } from './verify.js';

/** The text of an answer and where it comes from. */
export interface Completion {
  text: string;
  wording: Wording;
  finishReason: FinishReason | null;
  output: Output;
  abstention: Abstention | null;
  /** How probable the model itself finds it that what it read holds the answer, 0 to 1; null where it wasn't asked. */
  answerability: number | null;
  /** What the model took; null when none was asked. */
  done: Pick<GenerationResult, 'promptTokens' | 'reusedTokens' | 'generatedTokens' | 'prefillMs' | 'decodeMs'> | null;
  /** The text's tokens as the model wrote them; missing or null where nobody asked, or the text is none that it wrote. */
  tokens?: readonly WrittenToken[] | null;
}

/** The text of an answer that is none. */
export function* wordAbstention(abstention: Abstention): Generator<AskEvent, Completion> {
  yield { type: 'delta', text: abstention.sentence };
  return { ...abstained(abstention), finishReason: null, done: null };
}

/** The best sentence as the text. */
export function* wordQuote(best: Evidence): Generator<AskEvent, Completion> {
  yield { type: 'delta', text: best.quote };
  return { ...quoted(best), finishReason: null, done: null };
}

/**
 * Passes on the model's words, then holds them against what it read: words that this doesn't support are replaced by the
 * best sentence, because what can't be checked against a source is worth less than the source itself. So are words that
 * ended in a loop; where there is no sentence, the loop is cut off. A base model that says nothing refuses nothing: it has no word in it.
 * @param hasStop whether a text of the caller ends the words: where it comes first, there is nothing to say, and nothing was refused
 * @param source.best the best evidence; undefined where the model answers from what it knows, and nothing can be checked
 */
export async function* wordAnswer(
  generation: AsyncGenerator<string, GenerationResult>,
  { best, read }: { best: Evidence | undefined; read: readonly string[] },
  { question, adaptation, hasStop }: { question: string; adaptation: Adaptation | null; hasStop: boolean },
): AsyncGenerator<AskEvent, Completion> {
  const result = yield* passOn(generation);
  const finishReason = FINISH_REASONS[result.reason];
  const repeated = finishReason === 'REPEATED';
  const replaced = (text: string, reason: string): AskEvent => ({
    type: 'replaced',
    text,
    reason: repeated ? REPEATED : reason,
  });
  const isEndedAtOnce = hasStop && best === undefined && result.reason === 'stop' && result.kept === '';
  const reply = isEndedAtOnce
    ? NO_WORDS
    : adaptation
      ? readTask(result.kept, adaptation)
      : readPlain(result.kept, best !== undefined);
  if (best !== undefined && adaptation === null && result.kept === '') {
    yield replaced(best.quote, 'The model wrote nothing.');
    return { ...quoted(best), finishReason, done: result };
  }
  if (reply === null || (repeated && best === undefined && !SAYS_SOMETHING.test(reply.text))) {
    const abstention = declined();
    yield replaced(abstention.sentence, 'The model gave no answer.');
    return { ...abstained(abstention), finishReason, done: result };
  }
  const { text, output } = reply;
  const worded: Completion = {
    text,
    wording: 'MODEL',
    finishReason,
    output,
    abstention: null,
    answerability: null,
    done: result,
    tokens: text === result.kept ? (result.tokens ?? null) : null,
  };
  const isChecked = best !== undefined && output.kind === 'TEXT';
  if (text !== result.text && !(repeated && isChecked)) yield replaced(text, 'The answer in the form of its task.');
  if (!isChecked) return worded;
  const { supported, missing } = checkWording(text, [...read, best.quote], question);
  if (supported && !repeated) return worded;
  yield replaced(best.quote, whyReplaced(missing));
  return { ...worded, text: best.quote, wording: 'EVIDENCE', tokens: null };
}

/** The model's words as they come; returns what it reported at the end. */
export async function* passOn(
  generation: AsyncGenerator<string, GenerationResult>,
): AsyncGenerator<AskEvent, GenerationResult> {
  let result = await generation.next();
  try {
    for (; !result.done; result = await generation.next()) yield { type: 'delta', text: result.value };
  } finally {
    // Whoever stops listening stops the model.
    if (!result.done) await generation.return(undefined as never);
  }
  return result.value;
}

export const FINISH_REASONS = {
  eos: 'END',
  stop: 'END',
  length: 'LENGTH',
  repeated: 'REPEATED',
} as const satisfies Record<GenerationResult['reason'], FinishReason>;

const REPEATED = 'The model said the same over and over and was stopped.';
const SAYS_SOMETHING = /[\p{L}\p{N}]/u;

export const abstained = (abstention: Abstention): Omit<Completion, 'done' | 'finishReason'> => ({
  text: abstention.sentence,
  wording: 'ABSTENTION',
  output: { kind: 'TEXT' },
  abstention,
  answerability: null,
});

const quoted = ({ quote }: Evidence): Omit<Completion, 'done' | 'finishReason'> => ({
  text: quote,
  wording: 'EVIDENCE',
  output: { kind: 'TEXT' },
  abstention: null,
  answerability: null,
});

/** What was said, as text and in the form of its task. */
type TextAndOutput = { text: string; output: Output };

const NO_WORDS: TextAndOutput = { text: '', output: { kind: 'TEXT' } };

/** Words of the base model; null when they are none, or say that the excerpts hold no answer. */
const readPlain = (text: string, reading: boolean): TextAndOutput | null =>
  text === '' || (reading && isRefusal(text)) ? null : { text, output: { kind: 'TEXT' } };

/** Words of an adapted model as its task means them; null when they are no answer of the task, or a refusal. */
function readTask(text: string, { input, context }: Adaptation): TextAndOutput | null {
  const answer = readAnswer(text, input, context);
  if (answer === null) return null;
  switch (answer.kind) {
    case 'LABEL':
      return { text: answer.label, output: { kind: 'LABEL', label: answer.label, probabilities: [] } };
    case 'ENTITIES':
      return { text, output: { kind: 'ENTITIES', entities: answer.entities } };
    case 'TEXT':
      return answer.refused ? null : { text: answer.text, output: { kind: 'TEXT' } };
  }
}

/** What the prompt tells a model to say when the excerpts hold no answer. */
const isRefusal = (text: string): boolean => /^["'“]?not in the documents\b/i.test(text);

const whyReplaced = (missing: readonly string[]): string =>
  missing.length === 0
    ? 'The model’s words leave out what the question asks for.'
    : `The evidence does not say: ${[...new Set(missing)].slice(0, 5).join(', ')}.`;
