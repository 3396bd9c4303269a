import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { chromaUrl } from '../support/chroma.js';
import { itWhen } from '../support/skip.js';

const outside = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === 'IPv4' && !address.internal)?.address;

/** Chroma has no authentication of its own: what keeps others out is where it listens and what it lets pages do. */
describe('the embedded Chroma', () => {
  it('lets no web page read it: it allows no origin', async () => {
    const origin = { origin: 'https://evil.example' };
    const read = await fetch(`${chromaUrl()}/api/v2/heartbeat`, { headers: origin });
    expect(read.headers.get('access-control-allow-origin')).toBeNull();
    const asked = await fetch(`${chromaUrl()}/api/v2/tenants`, {
      method: 'OPTIONS',
      headers: { ...origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
    });
    expect(asked.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('takes no body that a page may send without asking first', async () => {
    const body = JSON.stringify({ name: 'from_a_page' });
    const answer = await fetch(`${chromaUrl()}/api/v2/tenants/default_tenant/databases`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body,
    });
    expect(answer.ok).toBe(false);
  });

  it('refuses to be reset', async () => {
    expect((await fetch(`${chromaUrl()}/api/v2/reset`, { method: 'POST' })).ok).toBe(false);
  });

  itWhen(outside !== undefined, 'this machine has no address but loopback')('listens on loopback alone', async () => {
    const { port } = new URL(chromaUrl());
    const reached = await new Promise((resolve) => {
      const socket = connect(Number(port), outside);
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    expect(reached).toBe(false);
  });
});
