import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { GraphqlResponse, ProbeGateway } from './gateway.js';

export interface Operation {
  query: string;
  variables?: Record<string, unknown>;
}

export interface Transport {
  name: string;
  /** Runs one operation and returns its first result; errors of any kind become `errors`. */
  run(gateway: ProbeGateway, operation: Operation): Promise<GraphqlResponse>;
}

async function first(results: AsyncIterableIterator<unknown>): Promise<GraphqlResponse> {
  try {
    for await (const result of results) return result as GraphqlResponse;
    return {};
  } catch (errors) {
    return { errors: errors as GraphqlResponse['errors'] };
  }
}

/** The three ways in: what holds over one must hold over all. */
export const TRANSPORTS: Transport[] = [
  { name: 'HTTP', run: async (gateway, operation) => (await gateway.post(operation)).json },
  {
    name: 'WebSocket',
    run: async (gateway, operation) => {
      const url = `${gateway.url.replace('http', 'ws')}/graphql`;
      const client = createWsClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 });
      try {
        return await first(client.iterate(operation) as AsyncIterableIterator<unknown>);
      } finally {
        await client.dispose();
      }
    },
  },
  {
    name: 'SSE',
    run: async (gateway, operation) => {
      const client = createSseClient({ url: `${gateway.url}/graphql/stream`, retryAttempts: 0 });
      try {
        return await first(client.iterate(operation) as AsyncIterableIterator<unknown>);
      } finally {
        client.dispose();
      }
    },
  },
];
