import type { JsonForm } from '../../worker-protocol/index.js';
import type { Evidence } from '../answer.js';
import type { AskEvent } from '../events.js';
import { declined } from '../judge/abstain.js';
import type { Generated } from './generate.js';
import { checkWording } from './verify.js';
import { abstained, FINISH_REASONS, passOn, type Completion } from './word-answer.js';

const UNSUPPORTED = 'The documents don’t bear out what the model wrote.';

/**
 * JSON in the model's words. Where documents were read, what it says of its own is held against them; what they don't support is refused,
 * because no quote could stand in its place. What was cut off by its limit is told as it is.
 * @param source.best the best evidence; undefined where nothing was read
 */
export async function* wordJson(
  generation: AsyncGenerator<string, Generated>,
  { best, read }: { best: Evidence | undefined; read: readonly string[] },
  { question, form }: { question: string; form: JsonForm },
): AsyncGenerator<AskEvent, Completion> {
  const done = yield* passOn(generation);
  const { text } = done;
  const finishReason = FINISH_REASONS[done.reason];
  const own = best === undefined ? '' : ownValues(text, form);
  if (best === undefined || own === '' || checkWording(own, [...read, best.quote], question).supported)
    return {
      ...{ text, wording: 'MODEL', finishReason, output: { kind: 'TEXT' } },
      ...{ abstention: null, answerability: null, done, tokens: done.tokens ?? null },
    };
  const abstention = { ...declined(), sentence: UNSUPPORTED };
  yield { type: 'replaced', text: abstention.sentence, reason: UNSUPPORTED };
  return { ...abstained(abstention), finishReason, done };
}

/**
 * The texts and numbers of a JSON text that its form doesn't prescribe, a line each: what the model says of its own. Of a text that was cut
 * off, all of it.
 */
export function ownValues(text: string, form: JsonForm): string {
  const given = new Set(form.flatMap((node) => (node.kind === 'literal' ? node.texts : [])));
  const own: string[] = [];
  const look = (value: unknown): void => {
    if (typeof value === 'object' && value !== null) Object.values(value).forEach(look);
    else if (typeof value === 'string' || typeof value === 'number')
      if (!given.has(JSON.stringify(value))) own.push(String(value));
  };
  try {
    look(JSON.parse(text));
  } catch {
    return text;
  }
  return own.join('\n');
}
