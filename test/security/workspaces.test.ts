import {
  execute,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isNonNullType,
  isObjectType,
  isUnionType,
  parse,
  subscribe,
  type ExecutionResult,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLSchema,
} from 'graphql';
import Fastify from 'fastify';
import { openDomains, type Domains } from '../../src/server/domains.js';
import { ErrorPresenter } from '../../src/server/graphql/errors.js';
import { operationFields, type OperationField } from '../../src/server/graphql/guard.js';
import { createGraphContext, toGlobalId, type NodeRegistry } from '../../src/kit/graphql/index.js';
import { localCaller, type Caller } from '../../src/kernel/caller.js';
import { DEFAULT_WORKSPACE_ID, type WorkspaceId } from '../../src/kernel/ids.js';
import { addOpenAi } from '../../src/server/openai/index.js';
import { keptRequest } from '../../src/server/openai/responses/request.js';
import { ResponseStore } from '../../src/server/openai/responses/store.js';
import { silentLogger } from '../../src/platform/telemetry/index.js';
import { rowInEveryTable, rowsOf } from '../support/every-table.js';
import { schemaOf } from '../support/schema-of.js';
import { TestPlatform } from '../support/test-platform.js';

/** What names stand for, in arguments that take a name. */
const NAMES: Readonly<Record<string, string>> = {
  collection: 'foreign-collection',
  collections: 'foreign-collection',
  dataset: 'foreign-dataset',
  datasetVersion: 'foreign-dataset@1',
  adapter: 'foreign-adapter',
  adapterVersion: 'foreign-adapter@1',
  model: 'foreign-model',
  view: 'foreign-feature_view',
  source: 'foreign-source',
};

/** An argument of a type; ids are `ids[path]`, or the first of all types until it is known which is wanted. */
function argumentOf(
  type: GraphQLInputType,
  name: string,
  path: string,
  ids: (path: string) => string,
  depth = 0,
): unknown {
  const named = getNamedType(type);
  const listed = type.toString().replace(/!$/, '').startsWith('[');
  const many = (value: unknown): unknown => (listed && value !== undefined ? [value] : value);
  if (named.name === 'ID') return many(ids(path));
  if (named.name === 'String' && name in NAMES) return many(NAMES[name]);
  if (isInputObjectType(named)) {
    if (depth > 3) return undefined;
    const fields = Object.values(named.getFields());
    // Of a choice of one, what names something of the workspace.
    const given = named.isOneOf ? fields.slice(0, 1) : fields;
    const value = Object.fromEntries(
      given.map((field) => [field.name, argumentOf(field.type, field.name, `${path}.${field.name}`, ids, depth + 1)]),
    );
    return isNonNullType(type) || Object.values(value).some((inner) => inner !== undefined) ? many(value) : undefined;
  }
  if (!isNonNullType(type)) return undefined;
  if (listed) return [];
  if (isEnumType(named)) return named.getValues()[0]!.name;
  if (['Int', 'Float', 'BigInt'].includes(named.name)) return 1;
  if (named.name === 'Boolean') return true;
  return named.name === 'DateTime' ? '2026-01-01T00:00:00Z' : 'x';
}

/** All that can be selected of a type without arguments, so many levels deep. */
function selectionOf(type: GraphQLNamedType, schema: GraphQLSchema, depth: number): string {
  if (isUnionType(type)) {
    const inner = type.getTypes().map((each) => `... on ${each.name} ${selectionOf(each, schema, depth)}`);
    return `{ __typename ${inner.join(' ')} }`;
  }
  if (!isObjectType(type) && !isInterfaceType(type)) return '';
  const fields = Object.values(type.getFields()).flatMap((field) => {
    if (field.args.some((arg) => isNonNullType(arg.type))) return [];
    const inner = getNamedType(field.type);
    const leaf = !isObjectType(inner) && !isInterfaceType(inner) && !isUnionType(inner);
    if (leaf) return [field.name];
    return depth > 0 ? [`${field.name} ${selectionOf(inner, schema, depth - 1)}`] : [];
  });
  return `{ ${['__typename', ...fields].join(' ')} }`;
}

const WANTED = /the id of an? (\w+)(?: or \w+)* is expected/;

/** What went wrong, as Graft says it. */
const problemOf = ({ errors }: ExecutionResult): { code?: string; field?: string; message: string } | undefined =>
  errors?.[0]?.originalError ?? errors?.[0];

