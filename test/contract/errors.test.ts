import { connect } from 'node:net';
import { startProbeGateway, type ProbeGateway } from '../support/gateway.js';
import { TRANSPORTS } from '../support/transports.js';
import { GraftError } from '../../src/kernel/errors.js';
import { eventually } from '../support/eventually.js';

describe.each(TRANSPORTS)('errors over $name', ({ run }) => {
  let gateway: ProbeGateway;
  beforeAll(async () => {
    gateway = await startProbeGateway();
  });
  afterAll(() => gateway.close(100));

  it('carry code, field, hint, retry and request id', async () => {
    expect(await run(gateway, { query: '{ refuse }' })).toMatchObject({
      data: null,
      errors: [
        {
          message: 'The thing is busy.',
          path: ['refuse'],
          extensions: {
            code: 'CONFLICT',
            field: 'input.thing',
            hint: 'Wait for it.',
            retry: 'no',
            requestId: expect.stringMatching(/^[\w:-]+$/),
          },
        },
      ],
    });
  });

  it('are masked when unexpected, and found in the log by their request id', async () => {
    const response = await run(gateway, { query: '{ boom }' });
    expect(JSON.stringify(response)).not.toMatch(/hunter2|internal\b.*password|stack/);
    const { code, requestId } = response.errors![0]!.extensions;
    expect(code).toBe('INTERNAL_ERROR');
    const line = gateway.lines.find((each) => each.includes('hunter2'))!;
    expect(JSON.parse(line)).toMatchObject({
      level: 'error',
      requestId,
      err: { message: expect.stringContaining('db.internal') },
    });
    gateway.lines.length = 0;
  });
});

describe('errors', () => {
  let gateway: ProbeGateway;
  beforeAll(async () => {
    const mapError = (error: unknown) =>
      error instanceof Error && error.message.includes('db.internal')
        ? new GraftError('DATABASE_UNAVAILABLE', 'PostgreSQL can’t be reached.', { cause: error })
        : error;
    gateway = await startProbeGateway({ mapError });
  });
  afterAll(() => gateway.close(100));

  it('of the database get their code from the mapper', async () => {
    const { json } = await gateway.post({ query: '{ boom }' });
    expect(json.errors![0]).toMatchObject({
      message: 'PostgreSQL can’t be reached.',
      extensions: { code: 'DATABASE_UNAVAILABLE', retry: 'later' },
    });
  });

  it('take the caller’s request id where it is harmless, and give one back in any case', async () => {
    const given = await gateway.post({ query: '{ refuse }' }, { 'x-request-id': 'mine-42' });
    expect(given.headers.get('x-request-id')).toBe('mine-42');
    expect(given.json.errors![0]!.extensions['requestId']).toBe('mine-42');
    const own = await gateway.post({ query: '{ hello }' }, { 'x-request-id': 'x'.repeat(100) });
    expect(own.headers.get('x-request-id')).toMatch(/^[\w-]{8,30}$/);
  });

  it('name what is wrong with the HTTP request', async () => {
    for (const [body, status, code] of [
      ['{ not json', 400, 'BAD_REQUEST'],
      ['{}', 400, 'BAD_REQUEST'],
      ['{"query": 7}', 400, 'BAD_REQUEST'],
      ['[{"query": "{ hello }"}]', 400, 'BAD_REQUEST'],
      ['{"query": "query a { hello } query b { hello }"}', 400, 'BAD_REQUEST'],
      [
        '{"query": "{ hello }", "extensions": {"persistedQuery": {"version": 1, "sha256Hash": "x"}}}',
        200,
        'BAD_REQUEST',
      ],
      ['{"query": "subscription { counter(to: 1) }"}', 400, 'BAD_REQUEST'],
    ] as const) {
      const response = await gateway.post(body);
      expect([body, response.status, response.json.errors?.[0]?.extensions['code']]).toEqual([body, status, code]);
    }
  });

  it('say PAYLOAD_TOO_LARGE for an oversized body', async () => {
    const { status, json } = await gateway.post({
      query: '{ hello }',
      variables: { padding: 'x'.repeat(9 * 1024 * 1024) },
    });
    expect([status, json.errors![0]!.extensions['code']]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
  });

  it('reach a client that is still sending an oversized body, and leave it its connection', async () => {
    const bytes = 9 * 1024 * 1024;
    const head = (length: number) =>
      `POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
    const socket = connect(gateway.port, '127.0.0.1');
    let received = '';
    let broken: unknown = null;
    socket.setEncoding('utf8').on('data', (part: string) => (received += part));
    socket.on('error', (error) => (broken = error)).on('close', () => (broken ??= 'closed'));
    try {
      socket.write(head(bytes) + ' '.repeat(1024 * 1024));
      await eventually('the refusal', () => received.includes('PAYLOAD_TOO_LARGE'));
      expect(received).toMatch(/^HTTP\/1\.1 413 /);
      const next = '{"query":"{ hello }"}';
      socket.write(' '.repeat(bytes - 1024 * 1024) + head(next.length) + next);
      await eventually('the next answer, or a broken connection', () => broken !== null || received.includes('200 OK'));
      expect(broken).toBeNull();
    } finally {
      socket.destroy();
    }
  });

  it('refuse ask over GET, and never let an answer be cached', async () => {
    const url = `${gateway.url}/graphql?query=${encodeURIComponent('{ ask(input: { question: "x" }) }')}`;
    const response = await fetch(url, { headers: { 'apollo-require-preflight': '1' } });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    const posted = await gateway.post({ query: '{ ask(input: { question: "x" }) }' });
    expect(posted.headers.get('cache-control')).toBe('no-store');
  });

  it('answer addresses that do not exist by code', async () => {
    const response = await fetch(`${gateway.url}/nothing`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] });
  });
});

describe('the log', () => {
  it('holds request ids and names, and nothing that a user wrote', async () => {
    const gateway = await startProbeGateway();
    const secret = 'the patient is called Ada';
    await gateway.post({ query: 'query Why($q: String!) { ask(input: { question: $q }) }', variables: { q: secret } });
    await gateway.post({ query: `{ ask(input: { question: "${secret}" }) nope }` });
    await gateway.post({ query: `mutation Note { note(text: "${secret}") }` });
    await gateway.post(`{"query": "${secret}`);
    for (const transport of TRANSPORTS) await transport.run(gateway, { query: `{ echo(text: "${secret}") }` });
    await gateway.close(100);
    const log = gateway.lines.join('');
    expect(log).not.toContain('Ada');
    expect(log).toMatch(/"requestId":"[\w-]+","operation":"mutation","name":"Note"/);
  });
});
