import { cacheExchange, type Cache } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { Client, fetchExchange, mapExchange } from 'urql';
import { schema } from './generated/introspection';
import { askWho, authorization } from './parts/sign-in/session';

/** Lists that a mutation may have changed: they are fetched again when a page looks at them. */
const CHANGED_BY: Record<string, readonly string[]> = {
  createCollection: ['collections', 'collection'],
  ingestDocuments: ['runs', 'collections', 'collection'],
  deleteDocuments: ['collections', 'collection'],
  rebuildIndex: ['runs'],
  createDataset: ['datasets', 'dataset'],
  addDatasetVersion: ['runs', 'datasets', 'dataset'],
  defineFeatureView: ['featureViews'],
  importFeatures: ['runs', 'featureViews'],
  registerModel: ['runs', 'models'],
  startTraining: ['runs'],
  attestAdapter: ['runs', 'adapter', 'adapters'],
  evaluate: ['runs', 'adapter'],
  compareStrategies: ['runs'],
  indexDataset: ['runs', 'dataset'],
  fitHybrid: ['runs'],
  fitRouter: ['runs', 'router'],
  promoteAdapter: ['adapter', 'adapters'],
  rollbackAdapter: ['adapter', 'adapters'],
  createApiKey: ['apiKeys'],
  rotateApiKey: ['apiKeys'],
  revokeApiKey: ['apiKeys'],
  setBudget: ['apiKeys', 'me'],
  pauseRun: ['runs'],
  resumeRun: ['runs'],
  cancelRun: ['runs'],
};

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
      updates: {
        Mutation: Object.fromEntries(
          Object.entries(CHANGED_BY).map(([mutation, lists]) => [
            mutation,
            (_result: unknown, _args: unknown, cache: Cache) => {
              // Each is kept by its arguments: the name alone would leave all that were asked for with some.
              for (const { fieldName, arguments: args } of cache.inspectFields('Query'))
                if (lists.includes(fieldName)) cache.invalidate('Query', fieldName, args);
            },
          ]),
        ),
      },
    }),
    mapExchange({
      onError: ({ graphQLErrors }) => {
        if (graphQLErrors.some(({ extensions }) => extensions['code'] === 'UNAUTHENTICATED')) askWho();
      },
    }),
    fetchExchange,
  ],
});
