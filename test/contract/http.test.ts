import { auditServer } from 'graphql-http';
import { getIntrospectionQuery } from 'graphql';
import { startProbeGateway, type ProbeGateway } from '../support/gateway.js';

describe('GraphQL over HTTP', () => {
  let gateway: ProbeGateway;
  beforeAll(async () => {
    gateway = await startProbeGateway();
  });
  afterAll(() => gateway.close(100));

  it('passes every audit of graphql-http', async () => {
    const results = await auditServer({ url: `${gateway.url}/graphql` });
    const failed = results.filter((result) => result.status !== 'ok');
    for (const result of failed) if ('reason' in result) console.log(result.status, result.name, result.reason);
    expect(failed.filter((result) => result.status === 'error')).toEqual([]);
    expect(results.length).toBeGreaterThan(50);
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
