import { cacheExchange } from '@urql/exchange-graphcache';
import { Client, fetchExchange, makeOperation, mapExchange, type CombinedError, type OperationResult } from 'urql';
import { mutations, schema } from './generated/introspection';
import { actBeforeRefetch, refetchAfter } from './refetch';
import { askWho, fetchSignedIn } from './parts/sign-in/session';

const gateway = {
  url: '/graphql',
  preferGetMethod: false,
  fetch: fetchSignedIn,
  fetchOptions: { headers: { accept: 'application/graphql-response+json' } },
};

/** What a page shows is asked again so long after it could not be had, in ms. */
const AGAIN_MS = 5_000;

const passes = ({ networkError, graphQLErrors }: CombinedError): boolean =>
  networkError !== undefined || graphQLErrors.some(({ extensions }) => extensions['retry'] === 'later');

/** A page doesn’t stay with a failure that passes until somebody presses a button; a query of a page that was left isn’t asked. */
function askAgain({ operation, error }: OperationResult, getClient: () => Client): void {
  if (operation.kind !== 'query' || !error || !passes(error)) return;
  const retry = makeOperation('query', operation, { ...operation.context, requestPolicy: 'network-only' });
  setTimeout(() => getClient().reexecuteOperation(retry), AGAIN_MS);
}

const results = (getClient: () => Client) =>
  mapExchange({
    onResult: (result) => {
      actBeforeRefetch(result);
      askAgain(result, getClient);
    },
    onError: ({ graphQLErrors }) => {
      if (graphQLErrors.some(({ extensions }) => extensions['code'] === 'UNAUTHENTICATED')) askWho();
    },
  });

export const client: Client = new Client({
  ...gateway,
  requestPolicy: 'cache-and-network',
  exchanges: [
    cacheExchange({
      schema,
      keys: { RouterVersion: ({ version }) => (typeof version === 'number' ? `${version}` : null) },
      updates: refetchAfter(mutations),
    }),
    results(() => client),
    fetchExchange,
  ],
});

/** Keeps nothing: for what is asked with another time at each look, of which the cache would keep every one for as long as the tab is open. */
export const uncached: Client = new Client({ ...gateway, exchanges: [results(() => uncached), fetchExchange] });
