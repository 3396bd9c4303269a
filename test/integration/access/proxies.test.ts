import { WebSocket } from 'ws';
import { newToken } from '../../../src/access/keys/api-key.js';
import { Authenticator } from '../../../src/access/keys/authenticator.js';
import { loadConfig } from '../../../src/config.js';
import { systemClock } from '../../../src/kernel/clock.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';
import { startProbeGateway, type ProbeGateway } from '../../support/gateway.js';
import { accessKit, type AccessKit } from './access-kit.js';

describe('wrong keys behind a proxy', () => {
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

  it('count by who sends them where the proxy is trusted, whatever the sender claims to be', async () => {
    const gateway = await gatewayBehind(['loopback', '10.0.0.0/8']);
    for (let n = 0; n < 30; n += 1) await wrongKey(gateway, '203.0.113.9');
    for (const chain of ['203.0.113.9', '198.51.100.1, 203.0.113.9', '203.0.113.9, 10.1.2.3'])
      expect(await wrongKey(gateway, chain)).toBe('TOO_MANY_ATTEMPTS');
    expect(await wrongKey(gateway, '203.0.113.10')).toBe('UNAUTHENTICATED');
    expect([await closed(gateway, '203.0.113.9'), await closed(gateway, '203.0.113.11')]).toEqual([1013, 4401]);
  });

  it('count together where it is not: anybody could name another address each time', async () => {
    const gateway = await gatewayBehind([]);
    for (let n = 0; n < 30; n += 1) await wrongKey(gateway, `203.0.113.${n}`);
    expect(await wrongKey(gateway, '203.0.113.200')).toBe('TOO_MANY_ATTEMPTS');
    expect(await closed(gateway, '203.0.113.201')).toBe(1013);
  });

  it('are known by proxies that the configuration names as addresses or networks', () => {
    expect(loadConfig({ GRAFT_TRUSTED_PROXIES: '10.0.0.0/8, loopback' }).GRAFT_TRUSTED_PROXIES).toEqual([
      '10.0.0.0/8',
      'loopback',
    ]);
    expect(() => loadConfig({ GRAFT_TRUSTED_PROXIES: 'my-proxy' })).toThrow(/GRAFT_TRUSTED_PROXIES/);
  });
});
