import type { LookupAddress } from 'node:dns';
import { AddressRefused, checkUrl, guardedLookup, isPublic } from '../../../src/operate/monitoring/webhooks/address.js';
import { signatureOf } from '../../../src/operate/monitoring/webhooks/signature.js';
import { waitAfter } from '../../../src/operate/monitoring/webhooks/webhook.js';

describe('addresses of webhooks', () => {
  it.each([
    '127.0.0.1',
    '127.9.9.9',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    'fc00::1',
    '::ffff:10.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::a00:1',
    '2002:7f00:1::',
    '2001:db8::1',
    'ff02::1',
    'not an address',
  ])('%s is not public', (address) => expect(isPublic(address)).toBe(false));

  it.each(['8.8.8.8', '172.32.0.1', '1.1.1.1', '2606:4700::1111', '2a00:1450:4001::1'])('%s is public', (address) =>
    expect(isPublic(address)).toBe(true),
  );

  it.each([
    'https://localhost/x',
    'https://127.0.0.1/x',
    'https://[::1]/x',
    'https://192.168.0.7:8443/',
    'https://169.254.169.254/latest',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://hooks.internal/',
    'https://printer.local/',
    'http://example.com/',
    'ftp://example.com/',
    'https://user:secret@example.com/',
    'no URL',
    `https://example.com/${'x'.repeat(2_000)}`,
  ])('%s is refused', (url) =>
    expect(() => checkUrl(url, [])).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT', field: 'input.url' })),
  );

  it('are taken where they are public, or an operator allows the host', () => {
    expect(checkUrl('https://example.com/hook', []).host).toBe('example.com');
    expect(checkUrl('http://127.0.0.1:9000/hook', ['127.0.0.1']).host).toBe('127.0.0.1:9000');
    expect(checkUrl('http://[::1]:9000/hook', ['::1']).host).toBe('[::1]:9000');
  });

  const looked = (addresses: LookupAddress[], allowed: string[] = []) =>
    new Promise<{ error: Error | null; found: unknown }>((resolve) => {
      const lookup = guardedLookup(allowed, (_host, told) => told(null, addresses));
      lookup('hook.example', { all: true }, (error, found) => resolve({ error, found }));
    });

  it('are looked at once more as the name is resolved, all of them, and the connection goes to those', async () => {
    const open = [{ address: '8.8.8.8', family: 4 }];
    expect(await looked(open)).toEqual({ error: null, found: open });
    const rebound = await looked([...open, { address: '127.0.0.1', family: 4 }]);
    expect(rebound.error).toBeInstanceOf(AddressRefused);
    expect((await looked([])).error).toBeInstanceOf(AddressRefused);
    expect((await looked([{ address: '10.0.0.1', family: 4 }], ['hook.example'])).error).toBeNull();
  });
});

describe('signatures', () => {
  // The example of the Standard Webhooks specification.
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const signed = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1614265330, body: '{"test": 2432232314}' };

  it('are those of the Standard Webhooks specification', () => {
    expect(signatureOf(secret, signed)).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });
});

describe('tries of a delivery', () => {
  it('come later each time, and the last within two days', () => {
    const waits = Array.from({ length: 13 }, (_, i) => waitAfter(i + 1, 0.5));
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    expect(waits[0]).toBe(10);
    const hours = waits.reduce((sum, wait) => sum + wait, 0) / 3_600;
    expect(hours).toBeGreaterThan(12);
    expect(hours).toBeLessThan(48);
  });
});
