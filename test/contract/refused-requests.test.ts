import { addMcp } from '../../src/server/mcp/index.js';
import { startProbeGateway, type GraphqlResponse, type ProbeGateway } from '../support/gateway.js';

const ID = 'mine-44';
const PREFLIGHT = { 'apollo-require-preflight': '1' };
const get = (query: string, more = '', headers: Record<string, string> = PREFLIGHT) => ({
  method: 'GET',
  search: `?query=${encodeURIComponent(query)}${more}`,
  headers,
});
const post = (body: string, headers: Record<string, string> = { 'content-type': 'application/json' }) => ({
  method: 'POST',
  search: '',
  headers,
  body: Buffer.from(body),
});
const HELLO = '{"query":"{ hello }"}';
const as = (type: string) => ({ 'content-type': type });

/** What is refused at either address alike, with the status. */
const REFUSED: [string, ReturnType<typeof post> | ReturnType<typeof get>, number][] = [
  ['is no JSON', post('{"query'), 400],
  ['is JSON without a query', post('{}'), 400],
  ['is null', post('null'), 400],
  ['has variables that are no object', post('{"query":"{ hello }","variables":"x"}'), 400],
  ['is a batch', post(`[${HELLO}]`), 400],
  ['is sent as a form', post('query=x', as('application/x-www-form-urlencoded')), 415],
  ['is sent in a media type that is not JSON', post('<query/>', as('application/xml')), 415],
  ['names no media type', post(HELLO, {}), 415],
  ['is sent as plain text, which any web page may', post(HELLO, as('text/plain')), 400],
  ['is a GET whose variables are no JSON', get('{ hello }', '&variables=%7B'), 400],
  ['is a GET whose variables are no object', get('{ hello }', '&variables=7'), 400],
  ['is a GET without a query', { ...get(''), search: '?variables={}' }, 400],
  [
    'wants an answer in no media type that there is',
    post(HELLO, { ...as('application/json'), accept: 'image/png' }),
    406,
  ],
];

describe('a request that is refused before anything of it runs', () => {
  let gateway: ProbeGateway;
  beforeAll(async () => {
    gateway = await startProbeGateway();
  });
  afterAll(() => gateway.close(100));

  const send = (path: string, { search, headers, ...init }: (typeof REFUSED)[number][1], accept: string) =>
    fetch(`${gateway.url}${path}${search}`, { ...init, headers: { accept, 'x-request-id': ID, ...headers } });
  const refusal = { extensions: { code: 'BAD_REQUEST', retry: 'no', requestId: ID } };

  describe.each([
    ['/graphql', 'application/json'],
    ['/graphql/stream', 'text/event-stream, */*'],
  ])('at %s', (path, accept) => {
    it.each(REFUSED)('because it %s says so with code and request id', async (_what, request, status) => {
      const response = await send(path, request, accept);
      expect(response.status).toBe(status);
      expect(((await response.json()) as GraphqlResponse).errors).toMatchObject([refusal]);
    });
  });

  it('because a web page could have sent it says so, where answers can be read at once', async () => {
    const response = await send('/graphql', get('{ hello }', '', {}), 'application/json');
    expect(response.status).toBe(400);
    const { errors } = (await response.json()) as GraphqlResponse;
    expect(errors).toMatchObject([{ message: expect.stringContaining('CSRF'), ...refusal }]);
    // The clients that send GET unless they are told otherwise.
    expect(errors![0]!.extensions['hint']).toMatch(
      /urql `preferGetMethod: false`.*Apollo Client.*apollo-require-preflight/,
    );
  });

  it('because it would change something over GET says so: with 405 at /graphql, as an event at /graphql/stream', async () => {
    const mutation = get('mutation { note(text: "x") }');
    const response = await send('/graphql', mutation, 'application/json');
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    expect(await response.json()).toMatchObject({ errors: [refusal] });
    expect(await events(await send('/graphql/stream', mutation, 'text/event-stream'))).toMatchObject([
      { errors: [refusal] },
    ]);
  });

  it.each([
    ['is no GraphQL', '{', 'GRAPHQL_PARSE_FAILED'],
    ['names a field that there is not', '{ nothing }', 'GRAPHQL_VALIDATION_FAILED'],
    ['asks for too much', '{ items(first: 2147483) { edges { node { id } } } }', 'QUERY_TOO_COMPLEX'],
    ['follows what can’t be followed', 'subscription { refusing }', 'NOT_FOUND'],
  ])('as an event, because its document %s, says so with code and request id', async (_what, query, code) => {
    const response = await send('/graphql/stream', post(JSON.stringify({ query })), 'text/event-stream, */*');
    expect(response.status).toBe(200);
    expect(await events(response)).toMatchObject([{ errors: [{ extensions: { code, requestId: ID } }] }]);
  });

  it.each(['text/event-stream', 'text/event-stream, */*', 'application/json, Text/Event-Stream;q=0.9'])(
    'is none for `accept: %s` at /graphql/stream',
    async (accept) => {
      expect(await events(await send('/graphql/stream', post(HELLO), accept))).toMatchObject([
        { data: { hello: 'hello' } },
      ]);
    },
  );
});

/** The results of a stream that ended. */
const events = async (response: Response): Promise<unknown[]> =>
  [...(await response.text()).matchAll(/^event: next\ndata: (.*)$/gm)].map(([, data]) => JSON.parse(data!) as unknown);

describe('a request for a stream or the end of a session at /mcp', () => {
  it.each(['GET', 'DELETE'])('is refused with what is allowed instead: %s', async (method) => {
    const gateway = await startProbeGateway({ addRoutes: (server, kit) => addMcp(server, '1', kit) });
    const response = await fetch(`${gateway.url}/mcp`, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    await gateway.close(0);
  });
});
