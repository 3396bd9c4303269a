import { DEFAULT_PAGE_SIZE } from '../../kernel/pagination.js';

/** Arguments of a field and the cost of what is selected below it, as graphql-query-complexity passes them. */
export interface CostArguments {
  args: Readonly<Record<string, unknown>>;
  childComplexity: number;
}

/** How many items a field may return by its own arguments: `first`, `limit` or `input.limit`, of which null is a page; 1 where it has none. */
export function itemsAskedFor(args: Readonly<Record<string, unknown>>): number {
  const input = args['input'] as Readonly<Record<string, unknown>> | null | undefined;
  const limit = [args['first'], args['limit'], input?.['limit']].find((value) => value !== undefined);
  const size = limit === null ? DEFAULT_PAGE_SIZE : limit;
  return typeof size === 'number' && size > 1 ? size : 1;
}

/**
 * The cost of a field that does `ownCost` units of work besides what is selected below it (a plain field is 1 unit):
 * `@Query(() => Answer, { complexity: cost(50) })`. A list's `first` or `limit` multiplies its selection by itself.
 */
export const cost =
  (ownCost: number) =>
  ({ args, childComplexity }: CostArguments): number =>
    ownCost + itemsAskedFor(args) * childComplexity;
