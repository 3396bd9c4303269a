/** The whole program with a collector beside it: one trace leads from the request to what the worker did, and back to the caller's own. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { createClient as createWsClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { GraftClient } from '../../src/client/graft-client.js';
import {
  CreateCollectionDocument,
  IngestDocumentsDocument,
  IngestionProgressDocument,
} from '../../src/client/operations/index.js';
import { startCollector, type ArrivedSpan, type Collector } from '../support/collector.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';

const QUESTION = 'At what pressure does the Orlo pump run?';
const PASSAGE = 'The Orlo pump runs at 37 bar.';
const MODEL = 'smollm2-135m-instruct';
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const SECRET = 'graft_0123456789_thisisnokeybutlookslikeoneofthosethatgraftmakes01';

const ASK = `query Ask($input: AskInput!) { ask(input: $input) { id text wording route { strategy } } }`;

describe('a traced installation', () => {
  let collector: Collector;
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let graft: GraftProgram;

  const start = (env: Record<string, string> = {}) =>
    spawnGraft(home.path, {
      LOG_LEVEL: 'warn',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=pumps',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
      OTEL_SERVICE_NAME: 'graft-one',
      ...env,
    }).started;

  beforeAll(async () => {
    collector = await startCollector();
    home = await temporaryHome();
    graft = await start();
    const graphql = new GraftClient(graft.url);
    await graphql.request(CreateCollectionDocument, { input: { name: 'pumps' } });
    const documents = [{ name: 'orlo.txt', text: `${PASSAGE}\n\nThe Orlo pump weighs 12 kg.` }];
    const { ingestDocuments } = await graphql.request(IngestDocumentsDocument, {
      input: { collection: 'pumps', documents, idempotencyKey: 'pumps' },
    });
    for await (const { ingestionProgress: event } of graphql.subscribe(IngestionProgressDocument, {
      runId: ingestDocuments.run.id,
    }))
      if (event.error) throw new Error(event.error.message);
    graphql.close();
  }, 300_000);
  afterAll(async () => {
    graft.child.kill('SIGTERM');
    await graft.ended;
    await home.remove();
    await collector.close();
  }, 60_000);

  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${graft.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    return (await response.json()) as Record<string, unknown>;
  };
  const ask = (input: object, headers: Record<string, string> = {}) =>
    post('/graphql', { query: ASK, variables: { input: { question: QUESTION, ...input } } }, headers);
  const parentOf = (trace: readonly ArrivedSpan[], { parentId }: ArrivedSpan) =>
    trace.find(({ spanId }) => spanId === parentId);
  /** Names from a span up to the request. */
  const way = (trace: readonly ArrivedSpan[], name: string): string[] => {
    const names: string[] = [];
    for (let at = trace.find((span) => span.name === name); at; at = parentOf(trace, at)) names.push(at.name);
    return names;
  };
  const isAbout = (key: string, value: string) => (span: ArrivedSpan) => span.attributes[key] === value;

  it('leads from a question over its stages into the worker, and on with the caller’s trace', async () => {
    const traceparent = `00-${TRACE}-${CALLER}-01`;
    const { data } = (await ask({ collections: ['pumps'], wording: 'MODEL' }, { traceparent })) as {
      data: { ask: { route: { strategy: string } } };
    };
    const trace = await collector.trace('query ask', ({ traceId }) => traceId === TRACE);
    const root = trace.find(({ name }) => name === 'query ask')!;
    expect(root).toMatchObject({ parentId: CALLER, kind: 2, service: 'graft-one', failed: false });
    expect(root.attributes).toMatchObject({
      'http.request.method': 'POST',
      'http.route': '/graphql',
      'http.response.status_code': 200,
      'graphql.operation.type': 'query',
      'graphql.operation.name': 'Ask',
    });
    for (const stage of ['scope', 'plan', 'retrieve', 'evidence', 'compose', 'generate', 'cite', 'record'])
      expect(way(trace, `ask.${stage}`)).toEqual([`ask.${stage}`, 'ask', 'query ask']);

    const answer = trace.find(({ name }) => name === 'ask')!;
    expect(answer.attributes).toMatchObject({
      'graft.route': data.ask.route.strategy,
      'graft.workspace': expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
      'graft.configuration.digest': expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
      'gen_ai.request.model': MODEL,
    });
    expect(trace.find(({ name }) => name === 'ask.retrieve')!.attributes).toMatchObject({
      'gen_ai.operation.name': 'retrieval',
      'gen_ai.retrieval.top_k': 6,
      'graft.passages': 1,
    });

    expect(way(trace, 'serve.read')).toEqual([
      'serve.read',
      'serve.generate',
      'worker.generate',
      `chat ${MODEL}`,
      ...way(trace, `chat ${MODEL}`).slice(1),
    ]);
    expect(way(trace, `chat ${MODEL}`)).toEqual([`chat ${MODEL}`, 'ask.generate', 'ask', 'query ask']);
    const chat = trace.find(({ name }) => name === `chat ${MODEL}`)!;
    expect(chat.attributes).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'graft',
      'gen_ai.request.model': MODEL,
      'gen_ai.response.finish_reasons': [expect.any(String) as unknown],
    });
    const [read, write] = ['serve.read', 'serve.write'].map((name) => trace.find((span) => span.name === name)!);
    expect(read!.attributes['graft.worker.tokens']).toBe(chat.attributes['gen_ai.usage.input_tokens']);
    expect(write!.attributes['graft.worker.tokens']).toBe(chat.attributes['gen_ai.usage.output_tokens']);
    expect(way(trace, 'serve.embed')).toEqual(expect.arrayContaining(['worker.embed', 'query ask']));
  });

  it('says nothing of what was asked, read and written, nor of keys', async () => {
    await ask(
      { collections: ['pumps'], wording: 'MODEL' },
      { authorization: `Bearer ${SECRET}`, 'x-request-id': 'kept-1' },
    );
    await ask({ collections: ['pumps'], wording: 'MODEL' }, { 'x-request-id': 'kept-2' });
    await collector.trace('query ask', isAbout('graft.request_id', 'kept-2'));
    const sent = Buffer.concat(collector.bodies);
    for (const text of [QUESTION, 'Orlo', '37 bar', SECRET, 'orlo.txt']) expect(sent.includes(text)).toBe(false);
  });

  it('tells of other ways in as of this one: /v1, agents, sockets', async () => {
    await post('/v1/chat/completions', {
      model: MODEL,
      messages: [{ role: 'user', content: QUESTION }],
      max_tokens: 4,
    });
    const v1 = await collector.trace('POST /v1/chat/completions');
    expect(way(v1, 'serve.generate').slice(-3)).toEqual(['ask.generate', 'ask', 'POST /v1/chat/completions']);

    const agent = new Client({ name: 'test', version: '1' });
    await agent.connect(new StreamableHTTPClientTransport(new URL(`${graft.url}/mcp`)));
    await agent.callTool({ name: 'Ask', arguments: { input: { question: QUESTION, strategy: 'RAG' } } });
    await agent.close();
    const mcp = await collector.trace('query ask', ({ traceId }) =>
      collector.spans.some((span) => span.traceId === traceId && span.name === 'POST /mcp'),
    );
    expect(way(mcp, 'ask')).toEqual(['ask', 'query ask', 'POST /mcp']);

    const socket = createWsClient({ url: `${graft.url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket });
    const query = `subscription Told($q: String!) {
      askStream(input: { question: $q, strategy: BASE, generation: { maxTokens: 4 } }) { __typename } }`;
    for await (const _ of socket.iterate({ query, variables: { q: QUESTION } })) continue;
    await socket.dispose();
    const streamed = await collector.trace('subscription askStream');
    expect(way(streamed, 'serve.write').slice(-3)).toEqual(['ask.generate', 'ask', 'subscription askStream']);
  }, 120_000);

  it('sends headers and attributes as OpenTelemetry’s variables ask', () => {
    expect(collector.headers[0]).toMatchObject({ 'x-tenant': 'pumps', 'content-type': 'application/x-protobuf' });
  });

  it('makes a trace of a run, whose steps are its events', async () => {
    const [run] = await collector.trace('run INGESTION');
    const asked = await collector.trace('mutation ingestDocuments');
    expect(asked.map(({ traceId, spanId }) => ({ traceId, spanId }))).toContainEqual(run!.links[0]);
    expect(run!.traceId).not.toBe(asked[0]!.traceId);
    expect(run!.attributes).toMatchObject({ 'graft.run.kind': 'INGESTION', 'graft.run.status': 'SUCCEEDED' });
    expect(run!.events.map(({ name }) => name)).toContain('progress');
    expect(JSON.stringify(run!.events)).not.toContain('orlo');
  });

  it('counts what was sent, and how long models took, in /metrics', async () => {
    const text = await (await fetch(`${graft.url}/metrics`)).text();
    expect(text).toMatch(/graft_spans_total\{outcome="delivered"\} [1-9]/);
    const labels = `gen_ai_operation_name="chat",gen_ai_provider_name="graft",gen_ai_request_model="${MODEL}"`;
    expect(text).toMatch(
      new RegExp(`gen_ai_client_inference_duration_seconds_count\\{${labels},error_type=""\\} [1-9]`),
    );
  });

  it('says what was asked, read and written where that is wanted', async () => {
    graft.child.kill('SIGTERM');
    await graft.ended;
    graft = await start({ GRAFT_TRACE_TEXT: 'on' });
    await ask({ collections: ['pumps'], wording: 'MODEL' }, { 'x-request-id': 'told-1' });
    const trace = await collector.trace('query ask', isAbout('graft.request_id', 'told-1'));
    expect(trace.find(({ name }) => name === 'ask')!.attributes['graft.question']).toBe(QUESTION);
    const { attributes } = trace.find(({ name }) => name === `chat ${MODEL}`)!;
    expect(attributes['gen_ai.input.messages']).toContain('37 bar');
    expect(JSON.parse(String(attributes['gen_ai.output.messages']))).toMatchObject([{ role: 'assistant' }]);
  }, 240_000);
});
