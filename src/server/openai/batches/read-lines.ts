import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { beyondLimit } from '../../../kernel/json-limits.js';
import { isGraftError } from '../../../kernel/errors.js';
import { DEFAULT_LIMITS } from '../../graphql/limits.js';
import { checked, filledText, objectOf, storableText } from '../fields.js';
import type { Fault } from './batch-run.js';

/** As many as OpenAI takes. */
const MOST_LINES = 50_000;
/** Bytes of a line: as many as a request at the address itself. */
const LONGEST_LINE = DEFAULT_LIMITS.bodyBytes;
/** Faults that are told of one file. */
const MOST_FAULTS = 100;

/** A request of a file. */
export interface NewLine {
  /** From 1 on. */
  number: number;
  customId: string;
  /** JSON of its body. */
  request: string;
}

const lineOf = (endpoint: string) =>
  objectOf({
    custom_id: filledText.pipe(storableText.max(512)),
    method: z.literal('POST'),
    url: z.literal(endpoint),
    body: z.record(z.string(), z.unknown()),
  });

/**
 * Requests of a file, a JSON object a line, and what is wrong with it; bodies are looked at when they are answered. Of a file with a fault nothing is
 * to be asked.
 */
export async function* linesIn(
  content: Readable,
  endpoint: string,
  faults: Fault[],
): AsyncGenerator<NewLine, void, undefined> {
  const seen = new Set<string>();
  const schema = lineOf(endpoint);
  let number = 0;
  for await (const text of createInterface({ input: content, crlfDelay: Infinity })) {
    number += 1;
    if (text.trim() === '') continue;
    const found = requestIn(text, schema);
    if ('fault' in found) faults.push({ line: number, code: 'invalid_json_line', message: found.fault });
    else if (seen.has(found.customId))
      faults.push({ line: number, code: 'duplicate_custom_id', message: 'An earlier line has the same custom_id.' });
    else if (seen.size === MOST_LINES)
      faults.push({ line: number, code: 'too_many_tasks', message: `A batch has at most ${MOST_LINES} requests.` });
    else {
      seen.add(found.customId);
      yield { number, ...found };
    }
    if (faults.length === MOST_FAULTS || seen.size > MOST_LINES) return;
  }
  if (seen.size === 0 && faults.length === 0)
    faults.push({ line: null, code: 'empty_file', message: 'The file holds no request.' });
}

function requestIn(text: string, schema: ReturnType<typeof lineOf>): Omit<NewLine, 'number'> | { fault: string } {
  const bytes = Buffer.from(text);
  if (bytes.length > LONGEST_LINE) return { fault: `A request has at most ${LONGEST_LINE} bytes.` };
  if (beyondLimit(bytes, DEFAULT_LIMITS.json)) return { fault: 'The line has too many values, or too deep ones.' };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { fault: 'The line is no JSON.' };
  }
  try {
    const { custom_id: customId, body } = checked(schema, json);
    return { customId, request: JSON.stringify(body) };
  } catch (error) {
    if (isGraftError(error)) return { fault: error.message };
    throw error;
  }
}
