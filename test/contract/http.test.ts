import { auditServer } from 'graphql-http';
import { getIntrospectionQuery } from 'graphql';
import { startProbeGateway, type ProbeGateway } from '../support/gateway.js';
import { send } from '../support/plain-http.js';

describe('GraphQL over HTTP', () => {
  let gateway: ProbeGateway;
  beforeAll(async () => {
    gateway = await startProbeGateway();
  });
  afterAll(() => gateway.close(100));

  it('passes every audit of graphql-http; what it may leave out is GET without a header that forces a preflight', async () => {
    const results = await auditServer({ url: `${gateway.url}/graphql` });
    expect(results.length).toBeGreaterThan(50);
    expect(results.filter(({ status }) => status === 'error' || status === 'warn')).toEqual([]);
    const notices = results.filter(({ status }) => status === 'notice').map(({ name }) => name);
    for (const name of notices) expect(name).toMatch(/^MAY .*GET/);
  });

  it.each([
    [undefined, 'application/json; charset=utf-8'],
    ['*/*', 'application/json; charset=utf-8'],
    ['application/json', 'application/json; charset=utf-8'],
    ['text/html, */*;q=0.1', 'application/json; charset=utf-8'],
    ['application/graphql-response+json', 'application/graphql-response+json; charset=utf-8'],
    ['application/json;q=0.5, application/graphql-response+json', 'application/graphql-response+json; charset=utf-8'],
  ])('answers a client that accepts %s in %s', async (accept, expected) => {
    const wanted: Record<string, string> = accept === undefined ? {} : { accept };
    const { status, headers, text } = await send(gateway, '/graphql', wanted, '{"query":"{ hello }"}');
    expect([status, headers['content-type']]).toEqual([200, expected]);
    expect(JSON.parse(text)).toMatchObject({ data: {} });
  });

  it('answers introspection within its limits', async () => {
    const { status, json } = await gateway.post({
      query: getIntrospectionQuery({
        descriptions: true,
        inputValueDeprecation: true,
        specifiedByUrl: true,
        schemaDescription: true,
        directiveIsRepeatable: true,
        oneOf: true,
      }),
    });
    expect(json.errors).toBeUndefined();
    expect(status).toBe(200);
  });
});
