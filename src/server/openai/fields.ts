import { z } from 'zod';
import { RefusedField } from './errors.js';

export type Fields = Record<string, unknown>;

/** @throws RefusedField unless the body is a JSON object */
export function fieldsOf(body: unknown, what = 'body'): Fields {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new RefusedField(what, 'invalid_value', `${what} must be a JSON object.`);
  return body as Fields;
}

/** What a field that isn't honoured may say without changing the answer. */
export type Neutral = readonly unknown[] | 'any';

/**
 * Refuses by name what is neither honoured nor neutral. null counts as left out.
 * @returns the names of those that may say anything, because nothing follows from them
 * @throws RefusedField
 */
export function refuseOthers(fields: Fields, honoured: readonly string[], neutral: Record<string, Neutral>): string[] {
  const ignored: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (value === null || value === undefined || honoured.includes(name)) continue;
    const allowed = Object.hasOwn(neutral, name) ? neutral[name]! : null;
    if (allowed === null)
      throw new RefusedField(name, 'unknown_parameter', `There is no parameter "${name}" here.`, 'Leave it out.');
    const said = JSON.stringify(value);
    if (allowed === 'any') ignored.push(name);
    else if (!allowed.some((one) => JSON.stringify(one) === said))
      throw new RefusedField(
        name,
        'unsupported_parameter',
        `"${name}" is not supported: it would change the answer, and nothing here honours it.`,
        allowed.length === 0
          ? 'Leave it out.'
          : `Leave it out, or send ${allowed.map((one) => JSON.stringify(one)).join(' or ')}.`,
      );
  }
  return ignored;
}

export function optionalText(fields: Fields, name: string): string | null {
  const value = fields[name] ?? null;
  if (value !== null && typeof value !== 'string')
    throw new RefusedField(name, 'invalid_value', `${name} must be a string.`);
  return value;
}

export function requiredText(fields: Fields, name: string): string {
  const value = optionalText(fields, name);
  if (value === null || value === '')
    throw new RefusedField(name, 'invalid_value', `${name} must be a string that is not empty.`);
  return value;
}

export function optionalNumber(fields: Fields, name: string): number | null {
  const value = fields[name] ?? null;
  if (value !== null && (typeof value !== 'number' || !Number.isFinite(value)))
    throw new RefusedField(name, 'invalid_value', `${name} must be a number.`);
  return value;
}

export function optionalFlag(fields: Fields, name: string): boolean {
  const value = fields[name] ?? false;
  if (typeof value !== 'boolean') throw new RefusedField(name, 'invalid_value', `${name} must be true or false.`);
  return value;
}

const MOST_METADATA = 16;

/** What a program notes of its request, to find it again. */
export function metadataOf({ metadata }: Fields): Record<string, string> | null {
  const { data = null, error } = z.record(z.string().max(64), z.string().max(512)).nullish().safeParse(metadata);
  if (!error && Object.keys(data ?? {}).length <= MOST_METADATA) return data;
  throw new RefusedField('metadata', 'invalid_value', `metadata holds at most ${MOST_METADATA} texts.`);
}
