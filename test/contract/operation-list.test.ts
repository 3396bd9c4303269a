/** `GRAFT_OPERATIONS`: what is not listed is refused, or written down, whatever way it comes. */
import { createClient as createWsClient } from 'graphql-ws';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, Kind, parse, print, visit } from 'graphql';
import { WebSocket } from 'ws';
import { loadOperationList, OperationList } from '../../src/server/graphql/operation-list.js';
import { RESOLVER_CLASSES } from '../../src/server/graphql/resolvers.js';
import { buildGraphSchema } from '../../src/server/graphql/schema.js';
import { packageRoot } from '../../src/platform/package-root.js';
import { createLogger, silentLogger } from '../../src/platform/telemetry/index.js';
import { send } from '../support/plain-http.js';
import { startProbeGateway, type GraphqlResponse, type ProbeGateway } from '../support/gateway.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';
import { TRANSPORTS } from '../support/transports.js';

const LISTED = 'query Greet {\n  # for greeting\n  hello\n}';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const named = (text: string) => ({ persistedQuery: { version: 1, sha256Hash: sha256(text) } });
const codes = ({ errors }: GraphqlResponse) => errors?.map(({ extensions }) => extensions['code']);

describe('a gateway that answers listed operations only', () => {
  const list = new OperationList('enforce', silentLogger());
  list.add(LISTED, 'greet-1');
  let gateway: ProbeGateway;
  beforeAll(async () => void (gateway = await startProbeGateway({ operations: list })));
  afterAll(() => gateway.close());

  describe.each(TRANSPORTS)('over $name', ({ run }) => {
    it.each([
      ['as it is listed', LISTED],
      ['laid out otherwise, without its comment', 'query Greet { hello }'],
      ['with the type names that clients with a cache add', 'query Greet { __typename hello __typename }'],
    ])('answers an operation %s', async (_how, query) => {
      expect((await run(gateway, { query })).data).toMatchObject({ hello: expect.anything() });
    });

    it.each([
      ['another operation', '{ __typename hello }'],
      ['the same fields under another name', 'query Other { hello }'],
      ['a listed one with another beside it', `${LISTED} query Other { hello }`],
      ['introspection', '{ __schema { types { name } } }'],
      ['one that the schema doesn’t fit, of which nothing is said', '{ helo }'],
    ])('refuses %s', async (_what, query) => {
      const told = await run(gateway, { query });
      expect(codes(told)).toEqual(['OPERATION_NOT_LISTED']);
      expect(JSON.stringify(told)).not.toContain('Did you mean');
    });
  });

  it('takes the hash of a listed operation, or its id, in place of its text, and no other', async () => {
    const byHash = await gateway.post({ extensions: named(LISTED) });
    expect(byHash.json.data).toMatchObject({ hello: expect.anything() });
    const byId = await gateway.post({ extensions: { persistedQuery: { version: 1, sha256Hash: 'greet-1' } } });
    expect(byId.json.data).toMatchObject({ hello: expect.anything() });
    const unknown = await gateway.post({ extensions: named('{ hello }') });
    expect([unknown.status, codes(unknown.json)]).toEqual([403, ['OPERATION_NOT_LISTED']]);
  });

  it('checks of a GET the very text that runs, whatever its address has for escapes', async () => {
    const get = async (search: string) => {
      const { status, text } = await send(gateway, `/graphql${search}`, { 'apollo-require-preflight': '1' });
      return [status, codes(JSON.parse(text) as GraphqlResponse)];
    };
    const listed = encodeURIComponent(LISTED);
    const other = encodeURIComponent('{ __schema { types { name } } }');
    expect(await get(`?query=${listed}`)).toEqual([200, undefined]);
    const refused = [403, ['OPERATION_NOT_LISTED']];
    expect(await get(`?query=${other}`)).toEqual(refused);
    // A broken escape in a comment: one parser keeps the whole text as it is, another reads it with a replacement character.
    expect(await get(`?query=${other}%23%FF`)).toEqual(refused);
    expect(await get(`?query=${listed}&query=${other}`)).toEqual([400, expect.anything()]);
    expect(await get(`#query=${listed}&z=?query=${other}`)).not.toEqual([200, undefined]);
  });

  it('doesn’t keep a document that is sent with its hash', async () => {
    const query = '{ hello }';
    expect(codes((await gateway.post({ query, extensions: named(query) })).json)).toEqual(['OPERATION_NOT_LISTED']);
    expect(codes((await gateway.post({ extensions: named(query) })).json)).toEqual(['OPERATION_NOT_LISTED']);
  });

  it('takes the hash over WebSocket and as an event stream, too', async () => {
    const client = createWsClient({
      url: `${gateway.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
    const { value } = await client.iterate({ query: '', extensions: named(LISTED) }).next();
    expect(value).toMatchObject({ data: { hello: expect.anything() } });
    await client.dispose();
    const response = await fetch(`${gateway.url}/graphql/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ extensions: named(LISTED) }),
    });
    expect(await response.text()).toContain('"hello"');
  });
});

