import { ArgsType, Field, Int, type ClassType } from 'type-graphql';
import { z } from 'zod';
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, pageRequest, type Page, type PageRequest } from '../../kernel/pagination.js';
import { objectType, ofType } from './record-types.js';
import { boolean, string } from '../../kernel/record.js';

/** `first` and `after` of every list: `@Args(() => ConnectionArgs) args`, then `args.request()`. */
@ArgsType()
export class ConnectionArgs {
  @Field(() => Int, {
    nullable: true,
    defaultValue: DEFAULT_PAGE_SIZE,
    description: `How many items to return, 1 to ${MAX_PAGE_SIZE}.`,
  })
  first?: number | null;

  @Field(() => String, {
    nullable: true,
    description: 'Cursor of the item to continue after: an `endCursor` seen before.',
  })
  after?: string | null;

  /** @throws BAD_USER_INPUT when `first` is out of range */
  request(): PageRequest {
    return pageRequest(this.first, this.after);
  }
}

const PageInfo = objectType('PageInfo', 'Where a page ends and whether more follows.', {
  hasNextPage: boolean('Whether another page follows.'),
  hasPreviousPage: boolean('Whether the page starts after a cursor, so that earlier items exist.'),
  startCursor: string('Cursor of the first item; null on an empty page.').nullable(),
  endCursor: string('Cursor to pass as `after` for the next page; null on an empty page.').nullable(),
});
type PageInfo = InstanceType<typeof PageInfo>;

interface EdgeOf<T> {
  cursor: string;
  node: T;
}

export interface ConnectionOf<T> {
  edges: EdgeOf<T>[];
  pageInfo: PageInfo;
}

/** A class decorated as an object or interface type; interfaces are abstract. */
type NodeClass<T> = abstract new () => T;

/**
 * The Relay connection and edge types of a node type. Call it once per type, next to the type.
 * `name` is the GraphQL name of the node where it differs from its class's.
 */
export function connectionTypes<T extends object>(
  node: NodeClass<T>,
  name: string = node.name,
): { Connection: ClassType<ConnectionOf<T>>; Edge: ClassType<EdgeOf<T>> } {
  const Edge = objectType(`${name}Edge`, `A ${name} and its place in the list.`, {
    cursor: string('Opaque position, for `after`.'),
    node: ofType<T>(() => node).describe(`The ${name} itself.`),
  });
  const Connection = objectType(`${name}Connection`, `One page of a list of ${name} objects.`, {
    edges: z.array(ofType<EdgeOf<T>>(() => Edge)).describe('The items of this page, in order.'),
    pageInfo: ofType(() => PageInfo).describe('Where this page ends and whether more follows.'),
  });
  return { Connection, Edge };
}

/** A page from a store as a connection; `cursor` gives an item's keyset cursor, `previousCursor` is the request’s. */
export function toConnection<T>(
  page: Page<T>,
  cursor: (item: T) => string,
  previousCursor: string | null = null,
): ConnectionOf<T> {
  const edges = page.items.map((node) => ({ cursor: cursor(node), node }));
  return {
    edges,
    pageInfo: {
      hasNextPage: page.hasNextPage,
      hasPreviousPage: previousCursor !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

/** The page with each item mapped, e.g. from row to GraphQL object. */
export const mapPage = <A, B>(page: Page<A>, map: (item: A) => B): Page<B> => ({
  items: page.items.map(map),
  hasNextPage: page.hasNextPage,
});
