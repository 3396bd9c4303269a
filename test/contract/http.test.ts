import { auditServer } from 'graphql-http';
import { getIntrospectionQuery } from 'graphql';
import { startProbeGateway, type ProbeGateway } from '../support/gateway.js';

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
