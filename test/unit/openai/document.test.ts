import { Validator } from '@seriousme/openapi-schema-validator';
import Fastify, { type FastifyInstance } from 'fastify';
import { packageVersion } from '../../../src/platform/package-root.js';
import { addAuthentication, LOCAL_CALLERS } from '../../../src/server/graphql/callers.js';
import { ErrorPresenter } from '../../../src/server/graphql/errors.js';
import type { ServerKit } from '../../../src/server/graphql/server.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';
import { localCaller, type Role } from '../../../src/kernel/caller.js';
import { GraftError } from '../../../src/kernel/errors.js';
import { addOpenAi, type OpenAiParts } from '../../../src/server/openai/routes.js';
import { OpenApiDocument } from '../../support/openapi-document.js';

describe('/v1/openapi.json', () => {
  let server: FastifyInstance;
  let document: OpenApiDocument;
  const addresses: { method: string; url: string; hasDescription: boolean }[] = [];
  let role: Role | null = 'ADMIN';

  beforeAll(async () => {
    server = Fastify();
    const authenticate = () => {
      if (role === null) throw new GraftError('UNAUTHENTICATED', 'Send a key.');
      return { ...localCaller(), role };
    };
    addAuthentication(server, { ...LOCAL_CALLERS, authenticate });
    server.addHook('onRoute', ({ method, url, config }) => {
      for (const name of [method].flat())
        addresses.push({ method: name, url, hasDescription: config?.description !== undefined });
    });
    const presenter = new ErrorPresenter(silentLogger());
    const kit = { presenter, isDraining: () => false, underWay: <T>(work: Promise<T>) => work };
    addOpenAi(server, { names: { table: {} } } as unknown as OpenAiParts, kit as ServerKit);
    document = new OpenApiDocument((await server.inject('/v1/openapi.json')).json());
  });
  afterAll(() => server.close());

  it('names each address that is served, and no other', () => {
    const served = addresses
      .filter(({ method, url }) => method !== 'HEAD' && url !== '/v1' && url !== '/v1/*')
      .map(({ method, url }) => {
        const path = url.slice('/v1'.length).replace('*', '{model}');
        return `${method.toLowerCase()} ${path.replaceAll(/:(\w+)/g, '{$1}')}`;
      });
    expect(served.length).toBeGreaterThan(35);
    expect(document.operations().sort()).toEqual(served.sort());
  });

  it('is in the form of OpenAPI, of this version, and its own addresses stand below /v1', async () => {
    expect(await new Validator().validate({ ...document.json })).toEqual({ valid: true });
    const { openapi, info, servers } = document.json;
    expect(openapi).toBe('3.1.0');
    expect(info).toMatchObject({ title: 'Graft', version: packageVersion() });
    expect(servers).toEqual([{ url: '/v1' }]);
  });

  it('is read with any key, and with none it isn’t', async () => {
    const statuses = [];
    for (role of ['ASK', null] as const) statuses.push((await server.inject('/v1/openapi.json')).statusCode);
    role = 'ADMIN';
    expect(statuses).toEqual([200, 401]);
  });

  const asked = { model: 'graft', messages: [{ role: 'user', content: 'Why?' }] };
  const search = { query: 'x' };
  const upload = { file_id: 'file-1' };

  it.each<[string, string, object, boolean]>([
    ['a question', 'post /chat/completions', asked, true],
    ['null for what is left out', 'post /chat/completions', { ...asked, tools: null, n: null }, true],
    ['no tools', 'post /chat/completions', { ...asked, tools: [] }, true],
    ['a tool', 'post /chat/completions', { ...asked, tools: [{ type: 'function', function: { name: 'f' } }] }, true],
    ['a tool without a function', 'post /chat/completions', { ...asked, tools: [{ type: 'function' }] }, false],
    ['a tool of no name', 'post /chat/completions', { ...asked, tools: [{ type: 'function', function: {} }] }, false],
    ['nine choices', 'post /chat/completions', { ...asked, n: 9 }, false],
    ['an unknown field', 'post /chat/completions', { ...asked, colour: 'red' }, false],
    ['an image', 'post /chat/completions', { ...asked, messages: [{ role: 'user', content: [{ type: 'x' }] }] }, false],
    ['no message', 'post /chat/completions', { ...asked, messages: [] }, false],
    [
      'a part that is null',
      'post /chat/completions',
      { ...asked, messages: [{ role: 'user', content: [null] }] },
      false,
    ],
    ['a text', 'post /embeddings', { model: 'graft', input: 'x' }, true],
    ['texts', 'post /embeddings', { model: 'graft', input: ['x', 'y'] }, true],
    ['tokens', 'post /embeddings', { model: 'graft', input: [1, 2] }, false],
    ['documents', 'post /rerank', { model: 'graft', query: 'x', documents: ['x', { text: 'y' }] }, true],
    ['no document', 'post /rerank', { model: 'graft', query: 'x', documents: [] }, false],
    ['an input', 'post /responses', { model: 'graft', input: 'Why?' }, true],
    ['messages', 'post /responses', { model: 'graft', input: [{ role: 'user', content: 'Why?' }] }, true],
    ['an item that is null', 'post /responses', { model: 'graft', input: [null] }, false],
    ['a conversation', 'post /responses', { model: 'graft', input: 'Why?', conversation: 'conv_1' }, false],
    ['another tool', 'post /responses', { model: 'graft', input: 'Why?', tools: [{ type: 'web_search' }] }, false],
    ['rows', 'post /fine_tuning/jobs', { model: 'tiny', training_file: 'file-1' }, true],
    ['another method', 'post /fine_tuning/jobs', { ...asked, method: { type: 'dpo' } }, false],
    ['attributes', 'post /vector_stores/{store}/files', { ...upload, attributes: { a: 1, b: 'c' } }, true],
    ['an attribute that is a list', 'post /vector_stores/{store}/files', { ...upload, attributes: { a: [] } }, false],
    [
      'filters within filters',
      'post /vector_stores/{store}/search',
      { ...search, filters: { type: 'and', filters: [{ type: 'in', key: 'a', value: [1, 'x'] }] } },
      true,
    ],
    ['an unknown filter', 'post /vector_stores/{store}/search', { ...search, filters: { type: 'like' } }, false],
  ])('takes and refuses what the gateway does: %s', async (_, operation, body, isTaken) => {
    expect(document.faultsOfRequest(operation, body).length === 0).toBe(isTaken);
    const [method, path] = operation.split(' ') as ['post', string];
    const response = await server.inject({
      method,
      url: `/v1${path.replace('{store}', 'vs_1')}`,
      payload: body,
    });
    expect(document.faultsOfAnswer(operation, response.statusCode, response.json())).toEqual([]);
    // There is nothing here that could do what a request asks for, so those that are taken fail later.
    expect([response.body, response.statusCode !== 400]).toEqual([response.body, isTaken]);
  });
});
