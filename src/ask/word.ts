import type { GenerateDone } from '../worker-protocol/index.js';
import type { Abstention, Evidence, Wording } from './answer.js';
import { declined } from './abstain.js';
import type { AskEvent } from './events.js';
import { checkWording } from './verify.js';

/** The text of an answer and where it comes from. */
export interface Worded {
  text: string;
  wording: Wording;
  abstention: Abstention | null;
  /** What the worker reported; null when no model was asked. */
  done: GenerateDone | null;
}

/** The text of an answer that is none. */
export function* wordAbstention(abstention: Abstention): Generator<AskEvent, Worded> {
  yield { type: 'delta', text: abstention.sentence };
  return { text: abstention.sentence, wording: 'ABSTENTION', abstention, done: null };
}

/**
 * Passes on the model's words, then holds them against what it read: words that this doesn't support are replaced by the
 * best sentence, because what can't be checked against a source is worth less than the source itself.
 * @param source.best the best evidence; undefined where the model answers from what it knows, and nothing can be checked
 */
export async function* wordAnswer(
  generation: AsyncGenerator<string, GenerateDone>,
  { best, read }: { best: Evidence | undefined; read: readonly string[] },
  question: string,
): AsyncGenerator<AskEvent, Worded> {
  let result = await generation.next();
  try {
    for (; !result.done; result = await generation.next()) yield { type: 'delta', text: result.value };
  } finally {
    // Whoever stops listening stops the model.
    if (!result.done) await generation.return(undefined as never);
  }
  const done = result.value;
  if (best === undefined ? done.text === '' : isRefusal(done.text)) {
    const abstention = declined();
    yield { type: 'replaced', text: abstention.sentence, reason: 'The model gave no answer.' };
    return { text: abstention.sentence, wording: 'ABSTENTION', abstention, done };
  }
  if (best === undefined) return { text: done.text, wording: 'MODEL', abstention: null, done };
  const { supported, missing } = checkWording(done.text, [...read, best.quote], question);
  if (supported) return { text: done.text, wording: 'MODEL', abstention: null, done };
  yield { type: 'replaced', text: best.quote, reason: whyReplaced(missing) };
  return { text: best.quote, wording: 'EVIDENCE', abstention: null, done };
}

/** What the prompt tells a model to say when the excerpts hold no answer. */
const isRefusal = (text: string): boolean => /^["'“]?not in the documents\b/i.test(text);

const whyReplaced = (missing: readonly string[]): string =>
  missing.length === 0
    ? 'The model’s words leave out what the question asks for.'
    : `The evidence does not say: ${[...new Set(missing)].slice(0, 5).join(', ')}.`;
