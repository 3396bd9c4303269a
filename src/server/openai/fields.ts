import { z } from 'zod';
import { requireStorable } from '../../kernel/text.js';
import { RefusedField } from './errors.js';

export type Fields = Record<string, unknown>;

const MOST_RESULTS = 50;
const DEFAULT_RESULTS = 10;

/** @throws RefusedField unless the body is a JSON object */
export function fieldsOf(body: unknown, name = 'body'): Fields {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new RefusedField(name, 'invalid_value', `${name} must be a JSON object.`);
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
    const text = JSON.stringify(value);
    if (allowed === 'any') ignored.push(name);
    else if (!allowed.some((choice) => JSON.stringify(choice) === text))
      throw new RefusedField(
        name,
        'unsupported_parameter',
        `"${name}" is not supported: it would change the answer, and nothing here honours it.`,
        allowed.length === 0
          ? 'Leave it out.'
          : `Leave it out, or send ${allowed.map((choice) => JSON.stringify(choice)).join(' or ')}.`,
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

const MOST_NOTES = 16;
const LONGEST_NOTE = 512;
export const note = z.string().max(LONGEST_NOTE);

/** What clients note with an object, such as `metadata`: names of at most 64 characters, each with a value of this form. */
export function optionalNotes<T>(fields: Fields, name: string, value: z.ZodType<T>): Record<string, T> | null {
  const { data = null, error } = z.record(z.string().max(64), value).nullish().safeParse(fields[name]);
  if (error || Object.keys(data ?? {}).length > MOST_NOTES)
    throw new RefusedField(
      name,
      'invalid_value',
      `${name} holds at most ${MOST_NOTES} values, with names of 64 and texts of ${LONGEST_NOTE} characters at most.`,
    );
  for (const text of Object.entries(data ?? {}).flat()) if (typeof text === 'string') requireStorable(text, name);
  return data;
}

/** A name that adapters and collections may have, of any text; empty where nothing of it may stand in one. */
export const nameFrom = (text: string): string =>
  text.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replaceAll(/^[^A-Za-z0-9]+|-+$/g, '');

/**
 * How many results of a search are wanted.
 * @throws RefusedField that names `field`
 */
export function resultLimit(fields: Fields, field: string): number {
  const limit = optionalNumber(fields, 'max_num_results') ?? DEFAULT_RESULTS;
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_RESULTS)
    throw new RefusedField(field, 'invalid_value', `${field} must be a whole number from 1 to ${MOST_RESULTS}.`);
  return limit;
}
