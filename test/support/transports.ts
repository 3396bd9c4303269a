import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { GraphqlResponse } from './gateway.js';

export interface Operation {
  query: string;
  variables?: Record<string, unknown>;
}

export interface Transport {
  name: string;
  /**
   * Runs one operation and returns its first result; errors of any kind become `errors`.
   * @param headers with what it comes; over a WebSocket when it connects
   */
  run(gateway: { url: string }, operation: Operation, headers?: Record<string, string>): Promise<GraphqlResponse>;
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
  {
    name: 'HTTP',
    run: async (gateway, operation, headers) => {
      const response = await fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(operation),
      });
      return (await response.json()) as GraphqlResponse;
    },
  },
  {
    name: 'WebSocket',
    run: async (gateway, operation, headers) => {
      const url = `${gateway.url.replace('http', 'ws')}/graphql`;
      const settings = { webSocketImpl: WebSocket, retryAttempts: 0, ...(headers && { connectionParams: headers }) };
      const client = createWsClient({ url, ...settings });
      try {
        return await first(client.iterate(operation) as AsyncIterableIterator<unknown>);
      } finally {
        await client.dispose();
      }
    },
  },
  {
    name: 'SSE',
    run: async (gateway, operation, headers) => {
      const url = `${gateway.url}/graphql/stream`;
      const client = createSseClient({ url, retryAttempts: 0, ...(headers && { headers }) });
      try {
        return await first(client.iterate(operation) as AsyncIterableIterator<unknown>);
      } finally {
        client.dispose();
      }
    },
  },
];
