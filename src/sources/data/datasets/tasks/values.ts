import type { RecordFault } from '../files/records.js';

/** Thrown while a row is built from a record that can't become one; the record is kept with the fault. */
export class RowFault extends Error {
  constructor(readonly fault: RecordFault) {
    super(fault.message);
  }
}

/** @param rule id of a rule of `validation/rules/schema.ts` */
export function fail(rule: string, message: string): never {
  throw new RowFault({ rule, message });
}

/** The value as text: numbers and booleans too, since labels often are; null for what is no single value. */
export function asText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint' ? String(value) : null;
}

/** The text of a field that must have one. @throws RowFault */
export function requiredText<Field extends string>(
  values: Readonly<Partial<Record<Field, unknown>>>,
  field: Field,
): string {
  const value = values[field];
  if (value === undefined || value === null) return fail('missing-value', `${field} has no value.`);
  return asText(value) ?? fail('wrong-type', `${field} is not a text.`);
}

/** A JSON value: parsed where the file holds it as text. */
export function asJson(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

/** A list of texts: a JSON array, or words between blanks. */
export function asWords(value: unknown): string[] | null {
  const list =
    typeof value === 'string' && !value.trimStart().startsWith('[') ? value.trim().split(/\s+/) : asJson(value);
  return Array.isArray(list) && list.every((item) => asText(item) !== null) ? list.map((item) => asText(item)!) : null;
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether every value of a column could be JSON: objects and lists, or text that begins like one. */
export const looksLikeJson = (values: unknown[]): boolean =>
  values.length > 0 && values.every((v) => typeof v === 'object' || (typeof v === 'string' && /^\s*[[{]/.test(v)));
