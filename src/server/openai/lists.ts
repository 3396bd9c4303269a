import { z } from 'zod';
import { notFound } from '../../kernel/errors.js';
import { isUuid } from '../../kernel/ids.js';
import { MAX_PAGE_SIZE } from '../../kernel/pagination.js';
import { objectOf } from './fields.js';

/** What a list is asked for in its address. */
export interface ListRequest {
  limit: number;
  /** Id of the last that the caller has; undefined: from the first on. */
  after?: string | undefined;
  /** Id of the first that the caller has, where a list may be read backwards. */
  before?: string | undefined;
  order: 'asc' | 'desc';
}

/** The query of a list, with fields of its own beside those of every list. */
export const listQuery = <Shape extends z.ZodRawShape>(fallback: number, shape: Shape) =>
  objectOf({
    limit: z.coerce
      .number('must be a whole number from 1 on.')
      .int()
      .min(1)
      .default(fallback)
      .transform((count) => Math.min(count, MAX_PAGE_SIZE)),
    after: z.string().optional(),
    order: z.enum(['asc', 'desc']).default('desc'),
    ...shape,
  });

/** Lists that are read backwards, too. */
export const before = z.string().optional();

/** Between which keys a page lies, and in which order it is read: with `before` alone backwards from there. */
export interface Span {
  lower: string | null;
  upper: string | null;
  limit: number;
  descending: boolean;
  backwards: boolean;
}

/** @param keyOf the key of an id, by which the list is ordered */
export async function spanOf(
  { limit, after, before: end, order }: ListRequest,
  keyOf: (id: string, field: string) => string | Promise<string>,
): Promise<Span> {
  const from = after === undefined ? null : await keyOf(after, 'after');
  const to = end === undefined ? null : await keyOf(end, 'before');
  const backwards = from === null && to !== null;
  const [lower, upper] = order === 'asc' ? [from, to] : [to, from];
  return { lower, upper, limit, descending: (order === 'desc') !== backwards, backwards };
}

/** A page of rows, of which one more than asked for were read. */
export function pageOf<Row, T extends { id: string }>(rows: readonly Row[], span: Span, itemOf: (row: Row) => T) {
  const page = rows.slice(0, span.limit).map(itemOf);
  return listOf(span.backwards ? page.reverse() : page, rows.length > span.limit);
}

/** A page as clients read it: they ask for the next one behind `last_id` while there is more. */
export const listOf = <T extends { id: string }>(data: readonly T[], hasMore: boolean) => ({
  object: 'list',
  data,
  has_more: hasMore,
  first_id: data[0]?.id ?? null,
  last_id: data.at(-1)?.id ?? null,
});

/** The row id in an id of the API, such as `file-<uuid>` with the prefix `file-`. Rows are found again by it, so it is lowercase. @throws NOT_FOUND */
export function rowIdOf(prefix: string, id: string, title: string, field: string): string {
  const row = id.startsWith(prefix) ? id.slice(prefix.length) : '';
  if (!isUuid(row) || row !== row.toLowerCase()) throw notFound(title, id.slice(0, 200), field);
  return row;
}
