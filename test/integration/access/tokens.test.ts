/** Tokens of an OpenID provider in place of keys, over every transport. */
import { createClient as createWsClient } from 'graphql-ws';
import { SignJWT, UnsecuredJWT } from 'jose';
import { WebSocket } from 'ws';
import { Authenticator } from '../../../src/operate/access/keys/authenticator.js';
import { oidcSettings, type OidcVariables } from '../../../src/operate/access/oidc/oidc-settings.js';
import { OpenIdProvider } from '../../../src/operate/access/oidc/openid-provider.js';
import { CLOCK_TOLERANCE_SECONDS, TokenVerifier } from '../../../src/operate/access/oidc/token-verifier.js';
import { loadConfig } from '../../../src/platform/config.js';
import type { Caller } from '../../../src/kernel/caller.js';
import { systemClock } from '../../../src/kernel/clock.js';
import { DEFAULT_WORKSPACE_ID } from '../../../src/kernel/ids.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';
import { startProbeGateway, type ProbeGateway } from '../../support/gateway.js';
import { eventually } from '../../support/eventually.js';
import { AUDIENCE, OidcProvider, type Manner } from '../../support/oidc-provider.js';
import { accessKit, type AccessKit } from './access-kit.js';

const ROLES = 'staff=ASK,editors=EDIT,operators=ADMIN';
const nowSeconds = (): number => Math.floor(Date.now() / 1_000);

