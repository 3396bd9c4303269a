import { getIntrospectionQuery } from 'graphql';
import { DEFAULT_LIMITS } from '../../src/server/graphql/limits.js';
import { startProbeGateway, type ProbeGateway } from '../support/gateway.js';
import { TRANSPORTS } from '../support/transports.js';

const nested = (depth: number): string => `{ item ${'{ next '.repeat(depth - 2)}{ id }${' }'.repeat(depth - 2)} }`;
const repeat = (count: number, make: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => make(i)).join(' ');

/** Fragments that each spread the next twice: few tokens, 2^n fields. */
const bomb = (levels: number): string =>
  `{ item { ...f0 } } ${repeat(levels, (i) => `fragment f${i} on Item { next { ...f${i + 1} } n: next { ...f${i + 1} } }`)} fragment f${levels} on Item { id }`;

describe.each(TRANSPORTS)('limits over $name', ({ run }) => {
  let gateway: ProbeGateway;
  beforeAll(async () => {
    gateway = await startProbeGateway();
  });
  afterAll(() => gateway.close(100));

  it.each([
    ['size', `{ hello } # ${'x'.repeat(DEFAULT_LIMITS.documentSize)}`, /size in characters is 65\d+; at most 65536/],
    ['tokens', `{ item { ${'id '.repeat(DEFAULT_LIMITS.tokens)} } }`, /number of tokens is 4001; at most 4000/],
    ['depth', nested(16), /depth is 16; at most 15/],
    [
      'depth through fragments',
      `{ item { ...a } } ${repeat(16, (i) => `fragment ${'a'.repeat(i + 1)} on Item { next { ...${'a'.repeat(i + 2)} } }`)} fragment ${'a'.repeat(17)} on Item { id }`,
      /depth is 18/,
    ],
    ['aliases', `{ ${repeat(41, (i) => `a${i}: hello`)} }`, /aliases and repeated fields is 41; at most 40/],
    ['repeated __typename', `{ ${'__typename '.repeat(42)} }`, /aliases and repeated fields is 41; at most 40/],
    ['aliases multiplied by fragments', bomb(10), /aliases and repeated fields is 1023; at most 40/],
    [
      'root fields',
      `{ ${repeat(21, (i) => (i === 0 ? 'hello' : `...f${i}`))} } ${repeat(20, (i) => `fragment f${i + 1} on Query { hello }`)}`,
      /number of root fields is 21; at most 20/,
    ],
    [
      'cost',
      '{ items(first: 100) { edges { node { next { next { next { id } } } } } a: edges { node { id } } } }'.replace(
        'first: 100',
        'first: 2147483',
      ),
      /cost is \d+; at most 10000/,
    ],
  ])('refuses a document beyond the limit on %s, naming limit and value', async (_limit, query, message) => {
    const { errors, data } = await run(gateway, { query });
    expect(data ?? null).toBeNull();
    expect(errors).toHaveLength(1);
    expect(errors![0]).toMatchObject({
      message: expect.stringMatching(message),
      extensions: { code: 'QUERY_TOO_COMPLEX', retry: 'no' },
    });
  });

  it('counts the cost of what variables ask for', async () => {
    const query = 'query ($n: Int) { items(first: $n) { edges { node { id } } } }';
    expect((await run(gateway, { query, variables: { n: 100 } })).errors).toBeUndefined();
    const { errors } = await run(gateway, { query, variables: { n: 5_000 } });
    expect(errors![0]).toMatchObject({
      message: expect.stringMatching(/cost is 15001/),
      extensions: { code: 'QUERY_TOO_COMPLEX' },
    });
  });

  it('says with every answer what the operation cost, and how much it may', async () => {
    const query = 'query ($n: Int) { items(first: $n) { edges { node { id } } } }';
    const cost = { requested: 1 + 100 * 3, limit: DEFAULT_LIMITS.cost };
    expect(await run(gateway, { query, variables: { n: 100 } })).toMatchObject({ extensions: { cost } });
    expect(await run(gateway, { query: '{ items(first: 100) { edges { node { id } } } }' })).toMatchObject({
      extensions: { cost },
    });
    expect(await run(gateway, { query: '{ boom }' })).toMatchObject({
      errors: [{}],
      extensions: { cost: { requested: 1 } },
    });
  });

  it.each([1, 3, 5, 51, 99])('answers %d variables that do not fit in one form, with the first five', async (count) => {
    const query = 'query ($list: [String!]!) { echoAll(texts: $list) }';
    const { errors, data } = await run(gateway, { query, variables: { list: Array<number>(count).fill(1) } });
    expect(data ?? null).toBeNull();
    expect(errors).toHaveLength(Math.min(count, 5));
    for (const [i, error] of errors!.entries())
      expect(error).toMatchObject({
        message: `Variable "$list" got invalid value 1 at "list[${i}]"; String cannot represent a non string value: 1`,
        extensions: { code: 'BAD_USER_INPUT', retry: 'no', requestId: expect.any(String) },
      });
  });

  it('echoes no more of what was sent than a thousand characters', async () => {
    const long = 'x'.repeat(200_000);
    for (const operation of [
      { query: 'query ($n: Int) { items(first: $n) { edges { node { id } } } }', variables: { n: long } },
      { query: `query ($id: ID!) { itemById(id: $id) { id } }`, variables: { id: long } },
      { query: `{ ${long.slice(0, 60_000)} }` },
    ])
      expect(JSON.stringify(await run(gateway, operation)).length).toBeLessThan(3_000);
  });

  it('lets ask stand alone only', async () => {
    const ask = 'ask(input: { question: "why?" })';
    expect(await run(gateway, { query: `{ ${ask} __typename }` })).toMatchObject({ data: { ask: 'why?' } });
    const { errors } = await run(gateway, { query: `{ ${ask} b: ${ask} }` });
    expect(errors![0]!.extensions['code']).toBe('QUERY_TOO_COMPLEX');
  });

  it('refuses variables of the wrong type and ids of the wrong type, each by its code', async () => {
    const query = 'query ($id: ID!) { itemById(id: $id) { id } }';
    const wrong = await run(gateway, { query, variables: { id: { not: 'an id' } } });
    expect(wrong.errors![0]).toMatchObject({ extensions: { code: 'BAD_USER_INPUT' } });
    const id = Buffer.from('Thing:018f2b6e-7c1a-7000-8000-000000000000').toString('base64url');
    const other = await run(gateway, { query, variables: { id } });
    expect(other.errors![0]).toMatchObject({
      message: 'id is the id of a Thing; the id of a Item is expected.',
      extensions: { code: 'BAD_USER_INPUT', field: 'id' },
    });
    const garbage = await run(gateway, { query, variables: { id: 'garbage' } });
    expect(garbage.errors![0]).toMatchObject({ extensions: { code: 'BAD_USER_INPUT', field: 'id' } });
  });

  it.each([
    ['selections', '{ a '.repeat(1_900)],
    ['lists', `{ item(a: ${'['.repeat(1_900)}${']'.repeat(1_900)}) { id } }`],
    ['objects', `{ item(a: ${'{a: '.repeat(900)}1${'}'.repeat(900)}) { id } }`],
  ])('refuses %s inside each other beyond any stack, as the client’s mistake', async (_what, query) => {
    const { errors } = await run(gateway, { query });
    expect(['QUERY_TOO_COMPLEX', 'GRAPHQL_PARSE_FAILED', 'GRAPHQL_VALIDATION_FAILED']).toContain(
      errors![0]!.extensions['code'],
    );
  });

  it('answers full introspection and a deep but modest document', async () => {
    for (const query of [getIntrospectionQuery(), nested(15)])
      expect((await run(gateway, { query })).errors).toBeUndefined();
  });
});

