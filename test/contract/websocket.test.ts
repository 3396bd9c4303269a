import { once } from 'node:events';
import { createClient, type Client, type ExecutionResult } from 'graphql-ws';
import { WebSocket } from 'ws';
import { startProbeGateway, type ProbeGateway } from '../support/gateway.js';

const PROTOCOL = 'graphql-transport-ws';

/** A socket that has sent `first` and, if that introduces it, heard the acknowledgement. */
async function open(gateway: ProbeGateway, first?: unknown): Promise<{ socket: WebSocket; closed: Promise<number> }> {
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql`, PROTOCOL);
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  await once(socket, 'open');
  if (first !== undefined) socket.send(typeof first === 'string' ? first : JSON.stringify(first));
  if (first === INIT) await once(socket, 'message');
  return { socket, closed };
}

async function closeCode(gateway: ProbeGateway, [first, ...rest]: unknown[]): Promise<number> {
  const { socket, closed } = await open(gateway, first);
  for (const message of rest) socket.send(JSON.stringify(message));
  return closed;
}

const INIT = { type: 'connection_init' };
const subscribe = (id: string, query: string) => ({ type: 'subscribe', id, payload: { query } });

describe('GraphQL over WebSocket', () => {
  let gateway: ProbeGateway;
  let client: Client;
  beforeAll(async () => {
    gateway = await startProbeGateway({
      limits: { operationsPerSocket: 3, messageBytes: 64 * 1024, json: { values: 20_000, nesting: 64 } },
    });
    client = createClient({
      url: gateway.url.replace('http', 'ws') + '/graphql',
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
  });
  afterAll(async () => {
    await client.dispose();
    await gateway.close(100);
  });

  const collect = async (query: string): Promise<ExecutionResult[]> => {
    const results: ExecutionResult[] = [];
    for await (const result of client.iterate({ query })) results.push(result as ExecutionResult);
    return results;
  };

  it('answers queries and streams subscriptions to graphql-ws’s own client', async () => {
    expect(await collect('{ hello }')).toMatchObject([{ data: { hello: 'hello' } }]);
    expect(await collect('subscription { counter(to: 3) }')).toMatchObject(
      [1, 2, 3].map((counter) => ({ data: { counter } })),
    );
  });

  it('aborts the resolver when the client cancels, a subscription and a query alike', async () => {
    const iterator = client.iterate({ query: 'subscription { counter(to: 9, everyMs: 60000) }' });
    const pending = iterator.next();
    await gateway.log.untilStarted('counter');
    await iterator.return!();
    await gateway.log.untilAborted('counter');
    const query = client.iterate({ query: '{ wait(ms: 60000) }' });
    void query.next();
    await gateway.log.untilStarted('wait');
    await query.return!();
    await gateway.log.untilAborted('wait');
    await pending;
  });

  it('masks an error in the middle of a stream, and then completes', async () => {
    const results = await collect('subscription { failing }');
    expect(results[0]).toMatchObject({ data: { failing: 1 } });
    expect(results).toHaveLength(2);
    expect(results[1]!.errors![0]!.extensions).toMatchObject({ code: 'INTERNAL_ERROR', requestId: expect.any(String) });
    expect(JSON.stringify(results)).not.toContain('hunter2');
  });

  it('keeps the code of an error that the source throws on purpose', async () => {
    const [result] = await collect('subscription { refusing }');
    expect(result!.errors![0]).toMatchObject({
      message: 'There is nothing to watch.',
      extensions: { code: 'NOT_FOUND' },
    });
  });

  it('reports syntax and validation errors by their codes', async () => {
    for (const [query, code] of [
      ['{ hello', 'GRAPHQL_PARSE_FAILED'],
      ['{ nothing }', 'GRAPHQL_VALIDATION_FAILED'],
    ] as const)
      await expect(collect(query)).rejects.toMatchObject([{ extensions: { code } }]);
  });

  it.each([
    ['4400 for a message that is not of the protocol', 4400, ['{"type":"what"}']],
    ['4401 for an operation before the handshake', 4401, [subscribe('1', '{ hello }')]],
    ['4429 for a second handshake', 4429, [INIT, INIT]],
    [
      '4409 for two operations of one id',
      4409,
      [INIT, subscribe('1', '{ wait(ms: 5000) }'), subscribe('1', '{ hello }')],
    ],
    [
      '1009 for a ping that carries more than a ping does',
      1009,
      [INIT, { type: 'ping', payload: { x: 'x'.repeat(2_000) } }],
    ],
    ['1009 for an introduction that would fill memory', 1009, [{ ...INIT, payload: { x: 'x'.repeat(20_000) } }]],
    ['1009 for JSON of too many levels', 1009, ['['.repeat(100)]],
    ['1009 for JSON of too many values', 1009, [`[1${',1'.repeat(30_000)}]`]],
    ['1009 for a message beyond the limit', 1009, [INIT, subscribe('1', `{ hello } # ${'x'.repeat(70_000)}`)]],
  ])('closes with %s', async (_what, code, messages) => {
    expect(await closeCode(gateway, messages)).toBe(code);
  });

  it('closes with 4408 for a socket that never introduces itself', async () => {
    const impatient = await startProbeGateway({ connectionInitTimeoutMs: 200 });
    try {
      expect(await closeCode(impatient, [])).toBe(4408);
    } finally {
      await impatient.close(100);
    }
  });

  it('closes with 4406 for another subprotocol', async () => {
    const socket = new WebSocket(gateway.url.replace('http', 'ws') + '/graphql', 'graphql-ws');
    const outcome = await new Promise((resolve) => {
      socket.on('error', (error) => resolve(error.message));
      socket.on('close', (code) => resolve(code));
    });
    // `ws` as a client refuses a handshake without a subprotocol before it hears the close code.
    expect([4406, 'Server sent no subprotocol']).toContain(outcome);
  });

  it('refuses more operations than a socket may have', async () => {
    const running = Array.from({ length: 3 }, () =>
      client.iterate({ query: 'subscription { counter(to: 1, everyMs: 60000) }' }),
    );
    const pending = running.map((iterator) => iterator.next());
    for (const _ of running) await gateway.log.untilStarted('counter');
    await expect(collect('{ hello }')).rejects.toMatchObject([{ extensions: { code: 'OVERLOADED' } }]);
    for (const iterator of running) await iterator.return!();
    await Promise.all(pending);
    expect(await collect('{ hello }')).toMatchObject([{ data: { hello: 'hello' } }]);
  });

  it('closes with 1001 when the gateway drains, also where a source is deaf to it', async () => {
    const draining = await startProbeGateway();
    const { socket, closed } = await open(draining, INIT);
    socket.send(JSON.stringify(subscribe('1', 'subscription { deaf }')));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await draining.close(2_000);
    expect(await closed).toBe(1001);
  });
});
