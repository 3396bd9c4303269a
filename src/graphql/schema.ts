import 'reflect-metadata';
import type { GraphQLSchema } from 'graphql';
import { buildSchemaSync, type NonEmptyArray } from 'type-graphql';

type ResolverClass = new (...args: never[]) => object;

/**
 * The schema of the given resolvers. Each is an instance, or just its class where the schema is only printed
 * or validated against and no field will be resolved.
 */
export function buildGraphSchema(resolvers: readonly (object | ResolverClass)[]): GraphQLSchema {
  const instances = new Map<unknown, object>();
  const classes = resolvers.map((resolver) => {
    if (typeof resolver === 'function') return resolver as ResolverClass;
    instances.set(resolver.constructor, resolver);
    return resolver.constructor as ResolverClass;
  });
  return buildSchemaSync({
    resolvers: classes as unknown as NonEmptyArray<ResolverClass>,
    container: { get: (resolverClass) => instances.get(resolverClass) },
    // Values are checked where the rule lives (kernel and domains); class-validator would be a second place for it.
    validate: false,
  });
}
