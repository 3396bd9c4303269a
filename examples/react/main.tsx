import { createClient as createSocket } from 'graphql-ws';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Client, Provider, subscriptionExchange } from 'urql';
import { Ask } from './ask';

const gateway = new URL(import.meta.env.VITE_GRAFT_URL ?? 'http://127.0.0.1:4000/graphql');
const socket = createSocket({ url: gateway.href.replace(/^http/, 'ws') });

const client = new Client({
  url: gateway.href,
  preferGetMethod: false,
  exchanges: [
    subscriptionExchange({
      forwardSubscription: ({ query, variables }) => ({
        subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query: query ?? '', variables }, sink) }),
      }),
    }),
  ],
});

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <Provider value={client}>
      <Ask />
    </Provider>
  </StrictMode>,
);
