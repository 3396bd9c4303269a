import type { UpdateResolver } from '@urql/exchange-graphcache';

/** What was read may be otherwise now: pages that are open ask again, others when they are opened. */
const forgetRead: UpdateResolver = (_result, _args, cache) => cache.invalidate({ __typename: 'Query' });

/**
 * For `updates` of the cache: after any of these mutations everything is read again. What each of them changes isn't listed: a list lacks
 * what comes later, and one request too many is cheaper than a page that shows what was.
 */
export const refetchAfter = (mutations: readonly string[]): { Mutation: Record<string, UpdateResolver> } => ({
  Mutation: Object.fromEntries(mutations.map((name) => [name, forgetRead])),
});
