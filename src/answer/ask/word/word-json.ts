import type { JsonForm } from '../../../worker-protocol/index.js';
import type { Evidence } from '../answer.js';
import type { AskEvent } from '../events.js';
import { declined } from '../abstention.js';
import type { GenerationResult } from '../prompt/generate.js';
import { checkWording } from './verify.js';
import { abstained, FINISH_REASONS, passOn, type Completion } from './word-answer.js';

const UNSUPPORTED = 'The documents don’t bear out what the model wrote.';

/**
 * JSON in the model's words. Where documents were read, what it says of its own is held against them; what they don't support is refused,
 * because no quote could stand in its place. What was cut off by its limit is told as it is.
 * @param source.best the best evidence; undefined where nothing was read
 */
export async function* wordJson(
  generation: AsyncGenerator<string, GenerationResult>,
  { best, read }: { best: Evidence | undefined; read: readonly string[] },
  { question, form }: { question: string; form: JsonForm },
): AsyncGenerator<AskEvent, Completion> {
  const result = yield* passOn(generation);
  const { text } = result;
  const finishReason = FINISH_REASONS[result.reason];
  const statements = best === undefined ? '' : ownValues(text, form).trim();
  if (best === undefined || statements === '' || bears([...read, best.quote], statements, question, form))
    return {
      text,
      wording: 'MODEL',
      finishReason,
      output: { kind: 'TEXT' },
      abstention: null,
      answerability: null,
      done: result,
      tokens: result.tokens ?? null,
    };
  const abstention = { ...declined(), sentence: UNSUPPORTED };
  yield { type: 'replaced', text: abstention.sentence, reason: UNSUPPORTED };
  return { ...abstained(abstention), finishReason, done: result };
}

/** Where the form has the model choose (a boolean, one of several values), that choice may be all that it says of its own, and it is in no document. */
function bears(evidence: readonly string[], statements: string, question: string, form: JsonForm): boolean {
  const { supported, missing } = checkWording(statements, evidence, question);
  return supported || (missing.length === 0 && form.some(({ kind }) => kind === 'boolean' || kind === 'literal'));
}

/** Texts of a JSON text, each with what follows a name; a text that was cut off; numbers with what shows that they weren't. */
const WRITTEN = /("(?:[^"\\]|\\.)*")(\s*:)?|"(?:[^"\\]|\\.)*$|-?\d[\d.eE+-]*(?=\s*[,\]}])|^-?\d[\d.eE+-]*$/g;

/**
 * The texts, numbers and names of a JSON text that its form doesn't prescribe, a line each: what the model says of its own. Of a text that was cut
 * off, those that it wrote to their end.
 */
export function ownValues(text: string, form: JsonForm): string {
  const literals = new Set(form.flatMap((node) => (node.kind === 'literal' ? node.texts : [])));
  const propertyNames = new Set(
    form.flatMap((node) => (node.kind === 'object' ? node.properties.map(({ name }) => name) : [])),
  );
  const values: string[] = [];
  for (const [token, quoted, colon] of text.matchAll(WRITTEN)) {
    if (quoted === undefined) {
      if (!token.startsWith('"') && !literals.has(token)) values.push(token);
      continue;
    }
    const value = textOf(quoted);
    if (value !== null && !(colon === undefined ? literals.has(JSON.stringify(value)) : propertyNames.has(value)))
      values.push(value);
  }
  return values.join('\n');
}

function textOf(quoted: string): string | null {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return null;
  }
}
