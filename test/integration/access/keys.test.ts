import { Readable } from 'node:stream';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { NewKey } from '../../../src/operate/access/keys/api-key-service.js';
import { DEFAULT_WORKSPACE_ID } from '../../../src/kernel/ids.js';
import { eventually } from '../../support/eventually.js';
import { waitingForLocks } from '../../support/lock-waits.js';
import { startProbeGateway, type ProbeGateway } from '../../support/gateway.js';
import { accessKit, type AccessKit } from './access-kit.js';

interface Outcome {
  data?: Record<string, unknown> | null;
  code?: unknown;
  closed?: number;
}

describe('keys, over every transport', () => {
  let kit: AccessKit;
  let gateway: ProbeGateway;
  beforeAll(async () => {
    kit = await accessKit();
    gateway = await startProbeGateway({ callers: kit.access.authenticator, connectionInitTimeoutMs: 300 });
  });
  afterAll(async () => {
    await gateway.close(0);
    await kit.dispose();
  });

  const bearer = (token: string | undefined): Record<string, string> =>
    token === undefined ? {} : { authorization: `Bearer ${token}` };
  const ws = (token?: string) =>
    createWsClient({
      url: `${gateway.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      lazy: true,
      connectionParams: bearer(token),
    });
  const first = async (results: AsyncIterable<unknown>): Promise<Outcome> => {
    try {
      for await (const result of results) {
        const { data, errors } = result as {
          data?: Record<string, unknown>;
          errors?: { extensions: { code: string } }[];
        };
        return errors ? { data, code: errors[0]!.extensions.code } : { data };
      }
      return {};
    } catch (error) {
      if (Array.isArray(error)) return { code: (error[0] as { extensions: { code: string } }).extensions.code };
      return { closed: (error as { code: number }).code };
    }
  };
  const over = {
    http: async (query: string, token?: string): Promise<Outcome> => {
      const { json } = await gateway.post({ query }, bearer(token));
      return json.errors ? { data: json.data, code: json.errors[0]!.extensions['code'] } : { data: json.data };
    },
    sse: async (query: string, token?: string): Promise<Outcome> => {
      const response = await fetch(`${gateway.url}/graphql/stream`, {
        method: 'POST',
        headers: { accept: 'text/event-stream', 'content-type': 'application/json', ...bearer(token) },
        body: JSON.stringify({ query }),
      });
      const text = await response.text();
      const line = /^data: (.+)$/m.exec(text)?.[1] ?? text;
      const { data, errors } = JSON.parse(line) as {
        data?: Record<string, unknown>;
        errors?: { extensions: { code: string } }[];
      };
      return errors ? { data, code: errors[0]!.extensions.code } : { data };
    },
    ws: async (query: string, token?: string): Promise<Outcome> => {
      const client = ws(token);
      try {
        return await first(client.iterate({ query }));
      } finally {
        await client.dispose();
      }
    },
  };
  const upload = async (token?: string): Promise<number> => {
    const form = new FormData();
    form.append('file', new Blob(['x']), 'x.txt');
    const headers = { 'graft-upload': '1', ...bearer(token) };
    return (await fetch(`${gateway.url}/files`, { method: 'POST', headers, body: form })).status;
  };
  const status = async (path: string, token?: string) =>
    (await fetch(`${gateway.url}${path}`, { headers: bearer(token) })).status;

  it('without one nothing is answered but pages and whether the gateway lives', async () => {
    const response = await gateway.post({ query: '{ hello }' });
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="graft"']);
    expect(response.json.errors![0]).toMatchObject({
      extensions: { code: 'UNAUTHENTICATED', hint: expect.any(String) },
    });
    expect(await over.sse('{ hello }')).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await over.ws('{ hello }')).toEqual({ closed: 4401 });
    expect(await upload()).toBe(401);
    const paths = ['/metrics', '/graphql?query={hello}'];
    expect(await Promise.all(paths.map((path) => status(path)))).toEqual([401, 401]);
    expect([await status('/livez'), await status('/readyz')]).toEqual([200, 200]);
    expect(gateway.stored).toEqual([]);
  });

  it('lets in with its role, and no further', async () => {
    const [asks, edits, operates] = [await kit.key('ASK'), await kit.key('EDIT'), await kit.key('OPERATE')];
    for (const run of Object.values(over)) {
      expect(await run('{ hello }', asks.token)).toEqual({ data: { hello: 'hello' } });
      expect(await run('mutation { note(text: "x") }', asks.token)).toMatchObject({ code: 'FORBIDDEN' });
      expect(await run('mutation { note(text: "x") }', edits.token)).toEqual({ data: { note: 'x' } });
    }
    expect(await over.ws('subscription { deaf }', edits.token)).toMatchObject({ code: 'FORBIDDEN' });
    expect([await upload(asks.token), await upload(edits.token)]).toEqual([403, 201]);
    expect([await status('/metrics', edits.token), await status('/metrics', operates.token)]).toEqual([403, 200]);
  });

  it('is not stored: only a digest of it, and nothing shows it again', async () => {
    const { key, token } = await kit.key('ASK');
    const { rows } = await kit.database.pool.query('SELECT * FROM api_key WHERE id = $1', [key.id]);
    expect(JSON.stringify(rows)).not.toContain(token.slice(key.prefix.length + 1));
    await over.http('{ hello }', token);
    expect(gateway.lines.join('\n')).not.toContain(token.slice(key.prefix.length + 1));
  });

  it('is refused in an address, even beside one that is where it belongs', async () => {
    const { token } = await kit.key('ADMIN');
    for (const path of [`/graphql?query={hello}&key=${token}`, `/files/x?token=${token}`, `/?key=${token}`])
      expect([path, await status(path, token)]).toEqual([path, 400]);
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql?key=${token}`, 'graphql-transport-ws');
    const refused = await new Promise<string>((resolve) => socket.once('error', ({ message }) => resolve(message)));
    expect(refused).toMatch(/403/);
  });

  it('stops to work when it expires, by the database’s clock', async () => {
    const { key, token } = await kit.key('ASK');
    expect(await over.http('{ hello }', token)).toHaveProperty('data.hello', 'hello');
    await kit.database.pool.query(`UPDATE api_key SET expires_at = now() - interval '1 s' WHERE id = $1`, [key.id]);
    await eventually('the key to expire', async () => (await over.http('{ hello }', token)).code === 'UNAUTHENTICATED');
    expect(await over.ws('{ hello }', token)).toEqual({ closed: 4401 });
  });

  it('is replaced with an overlap in which both work', async () => {
    const old = await kit.key('EDIT');
    const { keys, keyStore } = kit.access;
    const fresh = await keys.rotate(DEFAULT_WORKSPACE_ID, old.key.id, 60, 'test');
    expect([fresh.key.role, fresh.key.lineId, fresh.token === old.token]).toEqual(['EDIT', old.key.id, false]);
    for (const { token } of [old, fresh])
      expect(await over.http('{ hello }', token)).toHaveProperty('data.hello', 'hello');
    const { expiresAt } = (await keyStore.byId(DEFAULT_WORKSPACE_ID, old.key.id))!;
    expect(Math.abs(expiresAt!.getTime() - Date.now() - 60_000)).toBeLessThan(10_000);
    await keys.rotate(DEFAULT_WORKSPACE_ID, fresh.key.id, 0, 'test');
    expect(await over.http('{ hello }', fresh.token)).toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(keys.rotate(DEFAULT_WORKSPACE_ID, old.key.id, -1, 'test')).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    });
  });

  it('ends with what an address beside GraphQL still sends, within a second', async () => {
    const { authenticator, keys } = kit.access;
    async function* endless(): AsyncGenerator<string> {
      for (;;) {
        yield 'more\n';
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    const streaming = await startProbeGateway({
      callers: authenticator,
      addRoutes: (server) => {
        server.get('/endless', (_request, reply) => reply.send(Readable.from(endless())));
        server.get('/short', (_request, reply) => reply.send('done'));
      },
    });
    const watched = authenticator.watched;
    const { key, token } = await kit.key('ADMIN');
    expect(await (await fetch(`${streaming.url}/short`, { headers: bearer(token) })).text()).toBe('done');
    await eventually('nothing is watched any more', () => authenticator.watched === watched);
    const response = await fetch(`${streaming.url}/endless`, { headers: bearer(token) });
    const text = response.text();
    text.catch(() => undefined);
    expect(authenticator.watched).toBe(watched + 1);
    await keys.revoke(DEFAULT_WORKSPACE_ID, key.id);
    await expect(text).rejects.toThrow('terminated');
    await eventually('nothing is watched any more', () => authenticator.watched === watched);
    await streaming.close(0);
  });

  it('ends after a day where the overlap is given as null or not at all, and never outlives it', async () => {
    const { keys, keyStore } = kit.access;
    for (const overlap of [null, undefined]) {
      const old = await kit.key('EDIT');
      await keys.rotate(DEFAULT_WORKSPACE_ID, old.key.id, overlap, 'test');
      const { expiresAt } = (await keyStore.byId(DEFAULT_WORKSPACE_ID, old.key.id))!;
      expect(Math.abs(expiresAt!.getTime() - Date.now() - 86_400_000)).toBeLessThan(10_000);
    }
    const kept = await kit.key('EDIT');
    for (const overlap of [NaN, 0.5])
      await expect(keys.rotate(DEFAULT_WORKSPACE_ID, kept.key.id, overlap, 'test')).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
      });
  });

  it.each([
    ['is revoked', `revoked_at = now()`, { code: 'CONFLICT' }],
    ['loses its role', `role = 'ASK'`, { key: { role: 'ASK' } }],
  ])('has no successor that knows nothing of it where it %s meanwhile', async (_, change, outcome) => {
    const old = await kit.key('ADMIN');
    const { pool } = kit.database;
    const other = await pool.connect();
    try {
      await other.query('BEGIN');
      await other.query(`UPDATE api_key SET ${change} WHERE id = $1`, [old.key.id]);
      const rotated = kit.access.keys
        .rotate(DEFAULT_WORKSPACE_ID, old.key.id, 60, 'test')
        .catch((error: unknown) => error);
      await eventually('the rotation to wait for it', async () => (await waitingForLocks(pool)).length === 1);
      await other.query('COMMIT');
      expect(await rotated).toMatchObject(outcome);
    } finally {
      other.release();
    }
    const { rows } = await pool.query(
      `SELECT 1 FROM api_key WHERE line_id = $1 AND role = 'ADMIN' AND revoked_at IS NULL`,
      [old.key.id],
    );
    expect(rows).toEqual([]);
  });

  it('notes its use once a minute, however often it is used', async () => {
    const { key, token } = await kit.key('ASK');
    const usedAt = async () => (await kit.access.keyStore.byId(DEFAULT_WORKSPACE_ID, key.id))!.lastUsedAt;
    expect(await usedAt()).toBeNull();
    await over.http('{ hello }', token);
    await eventually('its use to be noted', async () => (await usedAt()) !== null);
    const noted = await usedAt();
    for (let i = 0; i < 5; i += 1) await over.http('{ hello }', token);
    await kit.access.keyStore.used(key.id);
    expect(await usedAt()).toEqual(noted);
  });

  describe('that is revoked', () => {
    const revoke = ({ key }: NewKey) => kit.other.keys.revoke(DEFAULT_WORKSPACE_ID, key.id);

    it('ends its streams over SSE and WebSocket, silent ones too, and closes its sockets with 4403', async () => {
      const made = await kit.key('OPERATE');
      const client = ws(made.token);
      let closed: number | undefined;
      client.on('closed', (event) => (closed = (event as { code: number }).code));
      const overWs = first(client.iterate({ query: 'subscription { deaf }' }));
      const sse = createSseClient({
        url: `${gateway.url}/graphql/stream`,
        retryAttempts: 0,
        headers: bearer(made.token),
      });
      const overSse = first(sse.iterate({ query: 'subscription { deaf }' }));
      await eventually('both to stream', () => watched(kit) >= 3);
      // Another gateway revokes it: nobody tells this one.
      await revoke(made);
      expect(await overSse).toMatchObject({ code: 'UNAUTHENTICATED' });
      expect((await overWs).closed ?? (await overWs).code).toEqual(expect.stringMatching(/4403|UNAUTHENTICATED/));
      await eventually('the socket to close', () => closed === 4403);
      await eventually('it to be refused', async () => (await over.http('{ hello }', made.token)).code !== undefined);
      sse.dispose();
    });

    it('has a stream end that nobody reads', async () => {
      const made = await kit.key('ASK');
      const client = ws(made.token);
      const events = client.iterate({ query: 'subscription { counter(to: 1000000, everyMs: 20) }' });
      await events.next();
      await gateway.log.untilStarted('counter');
      await revoke(made);
      await gateway.log.untilAborted('counter');
      await client.dispose();
    });
  });

  it('whose role is lowered ends what needs more, and lets the rest go on', async () => {
    const made = await kit.key('OPERATE');
    const client = ws(made.token);
    const counted: unknown[] = [];
    const counting = (async () => {
      for await (const event of client.iterate({ query: 'subscription { counter(to: 100000, everyMs: 20) }' }))
        counted.push(event);
    })();
    const operating = first(client.iterate({ query: 'subscription { deaf }' }));
    await eventually('both to stream', () => counted.length > 0 && watched(kit) >= 3);
    await kit.other.keys.update(DEFAULT_WORKSPACE_ID, made.key.id, { role: 'ASK' });
    expect(await operating).toMatchObject({ code: 'FORBIDDEN' });
    const before = counted.length;
    await eventually('the other to go on', () => counted.length > before + 3);
    await eventually(
      'the lower role',
      async () => (await first(client.iterate({ query: 'mutation { note(text: "x") }' }))).code === 'FORBIDDEN',
    );
    await client.dispose();
    await counting;
  });

  it('a socket that says nothing is closed with 4408, one with a wrong key with 4401', async () => {
    const silent = new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    expect(await new Promise((resolve) => silent.once('close', resolve))).toBe(4408);
    const { key } = await kit.key('ASK');
    expect(await over.ws('{ hello }', `${key.prefix}_${'A'.repeat(43)}`)).toEqual({ closed: 4401 });
  });

  it('ten thousand wrong ones reach the database as often as thirty, and keep no right one out', async () => {
    const { token, key } = await kit.key('ASK');
    await over.http('{ hello }', token);
    const { authenticator, keyStore } = kit.access;
    let looked = 0;
    const lookUp = keyStore.inUseByPrefix.bind(keyStore);
    keyStore.inUseByPrefix = (prefix) => {
      looked += 1;
      return lookUp(prefix);
    };
    const codes = new Map<string, number>();
    const guess = async (wrong: string) => {
      try {
        await authenticator.authenticate(`Bearer ${wrong}`, '192.0.2.1');
        return 'let in';
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    for (let i = 0; i < 10_000; i += 1) {
      const letters = i.toString(36).padStart(10, '0');
      const wrong = i % 2 === 0 ? `graft_${letters}_${'B'.repeat(43)}` : `${key.prefix}_${letters.padStart(43, 'C')}`;
      const code = await guess(wrong);
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    expect([...codes.keys()].sort()).toEqual(['TOO_MANY_ATTEMPTS', 'UNAUTHENTICATED']);
    expect(codes.get('UNAUTHENTICATED')).toBeLessThan(200);
    expect(looked).toBeLessThan(300);
    expect(await authenticator.authenticate(`Bearer ${token}`, '192.0.2.1')).toMatchObject({ role: 'ASK' });
    keyStore.inUseByPrefix = lookUp;
  });
});

/** How many streams and sockets of this gateway have a key that is watched. */
function watched({ access }: AccessKit): number {
  return access.authenticator.watched;
}
