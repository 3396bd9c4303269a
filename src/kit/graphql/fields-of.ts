import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root, type ClassType } from 'type-graphql';
import type { Role } from '../../kernel/caller.js';
import { encodeCursor, type Page, type PageRequest } from '../../kernel/pagination.js';
import { cost } from './complexity.js';
import { ConnectionArgs, mapPage, toConnection, type ConnectionOf } from './connections.js';
import type { GraphContext } from './context.js';
import { fromGlobalId } from './global-ids.js';
import { Needs } from './needs.js';
import type { NodeType } from './node.js';

type ClassOf<T extends object> = new () => T;
type Resolved<T> = T | Promise<T>;
type ResolverOf<Parts> = new (parts: Parts) => object;

/** A field of a type, answered from its object, the request and the domain's parts. */
export interface FieldOf<Root, Parts> {
  type: () => object | object[];
  nullable: boolean;
  description: string;
  cost: number;
  needs: Role | undefined;
  find: (root: Root, context: GraphContext, parts: Parts) => unknown;
}

interface FieldOptions {
  cost?: number;
  needs?: Role;
}

/** A field that leads to one object, or to none. */
export const toOne = <Root, Parts, T extends object>(
  type: () => ClassOf<T>,
  description: string,
  find: (root: Root, context: GraphContext, parts: Parts) => Resolved<T | null>,
  { cost: ownCost = 2, needs }: FieldOptions = {},
): FieldOf<Root, Parts> => ({ type, nullable: true, description, cost: ownCost, needs, find });

/** A field that leads to several: objects, or values of an enumeration. */
export const toMany = <Root, Parts, T>(
  type: () => ClassOf<T & object> | Readonly<Record<string, T>>,
  description: string,
  find: (root: Root, context: GraphContext, parts: Parts) => Resolved<readonly T[]>,
  { cost: ownCost = 5, needs }: FieldOptions = {},
): FieldOf<Root, Parts> => ({ type: () => [type()], nullable: false, description, cost: ownCost, needs, find });

/** A field that every object has. */
export const toItsOwn = <Root, Parts, T extends object>(
  type: () => ClassOf<T>,
  description: string,
  find: (root: Root, context: GraphContext, parts: Parts) => Resolved<T>,
  { cost: ownCost = 5, needs }: FieldOptions = {},
): FieldOf<Root, Parts> => ({ type, nullable: false, description, cost: ownCost, needs, find });

export type Fields<Root, Parts> = Readonly<Record<string, FieldOf<Root, Parts>>>;

/** The resolver of fields that lead from objects of a type to others. */
export function fieldsOf<Root extends object, Parts>(
  type: () => ClassOf<Root>,
  fields: Fields<Root, Parts>,
): ResolverOf<Parts> {
  class OnlyFields {
    constructor(readonly parts: Parts) {}
  }
  addFields(OnlyFields, type, fields);
  return OnlyFields;
}

/** Makes a class the resolver of a type, with such fields beside its own. */
export function addFields<Root extends object, Parts>(
  resolver: new (parts: Parts) => { readonly parts: Parts },
  type: () => ClassOf<Root>,
  fields: Fields<Root, Parts>,
): void {
  const prototype = resolver.prototype as Record<string, unknown>;
  for (const [name, { type: fieldType, nullable, description, cost: ownCost, needs, find }] of Object.entries(fields)) {
    prototype[name] = function (this: { parts: Parts }, root: Root, context: GraphContext) {
      return find(root, context, this.parts);
    };
    FieldResolver(fieldType as () => ClassOf<object>, { nullable, description, complexity: cost(ownCost) })(
      prototype,
      name,
      {},
    );
    Root()(prototype, name, 0);
    Ctx()(prototype, name, 1);
    if (needs) Needs(needs)(prototype, name, {});
  }
  Resolver(type)(resolver);
}

interface Queried<Row, Node, Parts> {
  type: ClassOf<Node & object>;
  Connection: ClassType<ConnectionOf<Node>>;
  /** What the list shows, and what one of them is. */
  descriptions: { list: string; one: string };
  /** Filters of the list by name, each with its type and description. */
  filters: Readonly<Record<string, readonly [type: object, description: string]>>;
  list: (
    parts: Parts,
    context: GraphContext,
    filter: Readonly<Record<string, string | null>>,
    page: PageRequest,
  ) => Promise<Page<Row>>;
  toNode: (row: Row) => Node;
  load: (parts: Parts, context: GraphContext, id: string) => Promise<Node | null>;
}

/** The two queries of a node type: a page of them, newest first, and one by its id. */
export function queriesOf<Row, Node extends NodeType & { row: { id: string } }, Parts>({
  type,
  Connection,
  descriptions,
  filters,
  list,
  toNode,
  load,
}: Queried<Row, Node, Parts>): ResolverOf<Parts> {
  const itemName = `${type.name.charAt(0).toLowerCase()}${type.name.slice(1)}`;
  const listName = `${itemName}s`;
  const names = Object.keys(filters);
  class Queries {
    constructor(readonly parts: Parts) {}

    async [listName](context: GraphContext, args: ConnectionArgs, ...values: (string | null | undefined)[]) {
      const page = args.request();
      const filter = Object.fromEntries(names.map((name, i) => [name, values[i] ?? null]));
      const rows = await list(this.parts, context, filter, page);
      return toConnection(mapPage(rows, toNode), ({ row }) => encodeCursor([row.id]), page.after);
    }

    [itemName](context: GraphContext, id: string) {
      return load(this.parts, context, fromGlobalId(id, type.name, 'id'));
    }
  }
  const { prototype } = Queries;
  Query(() => Connection, { description: descriptions.list, complexity: cost(5) })(prototype, listName, {});
  Args(() => ConnectionArgs)(prototype, listName, 1);
  names.forEach((name, i) => {
    const [argumentType, description] = filters[name]!;
    Arg(name, () => argumentType as never, { nullable: true, description })(prototype, listName, i + 2);
  });
  Query(() => type, { nullable: true, description: descriptions.one, complexity: cost(2) })(prototype, itemName, {});
  Arg('id', () => ID, { description: 'Its id.' })(prototype, itemName, 1);
  for (const name of [listName, itemName]) {
    Ctx()(prototype, name, 0);
    Needs('ASK')(prototype, name, {});
  }
  Resolver(() => type)(Queries);
  return Queries;
}
