import { Field, ID, InterfaceType } from 'type-graphql';
import type { GraphContext } from './context.js';
import { parseGlobalId } from './global-ids.js';

/** GraphQL type names of objects that went through an abstract type: a side table, so that rows stay as their store made them. */
const typeNames = new WeakMap<object, string>();

/** Says which GraphQL type `value` is, for where a field returns an interface or a union. Instances of a type's class need no mark. */
function markType<T extends object>(value: T, typeName: string): T {
  typeNames.set(value, typeName);
  return value;
}

/** @returns the name given to `markType`, or `undefined` so that type-graphql goes by the object's class */
export const markedType = (value: object): string | undefined => typeNames.get(value);

/**
 * Any object with a global id, for `node(id)` and for client caches.
 * The class that a domain declares implements it: `@ObjectType({ implements: NodeType })`.
 */
@InterfaceType('Node', {
  description: 'An object that `node(id)` can fetch again.',
  resolveType: (value: object) => markedType(value) ?? (value.constructor as never),
})
export abstract class NodeType {
  @Field(() => ID, { description: 'Opaque id, unique among all objects of all types; it never changes.' })
  id!: string;
}

/** Fetches one object of a type for `node(id)`; null when the caller's workspace has none with that row id. */
type NodeFetch = (context: GraphContext, id: string) => Promise<object | null>;

/** What `node(id)` can reach: each domain registers its types, `main.ts` passes it around. */
export class NodeRegistry {
  readonly #fetchers = new Map<string, NodeFetch>();

  /** `type` is the GraphQL type name that stands in the global ids. */
  register(type: string, fetch: NodeFetch): void {
    if (this.#fetchers.has(type)) throw new Error(`node type ${type} is registered twice`);
    this.#fetchers.set(type, fetch);
  }

  has(type: string): boolean {
    return this.#fetchers.has(type);
  }

  /**
   * @returns the object, marked with its type, or null when it does not exist (or is of another workspace, or of an unknown type)
   * @throws BAD_USER_INPUT when the id is malformed
   */
  async fetch(context: GraphContext, globalId: string): Promise<object | null> {
    const { type, id } = parseGlobalId(globalId, 'id');
    const node = await this.#fetchers.get(type)?.(context, id);
    return node ? markType(node, type) : null;
  }
}