describe('limits', () => {
  it.each(['/graphql', '/graphql/stream'])('refuse JSON of too many values or levels at %s, unparsed', async (path) => {
    const gateway = await startProbeGateway();
    try {
      const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
      for (const values of [`[1${',1'.repeat(60_000)}]`, deep, `{"a":${deep}`]) {
        const response = await fetch(`${gateway.url}${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: path === '/graphql' ? '*/*' : 'text/event-stream' },
          body: `{"query":"{ hello }","variables":{"x":${values}}}`,
        });
        expect(response.status).toBe(400);
        expect(await response.json()).toMatchObject({
          errors: [{ extensions: { code: 'QUERY_TOO_COMPLEX', requestId: expect.any(String) } }],
        });
      }
    } finally {
      await gateway.close(100);
    }
  });

  it('refuses a hostile document before it is validated, as an honest one is not', async () => {
    const gateway = await startProbeGateway();
    try {
      // Validation compares overlapping fields pairwise. That it did not begin shows in the unknown field that nobody names.
      const hostile = `{ item { unknown ${repeat(1_300, () => 'next { id }')} } }`;
      const honest = `{ item { unknown ${'next { '.repeat(12)}id${' }'.repeat(12)} ${'# more '.repeat(2_000)}\n } }`;
      const codesOf = async (query: string) =>
        (await gateway.post({ query })).json.errors?.map(({ extensions }) => extensions['code']);
      expect(await codesOf(hostile)).toEqual(['QUERY_TOO_COMPLEX']);
      expect(await codesOf(honest)).toEqual(['GRAPHQL_VALIDATION_FAILED']);
    } finally {
      await gateway.close(100);
    }
  });
});