describe('a workspace', () => {
  let test: TestPlatform;
  let domains: Domains;
  let nodes: NodeRegistry;
  let schema: GraphQLSchema;
  let stranger: Caller;
  let ids: Map<string, string>;
  const owner = localCaller(DEFAULT_WORKSPACE_ID);

  beforeAll(async () => {
    test = await TestPlatform.start();
    domains = await openDomains(test.platform);
    ({ nodes, schema } = schemaOf(test, domains));
    ids = await rowInEveryTable(test.database.pool, DEFAULT_WORKSPACE_ID);
    const { rows } = await test.database.pool.query<{ id: string }>(
      `INSERT INTO workspace (id, name) VALUES (gen_random_uuid(), 'others') RETURNING id`,
    );
    stranger = localCaller(rows[0]!.id as WorkspaceId);
  }, 300_000);
  afterAll(() => {
    left.abort();
    return test.dispose();
  });

  const nodeTypes = (): string[] =>
    Object.values(schema.getTypeMap())
      .filter((type) => isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Node'))
      .map(({ name }) => name);
  const left = new AbortController();
  const contextOf = (caller: Caller) => createGraphContext(caller, 'walk', left);

  /** Which of the rows can be fetched as which type. */
  const found = async (caller: Caller): Promise<string[]> => {
    const all: string[] = [];
    const document = parse('query ($id: ID!) { node(id: $id) { __typename id } }');
    for (const type of nodeTypes())
      for (const [table, id] of ids) {
        const variableValues = { id: toGlobalId(type, id) };
        const { data } = await execute({ schema, document, variableValues, contextValue: contextOf(caller) });
        if (data?.['node']) all.push(`${type} of ${table}`);
      }
    return all;
  };

  it('has no object that another one finds by its id, of whatever type', async () => {
    const own = await found(owner);
    expect(own.length).toBeGreaterThan(14);
    expect(await found(stranger)).toEqual([]);
  }, 300_000);

  it('finds by its id whatever the schema calls a Node', () => {
    expect(nodeTypes().filter((type) => !nodes.has(type))).toEqual([]);
  });

  it('has no file that another one downloads', async () => {
    const content = (async function* () {
      yield await Promise.resolve(Buffer.from('secret'));
    })();
    const file = { name: 'plan.txt', mediaType: 'text/plain', source: content, maxBytes: 100 };
    const { id } = await test.platform.files.store(DEFAULT_WORKSPACE_ID, file);
    await expect(test.platform.files.open(stranger.workspaceId, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await test.platform.files.open(DEFAULT_WORKSPACE_ID, id)).toMatchObject({ name: 'plan.txt' });
  });

  /** Asks a field with foreign ids, of the types that it says it wants. */
  async function ask(each: OperationField): Promise<ExecutionResult> {
    const wanted = new Map<string, string>();
    const idAt = (path: string): string => {
      const type = wanted.get(path) ?? 'Run';
      const table = type.endsWith('Run') ? 'run' : type.replace(/(?<!^)([A-Z])/g, '_$1').toLowerCase();
      return toGlobalId(type, ids.get(table) ?? ids.get('run')!);
    };
    for (let tries = 0; ; tries += 1) {
      const given = each.field.args
        .map(({ name, type }) => ({ name, type: type.toString(), value: argumentOf(type, name, name, idAt) }))
        .filter(({ value }) => value !== undefined);
      const declared = given.map(({ name, type }) => `$${name}: ${type}`).join(', ');
      const passed = given.map(({ name }) => `${name}: $${name}`).join(', ');
      const selection = selectionOf(getNamedType(each.field.type), schema, 2);
      const source = `${each.operation} ${declared && `(${declared})`} { ${each.field.name}${passed && `(${passed})`} ${selection} }`;
      const variableValues = Object.fromEntries(given.map(({ name, value }) => [name, value]));
      const call = { schema, document: parse(source), variableValues, contextValue: contextOf(stranger) };
      let result: ExecutionResult;
      if (each.operation === 'subscription') {
        const stream = await subscribe(call);
        if (Symbol.asyncIterator in stream) {
          // What would be told later is asked for once; nothing that is there already may come.
          const first = stream.next().then(
            ({ value }) => value ?? {},
            (error: unknown) => ({ errors: [error] }) as ExecutionResult,
          );
          result = await Promise.race([
            first,
            new Promise<ExecutionResult>((resolve) => setImmediate(() => setTimeout(() => resolve({ data: {} }), 200))),
          ]);
          void stream.return(undefined);
        } else result = stream;
      } else result = await execute(call);
      const problem = problemOf(result);
      const expected = problem && WANTED.exec(problem.message)?.[1];
      const path = problem?.field?.replace(/\[\d+\]|\.\d+/g, '');
      if (!expected || !path || wanted.get(path) === expected || tries > 8) return result;
      wanted.set(path, expected);
    }
  }

  it('gives nothing of its own to another one through the addresses that OpenAI’s clients speak', async () => {
    let caller = owner;
    const server = Fastify();
    server.decorateRequest('caller', null as never);
    server.addHook('onRequest', (request, _reply, done) => {
      request.caller = caller;
      done();
    });
    const addresses: { method: string; url: string }[] = [];
    server.addHook('onRoute', ({ method, url }) => {
      if (url.includes('/:')) for (const one of [method].flat()) addresses.push({ method: one, url });
    });
    const presenter = new ErrorPresenter(silentLogger());
    const kit = { schema, presenter, isDraining: () => false, underWay: <T>(work: Promise<T>) => work };
    addOpenAi(server, domains.openAi.parts, kit);
    const listed = async (): Promise<string[]> => {
      const { data } = (await server.inject({ url: '/v1/models' })).json<{ data: { id: string }[] }>();
      return data.map(({ id }) => id);
    };
    const own = await listed();
    expect(own).toEqual(expect.arrayContaining(['graft/foreign-collection', 'foreign-base_model']));
    const store = `/v1/vector_stores/vs_${ids.get('collection')}`;
    expect((await server.inject({ url: store })).json()).toMatchObject({ name: 'foreign-vector_store' });
    const request = { input: [], repeated: {}, options: [], ignored: [], mostResults: 0 };
    await test.database.pool.query('UPDATE response SET request = $1', [keptRequest.encode(request)]);
    expect(await new ResponseStore(test.database).chains(owner, [ids.get('answer')!], 1)).toHaveLength(1);
    caller = stranger;
    expect((await listed()).filter((id) => own.includes(id))).toEqual(['graft']);

    await test.database.pool.query(`UPDATE stored_file SET purpose = 'assistants'`);
    const before = await rowsOf(test.database.pool, DEFAULT_WORKSPACE_ID);
    const PREFIXES = {
      vector_stores: 'vs_',
      files: 'file-',
      jobs: 'ftjob-',
      file_batches: 'vsfb_',
      responses: 'resp_',
      uploads: 'upload_',
      batches: 'batch_',
    };
    const TABLES = {
      vector_stores: 'collection',
      files: 'stored_file',
      jobs: 'run',
      file_batches: 'run',
      responses: 'answer',
      uploads: 'upload',
      batches: 'run',
    };
    for (const { method, url } of addresses) {
      const foreign = url.replace(
        /(vector_stores|files|jobs|file_batches|responses|uploads|batches)\/:\w+/g,
        (_, kind: keyof typeof PREFIXES) => `${kind}/${PREFIXES[kind]}${ids.get(TABLES[kind])}`,
      );
      expect(foreign).not.toContain(':');
      const query = foreign.endsWith('/search') ? { query: 'What is secret?' } : {};
      const { statusCode, body } = await server.inject({
        method: method as 'GET',
        url: foreign,
        ...(method === 'POST' && { payload: query }),
      });
      // Of a file, of attributes and of parts nothing is said.
      const isRefusedFirst = /\/(files|file_batches|complete)(\/[^/]+)?$/.test(foreign);
      const refused = method === 'POST' && isRefusedFirst ? [400, 404] : [404];
      expect(refused.map((status) => [method, url, status])).toContainEqual([method, url, statusCode]);
      expect(body).not.toContain('secret-');
    }
    expect(addresses.length).toBeGreaterThan(25);

    const messages = [{ role: 'user', content: 'What is secret?' }];
    const names = ['graft/foreign-collection', 'foreign-base_model', 'foreign-adapter', 'foreign-adapter@1'].concat([
      'foreign-adapter@candidate',
      'foreign-adapter+foreign-collection',
      ...ids.values(),
    ]);
    const chat = (body: object) =>
      server.inject({ method: 'POST', url: '/v1/chat/completions', payload: { messages, ...body } });
    for (const model of names) {
      const found = await server.inject({ url: `/v1/models/${encodeURIComponent(model)}` });
      for (const answer of [found, await chat({ model }), await chat({ model, stream: true })]) {
        expect([model, answer.statusCode]).toEqual([model, 404]);
        expect(answer.json()).toMatchObject({ error: { param: 'model', code: 'model_not_found' } });
        expect(answer.body).not.toContain('secret-');
      }
    }
    const more = [{ collections: ['foreign-collection'] }, { strategy: 'RAG', dataset: 'foreign-dataset' }];
    for (const graft of more) expect((await chat({ model: 'graft', graft })).statusCode).toBe(404);
    expect(await rowsOf(test.database.pool, DEFAULT_WORKSPACE_ID)).toEqual(before);
    await server.close();
  }, 120_000);

  it('gives nothing of its own to another one, through any field of the schema, and is changed by none', async () => {
    const before = await rowsOf(test.database.pool, DEFAULT_WORKSPACE_ID);
    const own = new Set(ids.values());
    const leaks: string[] = [];
    const outcomes: Record<string, number> = {};
    for (const each of operationFields(schema)) {
      const result = await ask(each);
      const text = JSON.stringify(result.data ?? null);
      const globalIds = [...text.matchAll(/"([A-Za-z0-9_-]{40,})"/g)].map(
        ([, id]) => Buffer.from(id!, 'base64url').toString().split(':')[1] ?? '',
      );
      if (text.includes('secret-') || globalIds.some((id) => own.has(id)))
        leaks.push(`${each.name}: ${text.slice(0, 300)}`);
      const code = problemOf(result)?.code ?? (result.errors ? 'another error' : 'data');
      outcomes[code] = (outcomes[code] ?? 0) + 1;
    }
    expect(leaks).toEqual([]);
    // What is asked for by an id or a name isn’t there; the rest lists or makes the stranger’s own.
    expect(outcomes['NOT_FOUND']).toBeGreaterThan(80);
    expect(outcomes['another error']).toBeUndefined();
    expect(await rowsOf(test.database.pool, DEFAULT_WORKSPACE_ID)).toEqual(before);
  }, 300_000);
});
