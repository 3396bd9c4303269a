import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { Client, fetchExchange, mapExchange } from 'urql';
import { mutations, schema } from './generated/introspection';
import { refetchAfter } from './refetch';
import { askWho, authorization } from './parts/sign-in/session';

export const client = new Client({
  url: '/graphql',
  preferGetMethod: false,
  requestPolicy: 'cache-and-network',
  fetchOptions: () => ({ headers: { accept: 'application/graphql-response+json', ...authorization() } }),
  exchanges: [
    cacheExchange({
      schema,
      keys: { RouterVersion: ({ version }) => (typeof version === 'number' ? `${version}` : null) },
      resolvers: {
        Query: { runs: relayPagination(), answers: relayPagination() },
        Collection: { documents: relayPagination() },
        DatasetVersion: { rows: relayPagination() },
        DatasetDiff: { changes: relayPagination() },
        Evaluation: { rows: relayPagination() },
      },
      updates: refetchAfter(mutations),
    }),
    mapExchange({
      onError: ({ graphQLErrors }) => {
        if (graphQLErrors.some(({ extensions }) => extensions['code'] === 'UNAUTHENTICATED')) askWho();
      },
    }),
    fetchExchange,
  ],
});
