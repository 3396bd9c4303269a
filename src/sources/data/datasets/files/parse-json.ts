import { GraftError } from '../../../../kernel/errors.js';

/** Levels that a record's values may have inside each other: more than data has, less than any stack. */
const MAX_NESTING = 100;

/**
 * A JSON value in which whole numbers beyond 2^53 are text, digit by digit: as numbers they would be rounded, and ids of 64
 * bits that stand side by side would become one.
 * @throws SyntaxError for what is no JSON; DATA_FILE_INVALID for what is nested too deeply
 */
export function parseJson(text: string): unknown {
  let value: unknown = JSON.parse(text);
  refuseDeep(value, MAX_NESTING);
  if (!losesDigits(value)) return value;
  value = null; // So that a large document isn't held twice.
  return JSON.parse(longIntegersAsText(text));
}

/** Whether a value is or holds a number so large that others may have been rounded to it. */
export function losesDigits(value: unknown): boolean {
  if (typeof value === 'number') return Math.abs(value) > Number.MAX_SAFE_INTEGER;
  return typeof value === 'object' && value !== null && Object.values(value).some(losesDigits);
}

/** What an escape stands for, the marks around a text, and integers of 16 digits or more; bounded, since longer ones overflow V8's stack. */
const TOKENS = /\\.|"|(?<![\d.eE+-])-?[1-9]\d{15,99}(?![\d.eE])/gs;

function longIntegersAsText(json: string): string {
  const pieces: string[] = [];
  let from = 0;
  let quoted = false;
  for (const { 0: token, index } of json.matchAll(TOKENS)) {
    if (token === '"') quoted = !quoted;
    else if (!quoted && losesDigits(Number(token))) {
      pieces.push(json.slice(from, index), `"${token}"`);
      from = index + token.length;
    }
  }
  return pieces.join('') + json.slice(from);
}

/** @throws DATA_FILE_INVALID for a value with more levels than are left */
function refuseDeep(value: unknown, levels: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (levels === 0)
    throw new GraftError('DATA_FILE_INVALID', `A record is nested more than ${MAX_NESTING} levels deep.`, {
      hint: 'Flatten it, or leave out the value that is nested so deeply.',
    });
  for (const inner of Object.values(value)) refuseDeep(inner, levels - 1);
}