describe('a gateway that writes down what isn’t listed', () => {
  it('answers it, and its log names it', async () => {
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const list = new OperationList('audit', createLogger({ level: 'warn', destination: destination }));
    list.add(LISTED);
    const gateway = await startProbeGateway({ operations: list });
    try {
      for (const { run } of TRANSPORTS) {
        expect((await run(gateway, { query: LISTED })).data).toMatchObject({ hello: expect.anything() });
        expect((await run(gateway, { query: 'query Mine { hello }' })).data).toMatchObject({
          hello: expect.anything(),
        });
      }
      const told = lines.map((line) => JSON.parse(line) as { name: string; msg: string });
      expect(told.filter(({ name }) => name === 'Mine')).toHaveLength(TRANSPORTS.length);
      expect(lines.join()).not.toContain('Greet');
    } finally {
      await gateway.close();
    }
  });
});

describe('the list', () => {
  let folder: TemporaryFolder;
  beforeAll(async () => void (folder = await temporaryFolder()));
  afterAll(() => folder.remove());
  const product = buildGraphSchema(RESOLVER_CLASSES);
  const load = (path?: string) =>
    loadOperationList({ GRAFT_OPERATIONS: 'enforce', GRAFT_OPERATIONS_FOLDER: path }, product, silentLogger())!;
  const put = (name: string, text: string): string => {
    const path = join(folder.path, name);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, name), text);
    return path;
  };

  it('has what the console sends as its client sends it, what agents call, and what the command line follows runs with', () => {
    const list = load();
    const { operations } = JSON.parse(
      readFileSync(join(packageRoot(), 'src', 'client', 'operations', 'generated', 'manifest.json'), 'utf8'),
    ) as { operations: { body: string }[] };
    expect(operations.length).toBeGreaterThan(200);
    // As urql's cache sends it: type names in every selection, printed anew.
    const typeName = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } } as const;
    const withTypeNames = (body: string) =>
      visit(parse(body), {
        SelectionSet: (node) => ({ ...node, selections: [...node.selections, typeName] }),
      });
    for (const { body } of operations) {
      expect(list.has(parse(body))).toBe(true);
      expect(list.has(parse(print(withTypeNames(body))))).toBe(true);
    }
    const follow = `subscription Follow($runId: ID!) { trainingProgress(runId: $runId) { ... on RunEvent { status progress message error { code message } } } }`;
    expect(list.has(parse(follow))).toBe(true);
    expect(list.has(parse('query Mine { me { role } }'))).toBe(false);
  });

  it('takes documents and Apollo’s manifests from a folder', () => {
    const body = 'query Theirs { me { role } }';
    const manifest = {
      format: 'apollo-persisted-query-manifest',
      version: 1,
      operations: [{ id: 'abc', name: 'Theirs', type: 'query', body }],
    };
    expect(load(put('theirs.json', JSON.stringify(manifest))).bodyOf({ persistedQuery: { sha256Hash: 'ABC' } })).toBe(
      body,
    );
    expect(load(put('mine.graphql', 'query Mine { me { role } }')).has(parse('query Mine { me { role } }'))).toBe(true);
  });

  it.each([
    ['a document that is none', 'broken.graphql', 'query {'],
    ['a manifest of another form', 'other.json', '{"operations":[]}'],
    ['no JSON', 'no.json', '{'],
  ])('doesn’t start with %s, and names the file', (_what, name, text) => {
    const path = put(name, text);
    expect(() => load(path)).toThrow(
      expect.objectContaining({ code: 'SETUP_FAILED', message: expect.stringContaining(name) }),
    );
  });

  it('doesn’t start with a folder that isn’t there, nor with more operations than anybody has', () => {
    expect(() => load(join(folder.path, 'gone'))).toThrow(expect.objectContaining({ code: 'SETUP_FAILED' }));
    const operations = Array.from({ length: 10_001 }, (_, n) => ({ id: `${n}`, body: `query Q${n} { me { role } }` }));
    const text = JSON.stringify({ format: 'apollo-persisted-query-manifest', version: 1, operations });
    expect(() => load(put('many.json', text))).toThrow(expect.objectContaining({ code: 'SETUP_FAILED' }));
  });

  it('is none where everything is answered', () => {
    const off = { GRAFT_OPERATIONS: 'off' as const };
    expect(loadOperationList(off, buildSchema('type Query { a: Int }'), silentLogger())).toBeNull();
  });
});
