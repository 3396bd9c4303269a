import { cacheExchange } from '@urql/exchange-graphcache';
import { Client, fetchExchange, mapExchange } from 'urql';
import { mutations, schema } from './generated/introspection';
import { actBeforeRefetch, refetchAfter } from './refetch';
import { askWho, fetchSignedIn } from './parts/sign-in/session';

const gateway = {
  url: '/graphql',
  preferGetMethod: false,
  fetch: fetchSignedIn,
  fetchOptions: { headers: { accept: 'application/graphql-response+json' } },
};

const results = mapExchange({
  onResult: actBeforeRefetch,
  onError: ({ graphQLErrors }) => {
    if (graphQLErrors.some(({ extensions }) => extensions['code'] === 'UNAUTHENTICATED')) askWho();
  },
});

export const client = new Client({
  ...gateway,
  requestPolicy: 'cache-and-network',
  exchanges: [
    cacheExchange({
      schema,
      keys: { RouterVersion: ({ version }) => (typeof version === 'number' ? `${version}` : null) },
      updates: refetchAfter(mutations),
    }),
    results,
    fetchExchange,
  ],
});

/** Keeps nothing: for what is asked with another time at each look, of which the cache would keep every one for as long as the tab is open. */
export const uncached = new Client({ ...gateway, exchanges: [results, fetchExchange] });
