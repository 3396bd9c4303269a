import { badInput } from './errors.js';
import { isUuid, type Uuid } from './ids.js';

/** A page request: `first` rows (1..100) after an opaque cursor. */
export interface PageRequest {
  first: number;
  after: string | null;
}

/** One page; `hasNextPage` is known because the store reads one row more than it returns. */
export interface Page<T> {
  items: T[];
  hasNextPage: boolean;
}

export const DEFAULT_PAGE_SIZE = 20;
export const MAX_PAGE_SIZE = 100;

/** @throws BAD_USER_INPUT when `first` is outside 1..100 */
export function pageRequest(first?: number | null, cursor?: string | null): PageRequest {
  const size = first ?? DEFAULT_PAGE_SIZE;
  if (!Number.isInteger(size) || size < 1 || size > MAX_PAGE_SIZE)
    throw badInput('first', `first must be between 1 and ${MAX_PAGE_SIZE}, not ${size}.`);
  return { first: size, after: cursor ?? null };
}

/** Opaque keyset cursor over the values that order a list. */
export const encodeCursor = (key: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(key)).toString('base64url');

/** @throws BAD_USER_INPUT when the cursor was not made by `encodeCursor` with as many parts */
export function decodeCursor(cursor: string, parts: number): (string | number)[] {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(key) && key.length === parts && key.every((p) => typeof p === 'string' || typeof p === 'number'))
      return key;
  } catch {
    // falls through to the one error below
  }
  throw foreignCursor();
}

const foreignCursor = () => badInput('after', 'after is not a cursor that this list returned.');

/** The row id in a cursor of a list by id. @throws BAD_USER_INPUT */
export function idCursor(cursor: string): Uuid {
  const id = String(decodeCursor(cursor, 1)[0]);
  if (!isUuid(id)) throw foreignCursor();
  return id;
}

/** The name in a cursor of a list by name. @throws BAD_USER_INPUT, also for NUL, which PostgreSQL refuses as a parameter */
export function nameCursor(cursor: string): string {
  const name = decodeCursor(cursor, 1)[0];
  if (typeof name !== 'string' || name.includes('\0')) throw foreignCursor();
  return name;
}

const MAX_ORDINAL = 2 ** 31 - 1;

/** The number in a cursor of a list by ordinal: 0 to 2147483647, PostgreSQL's integers. @throws BAD_USER_INPUT */
export function ordinalCursor(cursor: string): number {
  const ordinal = decodeCursor(cursor, 1)[0];
  if (typeof ordinal !== 'number' || !Number.isInteger(ordinal) || ordinal < 0 || ordinal > MAX_ORDINAL)
    throw foreignCursor();
  return ordinal;
}

/** Cuts `first + 1` rows read from a store down to a page. */
export const toPage = <T>(rows: T[], first: number): Page<T> => ({
  items: rows.slice(0, first),
  hasNextPage: rows.length > first,
});
