import { WebSocket } from 'ws';
import { openAccess } from '../../../src/operate/access/index.js';
import { newToken } from '../../../src/operate/access/keys/api-key.js';
import { Authenticator } from '../../../src/operate/access/keys/authenticator.js';
import { loadConfig } from '../../../src/platform/config.js';
import { systemClock } from '../../../src/kernel/clock.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';
import { originOf } from '../../../src/server/openai/http.js';
import { startProbeGateway, type ProbeGateway } from '../../support/gateway.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import { accessKit, type AccessKit } from './access-kit.js';

describe('behind a proxy', () => {
  let kit: AccessKit;
  const open: ProbeGateway[] = [];
  beforeAll(async () => {
    kit = await accessKit();
  });
  afterAll(async () => {
    for (const gateway of open) await gateway.close(0);
    await kit.dispose();
  });

  const gatewayBehind = async (trustedProxies: string[]): Promise<ProbeGateway> => {
    const parts = { store: kit.access.keyStore, clock: systemClock, log: silentLogger() };
    const gateway = await startProbeGateway({
      callers: new Authenticator({ ...parts, keyless: false, tokens: null }),
      trustedProxies,
    });
    open.push(gateway);
    return gateway;
  };
  const wrongKey = async (gateway: ProbeGateway, from: string): Promise<unknown> => {
    const headers = { authorization: `Bearer ${newToken().token}`, 'x-forwarded-for': from };
    return (await gateway.post({ query: '{ hello }' }, headers)).json.errors![0]!.extensions['code'];
  };
  /** The code with which a socket is closed that brings a wrong key. */
  const closed = ({ url }: ProbeGateway, from: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const headers = { 'x-forwarded-for': from };
      const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', { headers });
      const payload = { authorization: `Bearer ${newToken().token}` };
      socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload })));
      socket.on('close', resolve);
      socket.on('error', reject);
    });

  it('wrong keys count by who sends them where it is trusted, whatever the sender claims to be', async () => {
    const gateway = await gatewayBehind(['loopback', '10.0.0.0/8']);
    for (let n = 0; n < 30; n += 1) await wrongKey(gateway, '203.0.113.9');
    for (const chain of ['203.0.113.9', '198.51.100.1, 203.0.113.9', '203.0.113.9, 10.1.2.3'])
      expect(await wrongKey(gateway, chain)).toBe('TOO_MANY_ATTEMPTS');
    expect(await wrongKey(gateway, '203.0.113.10')).toBe('UNAUTHENTICATED');
    expect([await closed(gateway, '203.0.113.9'), await closed(gateway, '203.0.113.11')]).toEqual([1013, 4401]);
  });

  it('wrong keys count together where it is not: anybody could name another address each time', async () => {
    const gateway = await gatewayBehind([]);
    for (let n = 0; n < 30; n += 1) await wrongKey(gateway, `203.0.113.${n}`);
    expect(await wrongKey(gateway, '203.0.113.200')).toBe('TOO_MANY_ATTEMPTS');
    expect(await closed(gateway, '203.0.113.201')).toBe(1013);
  });

  it.each([
    [['loopback'], 'https://graft.example'],
    [[], null],
  ])('links name the address that was called where it is trusted: %j', async (trustedProxies, origin) => {
    const gateway = await startProbeGateway({
      trustedProxies,
      addRoutes: (server) => void server.get('/origin', (request) => originOf(request)),
    });
    open.push(gateway);
    const headers = { 'x-forwarded-host': 'graft.example', 'x-forwarded-proto': 'https' };
    const response = await fetch(`${gateway.url}/origin`, { headers });
    expect(await response.text()).toBe(origin ?? gateway.url);
  });

  it('nobody is let in without a key where one is named, though the gateway itself is on loopback', async () => {
    const open = ({ database }: AccessKit | { database: TestDatabase }) =>
      openAccess(
        {
          database,
          clock: systemClock,
          log: silentLogger(),
          runs: { surround: () => undefined } as never,
          config: loadConfig({ GRAFT_TRUSTED_PROXIES: 'loopback' }),
        },
        () => Promise.resolve(),
      );
    const access = await open(kit);
    expect(() => access.authenticator.authenticate(undefined, '203.0.113.9')).toThrow('This gateway asks for a key.');
    await access.offer.stop();
    const database = await testDatabase();
    await expect(open({ database })).rejects.toMatchObject({
      code: 'SETUP_FAILED',
      message: expect.stringContaining('GRAFT_TRUSTED_PROXIES') as string,
    });
    await database.dispose();
  });

  it('is known as an address or a network that the configuration names', () => {
    expect(loadConfig({ GRAFT_TRUSTED_PROXIES: '10.0.0.0/8, loopback' }).GRAFT_TRUSTED_PROXIES).toEqual([
      '10.0.0.0/8',
      'loopback',
    ]);
    expect(() => loadConfig({ GRAFT_TRUSTED_PROXIES: 'my-proxy' })).toThrow(/GRAFT_TRUSTED_PROXIES/);
  });
});
