import type { NodeRegistry } from './node.js';

type ResolverClass<Parts> = new (parts: Parts) => object;

/**
 * The resolvers of a domain: the schema is printed from the classes, and the gateway makes one instance of each. All of them
 * are made from the same parts, of which each takes what it needs.
 */
export interface ResolverList<Parts> {
  readonly classes: readonly ResolverClass<Parts>[];
  /** Lets `node(id)` find the domain's objects. */
  registerNodes?(nodes: NodeRegistry, parts: Parts): void;
}

/** An instance of each resolver of the list; its types are registered with `nodes`. */
export function makeResolvers<Parts>(list: ResolverList<Parts>, parts: Parts, nodes: NodeRegistry): object[] {
  list.registerNodes?.(nodes, parts);
  return list.classes.map((Resolver) => new Resolver(parts));
}
