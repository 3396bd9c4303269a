import { join } from 'node:path';
import fc from 'fast-check';
import { WebSocket } from 'ws';
import { checkOrigin } from '../../src/platform/access/index.js';
import { packageRoot } from '../../src/platform/package-root.js';
import { startProbeGateway, type ProbeGateway } from '../support/gateway.js';
import { send } from '../support/plain-http.js';

const ELSEWHERE = 'https://evil.example';

describe('a page elsewhere', () => {
  let gateway: ProbeGateway;
  beforeAll(async () => {
    gateway = await startProbeGateway({
      origins: { allowedHosts: ['graft.example'], allowedOrigins: ['https://app.example'] },
      consoleFolder: join(packageRoot(), 'dist', 'console'),
    });
  });
  afterAll(() => gateway.close(100));

  const query = JSON.stringify({ query: '{ hello }' });
  const ways: [string, (headers: Record<string, string>) => Promise<{ status: number; text: string }>][] = [
    ['HTTP', (headers) => send(gateway, '/graphql', headers, query)],
    ['SSE', (headers) => send(gateway, '/graphql/stream', { accept: 'text/event-stream', ...headers }, query)],
    ['POST /files', (headers) => send(gateway, '/files', { 'graft-upload': '1', ...headers }, query)],
    [
      'WebSocket',
      (headers) =>
        new Promise((resolve) => {
          const socket = new WebSocket(gateway.url.replace('http', 'ws') + '/graphql', 'graphql-transport-ws', {
            headers,
          });
          socket.on('open', () => {
            socket.close();
            resolve({ status: 101, text: '' });
          });
          socket.on('unexpected-response', (_request, response) => {
            resolve({ status: response.statusCode!, text: '' });
            response.resume();
          });
          socket.on('error', () => undefined);
        }),
    ],
  ];

  describe.each(ways)('over %s', (_name, attempt) => {
    it('is refused by its Origin', async () => {
      for (const origin of [ELSEWHERE, 'null', 'http://localhost:1', 'http://127.0.0.1.evil.example'])
        expect((await attempt({ origin })).status).toBe(403);
    });

    it('is refused by its Host when its name was re-bound to this machine', async () => {
      for (const host of ['evil.example', 'evil.example:4000', 'localhost.evil.example'])
        expect((await attempt({ host })).status).toBe(403);
    });

    it('gets through when it is the gateway’s own, a configured one, or no page at all', async () => {
      const own = gateway.url;
      for (const headers of [
        {},
        { origin: own },
        { origin: 'https://app.example' },
        { host: 'graft.example', origin: 'https://graft.example' },
      ] as Record<string, string>[])
        expect((await attempt(headers)).status).not.toBe(403);
    });
  });

  it('can’t reach it by requests that carry no Origin either', async () => {
    const path = `/graphql/stream?query=${encodeURIComponent('{ hello }')}`;
    for (const site of ['cross-site', 'same-site'])
      expect((await send(gateway, path, { 'sec-fetch-site': site })).status).toBe(403);
  });

  it('can lead to the console’s pages by a link, and to nothing else, nor load them into something', async () => {
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    const status = async (path: string, headers: Record<string, string>) => (await send(gateway, path, headers)).status;
    for (const path of ['/', '/knowledge', '/sign-in?code=1&state=2']) {
      expect(await status(path, { ...link, accept: 'text/html' })).not.toBe(403);
      expect(await status(path, { ...link, 'sec-fetch-dest': 'iframe', accept: 'text/html' })).toBe(403);
      expect(await status(path, { ...link, 'sec-fetch-mode': 'no-cors', accept: 'text/html' })).toBe(403);
    }
    for (const path of [
      `/graphql?query=${encodeURIComponent('{ hello }')}`,
      '/graphql/stream?query=%7Bhello%7D',
      '/metrics',
    ])
      expect(await status(path, link)).toBe(403);
  });

  it('is told by code and hint of the list what to do', async () => {
    const { text } = await send(gateway, '/graphql', { origin: ELSEWHERE }, query);
    expect(JSON.parse(text)).toMatchObject({ errors: [{ extensions: { code: 'ORIGIN_NOT_ALLOWED' } }] });
  });

  it('reads answers only from a configured origin', async () => {
    const allowed = await send(gateway, '/graphql', { origin: 'https://app.example' }, query);
    expect(allowed.headers['access-control-allow-origin']).toBe('https://app.example');
    const own = await send(gateway, '/graphql', {}, query);
    expect(own.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('sends what headers it likes and sees when to come again only from a configured origin', async () => {
    const preflight = (origin: string) =>
      fetch(`${gateway.url}/graphql`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,mcp-protocol-version,x-stainless-os',
        },
      });
    const { status, headers } = await preflight('https://app.example');
    expect([status, headers.get('access-control-allow-headers'), headers.get('access-control-expose-headers')]).toEqual(
      [204, 'authorization,mcp-protocol-version,x-stainless-os', 'x-request-id, retry-after'],
    );
    expect((await preflight('https://evil.example')).headers.get('access-control-allow-headers')).toBeNull();
  });

  it('can’t send a simple request that changes something', async () => {
    const simple = await send(gateway, '/graphql', { 'content-type': 'text/plain' }, query);
    expect(simple.status).toBeGreaterThanOrEqual(400);
    const get = await send(gateway, `/graphql?query=${encodeURIComponent('{ hello }')}`, {});
    expect(get.status).toBe(400);
    expect(JSON.parse(get.text)).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
  });
});

describe('checkOrigin', () => {
  const policy = { allowedHosts: [], allowedOrigins: [] };
  it('lets no origin through but that of the host itself', () => {
    fc.assert(
      fc.property(fc.webUrl(), (url) => {
        const { origin } = new URL(url);
        expect(() => checkOrigin({ host: '127.0.0.1:4000', origin }, policy)).toThrow(/may not call/);
      }),
    );
  });

  it('takes the loopback names on any port', () => {
    for (const host of ['localhost', 'LOCALHOST:4000', '127.0.0.1:1', '[::1]:4000'])
      expect(() => checkOrigin({ host, origin: `http://${host}` }, policy)).not.toThrow();
    expect(() => checkOrigin({}, policy)).toThrow(/no Host/);
  });
});
