/** Who leaves a `/v1` stream or an `/mcp` call leaves no work and no reservation behind. */
import Fastify, { type FastifyInstance } from 'fastify';
import { buildSchema } from 'graphql';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { AskEvent } from '../../src/answer/ask/index.js';
import { ErrorPresenter } from '../../src/server/graphql/errors.js';
import { ResponseLifetime } from '../../src/server/graphql/request-scope.js';
import type { ServerKit } from '../../src/server/graphql/server.js';
import { localCaller } from '../../src/kernel/caller.js';
import { GraftError } from '../../src/kernel/errors.js';
import { addMcp } from '../../src/server/mcp/index.js';
import { addOpenAi } from '../../src/server/openai/index.js';
import type { Paying } from '../../src/server/openai/asking.js';
import type { OpenAiParts } from '../../src/server/openai/routes.js';
import { silentLogger } from '../../src/platform/telemetry/index.js';
import { eventually, until } from '../support/eventually.js';

const kit: ServerKit = {
  schema: buildSchema('type Query { a: Int }'),
  presenter: new ErrorPresenter(silentLogger()),
  isDraining: () => false,
  underWay: (work) => work,
};
const ROUTE = { strategy: 'BASE', chosenBy: 'CALLER', candidates: [], reasons: [] } as const;

/** Answers that begin and then take for ever, and what is held for them. */
class Held {
  opened = 0;
  settled = 0;
  refusal: GraftError | null = null;

  async *stream(): AsyncGenerator<AskEvent, void> {
    yield await Promise.resolve({ type: 'route', answerId: '1', route: { ...ROUTE, candidates: [], reasons: [] } });
    for (let i = 0; ; i += 1) yield await Promise.resolve({ type: 'delta', text: `${i}` });
  }

  readonly paying: Paying = {
    paid: () => Promise.reject(this.refusal!),
    paidStream: (_call, open) => this.#held(open),
  };

  async *#held<T>(open: () => AsyncIterable<T>): AsyncGenerator<T, void> {
    if (this.refusal) throw this.refusal;
    this.opened += 1;
    try {
      yield* open();
    } finally {
      this.settled += 1;
    }
  }
}

describe('a client that leaves', () => {
  let server: FastifyInstance;
  let url: string;
  const held = new Held();
  const operations = { begun: 0, left: 0 };
  /** Whether connections of `/v1` are cut when the first chunk is there and nobody has asked for it yet. */
  let cut = false;
  /** Whether they are cut before anything was looked up for them, and how often that was. */
  let gone = false;
  let wentOn = 0;

  beforeAll(async () => {
    server = Fastify();
    server.decorateRequest('caller', null as never);
    server.addHook('onRequest', (request, _reply, done) => {
      request.caller = localCaller();
      done();
    });
    server.addHook('preHandler', async (_request, { raw }) => {
      if (!gone) return;
      raw.destroy();
      await once(raw, 'close');
      wentOn += 1;
    });
    server.addHook('onSend', async (_request, { raw }, payload) => {
      if (!cut) return payload;
      raw.destroy();
      await once(raw, 'close');
      return payload;
    });
    server.post('/graphql', (_request, reply) => {
      operations.begun += 1;
      new ResponseLifetime(reply.raw).signal.addEventListener('abort', () => (operations.left += 1));
      return new Promise(() => undefined);
    });
    const asking = { stream: () => held.stream() } as unknown as OpenAiParts['asking'];
    addOpenAi(server, { asking, paying: held.paying, names: { table: {} } } as unknown as OpenAiParts, kit);
    addMcp(server, '1', kit);
    await server.listen({ host: '127.0.0.1', port: 0 });
    url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.server.closeAllConnections();
    await server.close();
  });
  beforeEach(() => {
    Object.assign(held, { opened: 0, settled: 0, refusal: null });
    [cut, gone] = [false, false];
  });

  const post = (path: string, body: object, signal?: AbortSignal) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify(body),
      ...(signal && { signal }),
    });
  const chat = (stream: boolean, signal?: AbortSignal) =>
    post('/v1/chat/completions', { model: 'graft', stream, messages: [{ role: 'user', content: 'Who?' }] }, signal);

  test('before its stream was read gives back what was reserved for it', async () => {
    cut = true;
    await expect(chat(true)).rejects.toThrow();
    await eventually('the reservation is settled', () => held.opened === 1 && held.settled === 1);
  });

  test('before anybody listened for its leaving has nothing begun for it', async () => {
    gone = true;
    await expect(chat(true)).rejects.toThrow();
    await until(() => wentOn === 1);
    gone = false;
    const controller = new AbortController();
    await (await chat(true, controller.signal)).body!.getReader().read();
    // What is held is for the one who is still there.
    expect(held.opened - held.settled).toBe(1);
    controller.abort();
    await eventually('the reservation is settled', () => held.opened === held.settled);
  });

  test('in the middle of its stream gives it back, too', async () => {
    const controller = new AbortController();
    const response = await chat(true, controller.signal);
    await response.body!.getReader().read();
    expect(held).toMatchObject({ opened: 1, settled: 0 });
    controller.abort();
    await eventually('the reservation is settled', () => held.settled === 1);
  });

  test('an operation that it called as a tool ends that', async () => {
    const controller = new AbortController();
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'System', arguments: {} } };
    const calling = post('/mcp', call, controller.signal);
    await until(() => operations.begun === 1);
    expect(operations.left).toBe(0);
    controller.abort();
    await expect(calling).rejects.toThrow();
    await until(() => operations.left === 1);
  });

  test.each([
    ['a budget that begins anew', new GraftError('BUDGET_EXCEEDED', 'Spent.', { retryAfterSeconds: 90 }), 429, '90'],
    ['too much to do', new GraftError('OVERLOADED', 'Busy.'), 503, '1'],
    ['what waiting doesn’t change', new GraftError('QUESTION_TOO_LONG', 'Long.'), 400, null],
  ])('is told when to come back: %s', async (_, refusal, status, wait) => {
    held.refusal = refusal;
    for (const stream of [true, false]) {
      const response = await chat(stream);
      expect(response.headers.get('retry-after')).toBe(wait);
      if (status !== 500) expect(response.status).toBe(status);
    }
  });
});
