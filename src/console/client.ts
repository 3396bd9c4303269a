import { cacheExchange } from '@urql/exchange-graphcache';
import { Client, fetchExchange, mapExchange } from 'urql';
import { mutations, schema } from './generated/introspection';
import { actBeforeRefetch, refetchAfter } from './refetch';
import { askWho, fetchSignedIn } from './parts/sign-in/session';

export const client = new Client({
  url: '/graphql',
  preferGetMethod: false,
  requestPolicy: 'cache-and-network',
  fetch: fetchSignedIn,
  fetchOptions: { headers: { accept: 'application/graphql-response+json' } },
  exchanges: [
    cacheExchange({
      schema,
      keys: { RouterVersion: ({ version }) => (typeof version === 'number' ? `${version}` : null) },
      updates: refetchAfter(mutations),
    }),
    mapExchange({
      onResult: actBeforeRefetch,
      onError: ({ graphQLErrors }) => {
        if (graphQLErrors.some(({ extensions }) => extensions['code'] === 'UNAUTHENTICATED')) askWho();
      },
    }),
    fetchExchange,
  ],
});
