import type { GraphQLResolveInfo, GraphQLSchema } from 'graphql';
import type { GraphContext } from './context.js';

type ResolverClass<R extends object> = abstract new (...args: never[]) => R;

const resolversOf = new WeakMap<GraphQLSchema, ReadonlyMap<unknown, object>>();

/** Remembers the resolvers of a schema: type-graphql calls a subscription's `subscribe` without its resolver. */
export function rememberResolvers(schema: GraphQLSchema, resolvers: ReadonlyMap<unknown, object>): void {
  resolversOf.set(schema, resolvers);
}

export interface SubscriptionRequest<Args> {
  args: Args;
  context: GraphContext;
  info: GraphQLResolveInfo;
}

/**
 * The `subscribe` of a subscription whose source is a method of its resolver:
 * `@Subscription(() => AskEvent, { subscribe: subscribeWith(() => AskResolver, (resolver, { args, context }) => resolver.open(args, context)) })`.
 * The class comes as a function because its decorators run before it is complete.
 * A source should stop when `context.signal` aborts: that is the moment when the subscriber is gone.
 */
export const subscribeWith =
  <R extends object, Args>(
    resolverClass: () => ResolverClass<R>,
    open: (resolver: R, request: SubscriptionRequest<Args>) => AsyncIterable<unknown> | Promise<AsyncIterable<unknown>>,
  ) =>
  // The types of type-graphql's `subscribe` data are loose; `Args` is what the method's `@Arg` decorators declare.
  (data: { args: unknown; context: unknown; info: GraphQLResolveInfo }): never => {
    const resolver = resolversOf.get(data.info.schema)?.get(resolverClass());
    if (!resolver) throw new Error(`${resolverClass().name} has no instance in this schema`);
    return open(resolver as R, data as SubscriptionRequest<Args>) as never;
  };
