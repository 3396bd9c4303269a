import Fastify, { type FastifyInstance } from 'fastify';
import { addAuthentication, LOCAL_CALLERS } from '../../../src/server/graphql/callers.js';
import { ErrorPresenter } from '../../../src/server/graphql/errors.js';
import type { ServerKit } from '../../../src/server/graphql/server.js';
import { localCaller } from '../../../src/kernel/caller.js';
import { ERROR_CODES, type ErrorCode } from '../../../src/kernel/error-codes.js';
import { GraftError } from '../../../src/kernel/errors.js';
import type { OpenAiError } from '../../../src/server/openai/errors.js';
import { addOpenAi, type OpenAiParts } from '../../../src/server/openai/routes.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';

/** What is wrong with Graft itself and stays so; all else that isn't worth a second try is the client's. */
const OWN_FAULTS: ErrorCode[] = ['ADAPTER_DIGEST_MISMATCH', 'PROTOCOL_ERROR', 'SETUP_FAILED'];

describe('statuses at /v1', () => {
  let server: FastifyInstance;
  let thrown: ErrorCode;

  beforeAll(() => {
    server = Fastify();
    addAuthentication(server, { ...LOCAL_CALLERS, authenticate: () => ({ ...localCaller(), role: 'ASK' }) });
    const fail = () => Promise.reject(new GraftError(thrown, 'It failed.'));
    const names = {
      adapters: { byName: fail },
      models: { modelByName: fail },
      collections: { require: fail },
      table: {},
    };
    addOpenAi(
      server,
      { names } as unknown as OpenAiParts,
      {
        presenter: new ErrorPresenter(silentLogger()),
        isDraining: () => false,
        underWay: (work: Promise<unknown>) => work,
      } as unknown as ServerKit,
    );
  });
  afterAll(() => server.close());

  const chat = () =>
    server.inject({
      method: 'POST',
      url: '/v1/chat/completions',
      payload: { model: 'any', messages: [{ role: 'user', content: 'What?' }] },
    });

  it.each(Object.keys(ERROR_CODES) as ErrorCode[])('%s has its own, and is in OpenAI’s form', async (code) => {
    thrown = code;
    const { statusCode, body } = await chat();
    const { error } = JSON.parse(body) as OpenAiError;
    const { retry, status } = ERROR_CODES[code];
    expect(statusCode).toBe(status);
    expect(error.type === 'server_error').toBe(status >= 500);
    // Clients send again by themselves what failed with 5xx or 429.
    if (retry === 'no') expect(status >= 500).toBe(OWN_FAULTS.includes(code));
    else expect(code === 'CANCELLED' || status === 429 || status >= 500).toBe(true);
  });

  it.each(['/v1', '/v1/nothing', '/v1/chat/completions?a=b'])(
    'an address with nothing behind it is told in that form, whatever the caller’s role: GET %s',
    async (url) => {
      const { statusCode, body } = await server.inject({ method: 'GET', url });
      expect(statusCode).toBe(404);
      expect((JSON.parse(body) as OpenAiError).error).toMatchObject({
        type: 'invalid_request_error',
        code: 'not_found',
      });
    },
  );
});
