import 'reflect-metadata';
import type { GraphQLSchema } from 'graphql';
import { buildSchemaSync, type NonEmptyArray, type PubSub } from 'type-graphql';
import { registerChoices, rememberResolvers } from '../../kit/graphql/index.js';
import { acceptNulls } from './accept-nulls.js';
import { describeCosts } from './cost.js';
import { guardFields, type FieldHooks } from './guard.js';

type ResolverClass = new (...args: never[]) => object;

/** Required by type-graphql and never used: every subscription brings its own source, with `subscribeWith`. */
const NO_TOPICS: PubSub = {
  publish: () => undefined,
  subscribe: () => {
    throw new Error('a subscription without `subscribe`');
  },
};

/**
 * The schema of the given resolvers. Each is an instance, or just its class where the schema is only printed
 * or validated against and no field will be resolved.
 * @param hooks what goes around fields that change or spend something; without them nothing does
 */
export function buildGraphSchema(resolvers: readonly (object | ResolverClass)[], hooks?: FieldHooks): GraphQLSchema {
  const instances = new Map<unknown, object>();
  const classes = resolvers.map((resolver) => {
    if (typeof resolver === 'function') return resolver as ResolverClass;
    instances.set(resolver.constructor, resolver);
    return resolver.constructor as ResolverClass;
  });
  registerChoices();
  const schema = buildSchemaSync({
    resolvers: classes as unknown as NonEmptyArray<ResolverClass>,
    container: { get: (resolverClass) => instances.get(resolverClass) },
    // Values are checked where the rule lives (kernel and domains); class-validator would be a second place for it.
    validate: false,
    pubSub: NO_TOPICS,
  });
  guardFields(schema, hooks);
  acceptNulls(schema);
  describeCosts(schema);
  rememberResolvers(schema, instances);
  return schema;
}
