import { createClient, type Client } from 'graphql-sse';
import { startProbeGateway, type ProbeGateway } from '../support/gateway.js';

describe('GraphQL over server-sent events', () => {
  let gateway: ProbeGateway;
  let client: Client;
  beforeAll(async () => {
    gateway = await startProbeGateway();
    client = createClient({ url: `${gateway.url}/graphql/stream`, retryAttempts: 0 });
  });
  afterAll(async () => {
    client.dispose();
    await gateway.close(100);
  });

  const collect = async (query: string): Promise<unknown[]> => {
    const results: unknown[] = [];
    for await (const result of client.iterate({ query })) results.push(result);
    return results;
  };

  it('answers queries and streams subscriptions to graphql-sse’s own client', async () => {
    expect(await collect('{ hello }')).toMatchObject([{ data: { hello: 'hello' } }]);
    expect(await collect('subscription { counter(to: 3) }')).toMatchObject(
      [1, 2, 3].map((counter) => ({ data: { counter } })),
    );
  });

  it('aborts the resolver when the client hangs up', async () => {
    for (const [query, name] of [
      ['subscription { counter(to: 9, everyMs: 60000) }', 'counter'],
      ['{ wait(ms: 60000) }', 'wait'],
    ] as const) {
      const iterator = client.iterate({ query });
      void iterator.next();
      await gateway.log.untilStarted(name);
      await iterator.return!();
      await gateway.log.untilAborted(name);
    }
  });

  it('masks an error in the middle of a stream, and then completes', async () => {
    const results = await collect('subscription { failing }');
    expect(results).toMatchObject([{ data: { failing: 1 } }, { errors: [{ extensions: { code: 'INTERNAL_ERROR' } }] }]);
    expect(JSON.stringify(results)).not.toContain('hunter2');
  });

  it('reports what is wrong with a document as an event, by its code', async () => {
    expect(await collect('{ nothing }')).toMatchObject([
      { errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] },
    ]);
  });

  it('changes nothing over GET', async () => {
    const url = (query: string) => `${gateway.url}/graphql/stream?query=${encodeURIComponent(query)}`;
    const headers = { accept: 'text/event-stream' };
    for (const query of ['mutation { note(text: "x") }', '{ ask(input: { question: "x" }) }'])
      expect(await (await fetch(url(query), { headers })).text()).toContain('"code":"BAD_REQUEST"');
    expect(await (await fetch(url('subscription { counter(to: 1) }'), { headers })).text()).toContain('{"counter":1}');
  });

  it('ends streams when the gateway drains', async () => {
    const draining = await startProbeGateway();
    const response = await fetch(`${draining.url}/graphql/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: 'subscription { deaf }' }),
    });
    const text = response.text();
    await draining.close(2_000);
    expect(await text).toContain('event: complete');
  });
});
