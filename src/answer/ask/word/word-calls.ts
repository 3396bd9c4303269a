import type { ToolCall } from '../../../sources/prompting/index.js';
import type { CallForm } from '../../../worker-protocol/index.js';
import { declined } from '../abstention.js';
import type { AskEvent } from '../events.js';
import type { GenerationResult } from '../prompt/generate.js';
import { abstained, FINISH_REASONS, passOn, type Completion } from './word-answer.js';

/** What the model says, and the functions that it calls. A call that was cut off by the limit is none. */
export async function* wordCalls(
  generation: AsyncGenerator<string, GenerationResult>,
  form: CallForm,
): AsyncGenerator<AskEvent, Completion> {
  const result = yield* beforeCalls(passOn(generation), form.open);
  const finishReason = FINISH_REASONS[result.reason];
  const { words, calls } = readCalls(result.kept, form);
  if (calls.length === 0 && words === '' && finishReason !== 'LENGTH') {
    const abstention = declined();
    yield { type: 'replaced', text: abstention.sentence, reason: 'The model gave no answer.' };
    return { ...abstained(abstention), finishReason, done: result };
  }
  const lines = calls.map((call) => `${call.name}(${call.arguments})`);
  return {
    text: [...(words === '' ? [] : [words]), ...lines].join('\n'),
    wording: 'MODEL',
    finishReason,
    output: calls.length === 0 ? { kind: 'TEXT' } : { kind: 'CALLS', said: words, calls },
    abstention: null,
    answerability: null,
    done: result,
  };
}

/** Words as they come, up to where the first call begins: text can't hold its first two characters. */
async function* beforeCalls(
  events: AsyncGenerator<AskEvent, GenerationResult>,
  open: string,
): AsyncGenerator<AskEvent, GenerationResult> {
  let text = '';
  let length = 0;
  let event = await events.next();
  try {
    for (; !event.done; event = await events.next()) {
      if (event.value.type !== 'delta') continue;
      text += event.value.text;
      const delta = wordsOf(text, open).slice(length);
      length += delta.length;
      if (delta !== '') yield { type: 'delta', text: delta };
    }
  } finally {
    // Whoever stops listening stops the model.
    if (!event.done) await events.return(undefined as never);
  }
  return event.value;
}

/** What is no part of a call, as far as it can be told from an answer's beginning. */
function wordsOf(text: string, open: string): string {
  const start = text.indexOf(open.slice(0, 2));
  const end = start >= 0 ? start : text.endsWith(open[0]!) ? -1 : text.length;
  return text.slice(0, end).trimEnd();
}

/** What was said before the first call, and the calls that are whole. */
export function readCalls(text: string, form: CallForm): { words: string; calls: ToolCall[] } {
  const marks = { open: form.open.trim(), middle: form.middle, close: form.close.trim() };
  const start = text.indexOf(marks.open);
  if (start < 0) return { words: text, calls: [] };
  const calls: ToolCall[] = [];
  for (let at: number | null = start; at !== null && at >= 0;) {
    const call = callAt(text, at, marks);
    if (call) calls.push(call.call);
    at = call && text.indexOf(marks.open, call.end);
  }
  return { words: text.slice(0, start).trim(), calls };
}

/** The call that begins there, and where it ends; null where it is not whole. */
function callAt(
  text: string,
  start: number,
  { open, middle, close }: Pick<CallForm, 'open' | 'middle' | 'close'>,
): { call: ToolCall; end: number } | null {
  const nameEnd = text.indexOf(middle, start + open.length);
  if (nameEnd < 0) return null;
  const begin = nameEnd + middle.length;
  const end = endOfArguments(text, begin, close);
  if (end === null) return null;
  const name = text.slice(start + open.length, nameEnd).trim();
  return { call: { name, arguments: text.slice(begin, end) }, end: end + close.length };
}

/** Where the JSON object ends that begins there, with what closes a call behind it: that may stand in its strings, too. */
function endOfArguments(text: string, begin: number, close: string): number | null {
  for (let end = text.indexOf(close, begin); end >= 0; end = text.indexOf(close, end + 1))
    if (isJson(text.slice(begin, end))) return end;
  return null;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