describe('tokens of a provider', () => {
  let provider: OidcProvider;
  let kit: AccessKit;
  let gateway: ProbeGateway;
  const env = (more: Record<string, string> = {}): Record<string, string> => ({
    GRAFT_OIDC_ISSUER: provider.issuer,
    GRAFT_OIDC_AUDIENCE: AUDIENCE,
    GRAFT_OIDC_ROLES: ROLES,
    ...more,
  });

  beforeAll(async () => {
    provider = await OidcProvider.start();
    kit = await accessKit(env());
    gateway = await startProbeGateway({ callers: kit.access.authenticator, connectionInitTimeoutMs: 300 });
  });
  afterAll(async () => {
    await gateway.close(0);
    await kit.dispose();
    await provider.stop();
  });
  afterEach(() => void Object.assign(provider, { manner: 'well', keysPath: '/keys', tokensAt: undefined }));

  /** Another gateway, which knows nothing yet. */
  const fresh = (
    more: Record<string, string> = {},
    times = { timeoutMs: 300, cooldownMs: 60_000, keptMs: 60_000 },
    clock = systemClock,
  ) => {
    const settings = oidcSettings(loadConfig(env(more)))!;
    const parts = { clock, log: silentLogger() };
    const keys = new OpenIdProvider(settings.issuer, parts, times);
    const workspace = (name: string) => kit.access.workspaceStore.byName(name);
    const verifier = new TokenVerifier(settings, { keys, workspace });
    return new Authenticator({ store: kit.access.keyStore, ...parts, keyless: false, tokens: verifier });
  };
  const callerOf = async (token: string, by: Authenticator = kit.access.authenticator): Promise<Caller> =>
    by.authenticate(`Bearer ${token}`, '192.0.2.1');
  const codeOf = (token: string, by?: Authenticator): Promise<string> =>
    callerOf(token, by).then(
      () => 'in',
      (error: { code: string }) => error.code,
    );
  const post = async (token: string, query = '{ hello }') => {
    const { status, json } = await gateway.post({ query }, { authorization: `Bearer ${token}` });
    return json.errors ? `${status} ${String(json.errors[0]!.extensions['code'])}` : json.data;
  };

  it('let in with the highest role that they give, as the person whom they name, with the groups that they say', async () => {
    const token = await provider.token({ email: 'ada@example.com', groups: ['staff', 'editors', 'people'] });
    expect(await post(token)).toEqual({ hello: 'hello' });
    const caller = await callerOf(token);
    expect(caller).toMatchObject({
      workspaceId: DEFAULT_WORKSPACE_ID,
      role: 'EDIT',
      groups: ['staff', 'editors', 'people'],
      key: { name: 'ada@example.com', prefix: expect.stringMatching(/^oidc_[0-9a-f]{8}$/) as string },
    });
    const again = await callerOf(await provider.token({ groups: 'staff' }));
    expect([again.key!.lineId, again.role, again.groups]).toEqual([caller.key!.lineId, 'ASK', ['staff']]);
    const another = await callerOf(await provider.token({ sub: 'bob', groups: ['operators'] }));
    expect([another.role, another.groups]).toEqual(['ADMIN', null]);
    expect(another.key!.lineId).not.toBe(caller.key!.lineId);
  });

  it('are given and taken back where their provider says, over no plainer connection than its own', async () => {
    const known = () => new OpenIdProvider(provider.issuer, { clock: systemClock, log: silentLogger() });
    expect(await known().tokenOrigins()).toEqual([]);
    provider.tokensAt = 'https://tokens.example/oauth2';
    expect(await known().tokenOrigins()).toEqual(['https://tokens.example']);
    provider.tokensAt = "data:text/plain,x; script-src 'unsafe-inline'";
    expect(await known().tokenOrigins()).toEqual([]);
    provider.manner = 'fails';
    expect(await known().tokenOrigins()).toEqual([]);
  });

  it('are taken from a provider that neither takes tokens back nor ends sessions: both addresses are optional', async () => {
    Object.assign(provider, { revokes: false, endSession: undefined });
    try {
      const by = fresh();
      expect((await callerOf(await provider.token({ groups: ['staff'] }), by)).role).toBe('ASK');
      by.close();
    } finally {
      provider.revokes = true;
    }
  });

  it('are refused alike, whatever is wrong with them', async () => {
    const good = await provider.token({ groups: ['staff'] });
    const [header, payload, signature] = good.split('.') as [string, string, string];
    const claims = { iss: provider.issuer, aud: AUDIENCE, sub: 'ada', groups: ['operators'], exp: nowSeconds() + 300 };
    const shared = new TextEncoder().encode(JSON.stringify(provider.jwk));
    const other = await OidcProvider.start();
    const altered = Buffer.from(JSON.stringify({ ...claims, sub: 'eve' })).toString('base64url');
    const wrong: Record<string, string> = {
      forged: await provider.forged(),
      'signed by nothing (alg none)': new UnsecuredJWT(claims).encode(),
      'signed by the public key as a shared secret': await new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', kid: provider.jwk.kid! })
        .sign(shared),
      'of a foreign issuer': await other.token({ aud: AUDIENCE, groups: ['operators'] }),
      'of a foreign key that says it is ours': await other.token({ iss: provider.issuer, groups: ['operators'] }),
      expired: await provider.token({ exp: nowSeconds() - CLOCK_TOLERANCE_SECONDS - 5, groups: ['staff'] }),
      'not valid yet': await provider.token({ nbf: nowSeconds() + CLOCK_TOLERANCE_SECONDS + 30, groups: ['staff'] }),
      'for another audience': await provider.token({ aud: 'https://elsewhere.example', groups: ['staff'] }),
      'for nobody': await provider.token({ aud: undefined, groups: ['staff'] }),
      'without an end': await provider.token({ exp: undefined, groups: ['staff'] }),
      'without a subject': await provider.token({ sub: undefined, groups: ['staff'] }),
      'with other claims than were signed': `${header}.${altered}.${signature}`,
      'with its signature cut': `${header}.${payload}.${signature.slice(0, 40)}`,
      'of no signature': `${header}.${payload}.`,
      'of no JSON': `${Buffer.from('{').toString('base64url')}.${payload}.${signature}`,
      'larger than any': `${header}.${'A'.repeat(40_000)}.${signature}`,
    };
    await other.stop();
    const by = fresh();
    const told: Record<string, string> = {};
    for (const [what, token] of Object.entries(wrong))
      told[what] = await callerOf(token, by).then(
        () => 'in',
        (error: { code: string; message: string }) => `${error.code} ${error.message}`,
      );
    by.close();
    const messages = new Set(Object.values(told));
    expect([Object.keys(told).length, [...messages]]).toEqual([
      Object.keys(wrong).length,
      ['UNAUTHENTICATED The token is not one that is taken here.'],
    ]);
    expect(await post(wrong['expired']!)).toBe('401 UNAUTHENTICATED');
  });

  it('are taken though the clocks differ a little', async () => {
    expect(await codeOf(await provider.token({ exp: nowSeconds() - 5, groups: ['staff'] }))).toBe('in');
    const early = { iat: nowSeconds() + 10, nbf: nowSeconds() + 10, groups: ['staff'] };
    expect(await codeOf(await provider.token(early))).toBe('in');
  });

  it('give nothing without a role, with a thousand groups too many, or for a workspace that isn’t here', async () => {
    for (const claims of [
      {},
      { groups: ['others'] },
      { groups: Array.from({ length: 10_000 }, (_, n) => `g${n}`).slice(0, 1_500) },
    ])
      expect(await codeOf(await provider.token(claims))).toBe(
        JSON.stringify(claims).length > 12_000 ? 'UNAUTHENTICATED' : 'FORBIDDEN',
      );
    const by = fresh({ GRAFT_OIDC_WORKSPACE_CLAIM: 'tenant' });
    const id = await kit.workspace();
    const { name } = (await kit.access.workspaceStore.byIds([id]))[0]!;
    expect((await callerOf(await provider.token({ groups: ['staff'], tenant: name }), by)).workspaceId).toBe(id);
    for (const tenant of [undefined, 'nowhere', 7])
      expect(await codeOf(await provider.token({ groups: ['staff'], tenant }), by)).toBe('FORBIDDEN');
    by.close();
  });

  it('roles are found within objects, too', async () => {
    const by = fresh({ GRAFT_OIDC_ROLES_CLAIM: 'realm_access.roles' });
    const caller = await callerOf(await provider.token({ realm_access: { roles: ['editors'] }, groups: ['a'] }), by);
    expect([caller.role, caller.groups]).toEqual(['EDIT', ['a']]);
    expect(await codeOf(await provider.token({ groups: ['editors'] }), by)).toBe('FORBIDDEN');
    by.close();
  });

  it('of a new key are taken once the provider names it, and of the old one no more', async () => {
    const by = fresh({}, { timeoutMs: 2_000, cooldownMs: 0, keptMs: 0 });
    const old = await provider.token({ groups: ['staff'] });
    expect(await codeOf(old, by)).toBe('in');
    for (const algorithm of ['ES256', 'RS256']) {
      await provider.rotate(algorithm);
      expect(await codeOf(await provider.token({ groups: ['staff'] }), by)).toBe('in');
      expect(await codeOf(old, by)).toBe('UNAUTHENTICATED');
    }
    by.close();
  });

  it('are taken when the provider has moved its keys elsewhere, and it isn’t asked where for each that comes meanwhile', async () => {
    let at = 0;
    const times = { timeoutMs: 2_000, cooldownMs: 30_000, keptMs: 600_000 };
    const by = fresh({}, times, { ...systemClock, monotonic: () => at });
    expect(await codeOf(await provider.token({ groups: ['staff'] }), by)).toBe('in');
    await provider.rotate('ES256');
    provider.keysPath = '/moved/keys';
    const asked = provider.discoveries;
    const token = await provider.token({ groups: ['staff'] });
    const told = await Promise.all(Array.from({ length: 10 }, () => codeOf(token, by)));
    expect(told).not.toContain('in');
    expect(provider.discoveries - asked).toBe(0);
    at = times.keptMs;
    await eventually('the token is taken', async () => (await codeOf(token, by)) === 'in');
    expect(provider.discoveries - asked).toBe(1);
    // What is known is taken though the document can't be had again, and nobody waits for it.
    at = 2 * times.keptMs;
    provider.manner = 'hangs';
    expect(await codeOf(token, by)).toBe('in');
    by.close();
  });

  it('have the provider asked where its keys are when they can’t be had where they were', async () => {
    const by = fresh({}, { timeoutMs: 2_000, cooldownMs: 0, keptMs: 600_000 });
    expect(await codeOf(await provider.token({ groups: ['staff'] }), by)).toBe('in');
    await provider.rotate('ES256');
    provider.keysPath = '/moved/keys';
    const token = await provider.token({ groups: ['staff'] });
    expect(await codeOf(token, by)).toBe('IDENTITY_PROVIDER_UNAVAILABLE');
    await eventually('the token is taken', async () => (await codeOf(token, by)) === 'in');
    by.close();
  });

  it('that name keys which nobody has make the provider be asked no more often', async () => {
    const by = fresh();
    expect(await codeOf(await provider.token({ groups: ['staff'] }), by)).toBe('in');
    const before = provider.keysAsked;
    const stranger = await OidcProvider.start();
    for (let n = 0; n < 10; n += 1) {
      await stranger.rotate('ES256');
      expect(await codeOf(await stranger.token({ iss: provider.issuer }), by)).toBe('UNAUTHENTICATED');
    }
    expect(provider.keysAsked - before).toBeLessThanOrEqual(1);
    await stranger.stop();
    by.close();
  });

  it.each<Manner>(['hangs', 'html', 'empty', 'huge', 'redirects', 'fails'])(
    'have a provider whose keys can’t be had (it %s) asked once in a while, however many come',
    async (manner) => {
      let at = 0;
      // What was read isn't kept: every token needs the keys anew.
      const times = { timeoutMs: 2_000, cooldownMs: 60_000, keptMs: 0 };
      const by = fresh({}, times, { ...systemClock, monotonic: () => at });
      const token = await provider.token({ groups: ['staff'] });
      expect(await codeOf(token, by)).toBe('in');
      provider.manner = manner;
      const before = provider.keysAsked;
      for (let n = 0; n < 10; n += 1) expect(await codeOf(token, by)).toBe('IDENTITY_PROVIDER_UNAVAILABLE');
      expect(provider.keysAsked - before).toBe(1);
      provider.manner = 'well';
      expect(await codeOf(token, by)).toBe('IDENTITY_PROVIDER_UNAVAILABLE');
      at = times.cooldownMs;
      expect(await codeOf(token, by)).toBe('in');
      by.close();
    },
  );

  it('of keys that are known are taken while others can’t be asked for', async () => {
    // The clock stands still, so that what failed is not tried again.
    const times = { timeoutMs: 2_000, cooldownMs: 1, keptMs: 60_000 };
    const by = fresh({}, times, { ...systemClock, monotonic: () => 0 });
    const token = await provider.token({ groups: ['staff'] });
    expect(await codeOf(token, by)).toBe('in');
    const stranger = await OidcProvider.start();
    const strange = await stranger.token({ iss: provider.issuer, groups: ['staff'] });
    await stranger.stop();
    provider.manner = 'fails';
    const before = provider.keysAsked;
    for (let n = 0; n < 3; n += 1) {
      expect(await codeOf(strange, by)).toBe('IDENTITY_PROVIDER_UNAVAILABLE');
      expect(await codeOf(token, by)).toBe('in');
    }
    expect(provider.keysAsked - before).toBe(1);
    by.close();
  });

  it.each<Manner>(['hangs', 'html', 'empty', 'huge', 'other issuer', 'redirects', 'fails'])(
    'can’t be checked while the provider %s, which is said; keys work meanwhile',
    async (manner) => {
      provider.manner = manner;
      const by = fresh();
      const token = await provider.token({ groups: ['staff'] });
      expect(await codeOf(token, by)).toBe('IDENTITY_PROVIDER_UNAVAILABLE');
      // Not asked again at once.
      provider.manner = 'well';
      expect(await codeOf(token, by)).toBe('IDENTITY_PROVIDER_UNAVAILABLE');
      const { token: key } = await kit.key('ASK');
      expect(await codeOf(key, by)).toBe('in');
      by.close();
    },
  );

  it('that are wrong are throttled by the address that they come from; right ones come in all the same', async () => {
    const by = fresh();
    const wrong = await provider.forged();
    const codes: string[] = [];
    for (let n = 0; n < 60; n += 1) codes.push(await codeOf(wrong, by));
    expect(new Set(codes)).toEqual(new Set(['UNAUTHENTICATED', 'TOO_MANY_ATTEMPTS']));
    expect(codes.at(-1)).toBe('TOO_MANY_ATTEMPTS');
    expect(await codeOf(await provider.token({ groups: ['staff'] }), by)).toBe('in');
    by.close();
  });

  describe('that expire', () => {
    /** Ends so soon that a stream outlives it, the tolerance counted. */
    const brief = () => provider.token({ exp: nowSeconds() - CLOCK_TOLERANCE_SECONDS + 2, groups: ['staff'] });
    const FOREVER = 'subscription { counter(to: 1000000, everyMs: 50) }';

    it('end the event stream that they opened, with what happened', async () => {
      const response = await fetch(`${gateway.url}/graphql/stream`, {
        method: 'POST',
        headers: {
          accept: 'text/event-stream',
          'content-type': 'application/json',
          authorization: `Bearer ${await brief()}`,
        },
        body: JSON.stringify({ query: FOREVER }),
      });
      expect(await response.text()).toContain('UNAUTHENTICATED');
    });

    it('end the WebSocket that they opened', async () => {
      const token = await brief();
      const client = createWsClient({
        url: `${gateway.url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        connectionParams: { authorization: `Bearer ${token}` },
      });
      const closed = new Promise<number>((resolve) =>
        client.on('closed', (event) => resolve((event as { code: number }).code)),
      );
      const results = client.iterate({ query: FOREVER });
      // Ends with the error of the operation or with the close, whichever the client sees first.
      const drained = (async () => {
        for await (const result of results) if (result.errors) return;
      })().catch(() => undefined);
      await drained;
      expect([4401, 4403]).toContain(await closed);
      await client.dispose();
    });
  });
});

describe('the configuration of a provider', () => {
  const base: OidcVariables = {
    GRAFT_OIDC_ISSUER: 'https://id.example',
    GRAFT_OIDC_AUDIENCE: 'graft',
    GRAFT_OIDC_ROLES: ['staff=ASK'],
    GRAFT_OIDC_ROLES_CLAIM: 'groups',
    GRAFT_OIDC_GROUPS_CLAIM: 'groups',
    GRAFT_OIDC_SCOPE: 'openid',
  };
  it.each<[string, Partial<OidcVariables>]>([
    ['no audience', { GRAFT_OIDC_AUDIENCE: undefined }],
    ['no roles', { GRAFT_OIDC_ROLES: [] }],
    ['a role that there isn’t', { GRAFT_OIDC_ROLES: ['staff=OWNER'] }],
    ['no pair', { GRAFT_OIDC_ROLES: ['staff'] }],
    ['an issuer by plain HTTP', { GRAFT_OIDC_ISSUER: 'http://id.example' }],
    ['an issuer with a query', { GRAFT_OIDC_ISSUER: 'https://id.example?tenant=1' }],
    ['an audience and no issuer', { GRAFT_OIDC_ISSUER: undefined }],
  ])('is refused at the start with %s', (_what, change) => {
    expect(() => oidcSettings({ ...base, ...change })).toThrow(expect.objectContaining({ code: 'SETUP_FAILED' }));
  });

  it('is read', () => {
    const settings = oidcSettings({ ...base, GRAFT_OIDC_ROLES: ['a=b=EDIT', ' ops = ADMIN '] })!;
    expect([...settings.roles]).toEqual([
      ['a=b', 'EDIT'],
      ['ops', 'ADMIN'],
    ]);
    expect(oidcSettings({ ...base, GRAFT_OIDC_ISSUER: undefined, GRAFT_OIDC_AUDIENCE: undefined })).toBeNull();
  });
});
