import { transcode } from 'node:buffer';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { scan } from 'secure-json-parse';
import { GraftError } from '../../kernel/errors.js';
import { beyondLimit, type JsonLimits } from '../../kernel/json-limits.js';

/**
 * @param text UTF-8
 * @throws QUERY_TOO_COMPLEX naming the limit
 */
export function checkJson(text: Uint8Array, limits: JsonLimits): void {
  const limit = beyondLimit(text, limits);
  if (limit === 'nesting') throw beyond('nested more deeply than', limits.nesting, 'levels');
  if (limit === 'values') throw beyond('made of more than', limits.values, 'values');
}

/** What UTF-8 says. By a detour that takes a third of the time of `toString`, which holds the event loop for 30 ms at 8 MB. */
export function textOf(utf8: Buffer): string {
  try {
    return transcode(utf8, 'utf8', 'utf16le').toString('utf16le');
  } catch {
    // Bytes that are not UTF-8 read as U+FFFD.
    return utf8.toString();
  }
}

const beyond = (comparison: string, allowed: number, unit: string): GraftError =>
  new GraftError(
    'QUERY_TOO_COMPLEX',
    `The request’s JSON is ${comparison} ${allowed} ${unit}, the most that is read.`,
    {
      hint: 'Send less at once, or large data as a file (`POST /files`).',
    },
  );

/** Bytes that every step of reading gets through in some 3 ms: below, turns would only add to the time of an answer. */
const LARGE = 1024 * 1024;

/** Lets the event loop turn before a step of work on something large, and does nothing for what is small. */
export const turnBefore = async (bytes: number): Promise<void> => (bytes < LARGE ? undefined : nextTurn());

/**
 * Checks and decodes a JSON text. A large one takes the event loop for 20 ms a step, which therefore are turns of their own.
 * @throws QUERY_TOO_COMPLEX
 */
export async function readJsonText(utf8: Buffer, limits: JsonLimits): Promise<string> {
  // Whoever put it together from its pieces has had this turn.
  await turnBefore(utf8.length);
  checkJson(utf8, limits);
  await turnBefore(utf8.length);
  const text = textOf(utf8);
  await turnBefore(utf8.length);
  return text;
}

/**
 * Reads the JSON of a body: what is small at once, what is large in several turns of the event loop.
 * @throws QUERY_TOO_COMPLEX; BAD_REQUEST when it is no JSON, or would set a prototype; for a large body by rejecting
 */
export function readJson(utf8: Buffer, limits: JsonLimits): unknown {
  if (utf8.length >= LARGE) return readLargeJson(utf8, limits);
  checkJson(utf8, limits);
  return withoutPrototype(parsed(utf8.toString()));
}

async function readLargeJson(utf8: Buffer, limits: JsonLimits): Promise<unknown> {
  const text = await readJsonText(utf8, limits);
  const value = parsed(text);
  await turnBefore(utf8.length);
  return withoutPrototype(value);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new GraftError('BAD_REQUEST', 'The body is not valid JSON.', { cause });
  }
}

/** Looks in the values, of which there are few: `parse` of the same library looks through the text, for as long as parsing takes. */
function withoutPrototype(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  try {
    scan(value);
  } catch (cause) {
    throw new GraftError('BAD_REQUEST', 'The body’s JSON would set a prototype.', { cause });
  }
  return value;
}
