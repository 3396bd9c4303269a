import { z } from 'zod';
import { GraftError } from './errors.js';

/** What JSON can say. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json | undefined };

/** Any JSON, for values that have a form of their user's own. */
export const anyJson = z.custom<Json>((value) => value !== undefined);

/** A value that a JSON column keeps, in a numbered format: what an earlier version stored is read by every later one. */
export interface StoredJson<T> {
  /** The format that is written: 1, 2, 3… */
  readonly format: number;
  /** Of the format that is written. */
  readonly schema: z.ZodType<T>;
  /** @throws GraftError INTERNAL_ERROR for a value that its own schema refuses */
  encode(value: T): Json;
  /** @throws GraftError INTERNAL_ERROR when the JSON is damaged, or newer than this version of Graft */
  decode(json: unknown): T;
}

/** What a stored form keeps. */
export type ValueOf<S> = S extends StoredJson<infer T> ? T : never;

/** Brings JSON of one format into the next one. */
type Upgrade = (old: Json) => Json;

/**
 * The stored form of `schema`. The number of the format stands in the JSON, as `format`; JSON without one is of format 1,
 * so the first format may be anything, and later ones are objects.
 * @param upgrades the first leads from format 1 to 2, the next from 2 to 3…
 */
export function storedJson<T>(schema: z.ZodType<T>, upgrades: readonly Upgrade[] = []): StoredJson<T> {
  const format = upgrades.length + 1;
  const validate = (value: unknown, doing: string): T => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new GraftError('INTERNAL_ERROR', `JSON to be ${doing} is not of format ${format}.`, {
      cause: new Error(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`),
    });
  };
  return {
    format,
    schema,
    encode(value) {
      const json = validate(value, 'stored') as Json;
      return format === 1 ? json : { ...(json as object), format };
    },
    decode(json) {
      const version = formatOf(json);
      if (version > format)
        throw new GraftError('INTERNAL_ERROR', `JSON of format ${version} was stored by a later version of Graft.`, {
          hint: `This version reads formats 1 to ${format}: update it.`,
        });
      const current = upgrades.slice(version - 1).reduce((old, upgrade) => upgrade(old), json as Json);
      return validate(current, 'read');
    },
  };
}

function formatOf(json: unknown): number {
  const format = (json as { format?: unknown } | null | undefined)?.format;
  return typeof format === 'number' ? format : 1;
}
