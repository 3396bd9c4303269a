import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { createClient } from 'graphql-ws';
import { reportConnection } from './connection';
import { GatewayError } from './gateway-error';
import { accepted, authorization, current, refused } from './sign-in/session';

const url = new URL('/graphql', window.location.href);
url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';

/** Who the socket was told that it is of. */
let said: { authorization?: string } = {};

/** One socket for all streams of the page. It does not retry by itself: whoever follows a stream knows where to go on. */
const socket = createClient({
  url: url.href,
  lazy: true,
  connectionParams: () => (said = authorization()),
  retryAttempts: 0,
  on: {
    connected: () => {
      accepted(said);
      reportConnection(true);
    },
  },
});

/** What the gateway said, also of a socket that it closed because of who is there: 4401 without a key that it takes, 4403 with one that may no more. */
function refusalIn(error: unknown): GatewayError | null {
  if (error instanceof GatewayError) return error;
  if (Array.isArray(error)) return GatewayError.from(error[0] as { message: string });
  const { code, reason } = error as { code?: unknown; reason?: unknown };
  if (code !== 4401 && code !== 4403) return null;
  return new GatewayError('UNAUTHENTICATED', typeof reason === 'string' && reason !== '' ? reason : 'Sign in again.');
}

const RETRY_MS = [500, 1_000, 2_000, 5_000];

const wait = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });

/**
 * The events of a subscription, to its end or until `signal` aborts. When the gateway goes away it is asked again, with the
 * variables that `variables` gives for the last event seen: `after` for a stored stream, the same `requestId` for an answer.
 * The same when the token ended that it was asked with: it is asked again with the next.
 * @throws GatewayError what the gateway refused; that is not asked again
 */
export async function* follow<Data, Variables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: (last: Data | undefined) => Variables,
  signal: AbortSignal,
): AsyncGenerator<Data> {
  let last: Data | undefined;
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    await current(signal);
    if (signal.aborted) return;
    const events = socket.iterate<Data>({
      query: print(document),
      variables: variables(last) as Record<string, unknown>,
    });
    const stop = () => void events.return?.(undefined);
    signal.addEventListener('abort', stop, { once: true });
    try {
      for await (const { data, errors } of events) {
        if (errors?.[0]) throw GatewayError.from(errors[0]);
        if (!data) continue;
        attempt = 0;
        last = data;
        yield data;
      }
      return;
    } catch (error) {
      if (signal.aborted) return;
      const refusal = refusalIn(error);
      if (refusal?.code === 'UNAUTHENTICATED' && (await refused(said, signal))) continue;
      if (refusal && refusal.code !== 'SHUTTING_DOWN') throw refusal;
      reportConnection(false);
      await wait(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]!, signal);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }
}
