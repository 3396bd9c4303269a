/** What the console makes of keys that are entered, and of a provider’s answers. */
import { addressOf } from '../../../src/operate/access/oidc/address-of.js';
import { keyFault } from '../../../src/console/parts/sign-in/key-fault.js';
import { askForTokens, ProviderRefused } from '../../../src/console/parts/sign-in/provider.js';
import { begunWith, hintOf, OtherPerson, renewedBy, samePerson } from '../../../src/console/parts/sign-in/tokens.js';
import { OidcProvider } from '../../support/oidc-provider.js';

const NOW = 1_800_000_000_000;
const provider = { issuer: 'https://id.example', clientId: 'console', scope: 'openid' };
const jwt = (claims: Record<string, unknown>): string =>
  `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig`;
const token = (more: Record<string, unknown> = {}): string =>
  jwt({ iss: 'https://id.example', sub: 'ada', iat: NOW / 1_000, exp: NOW / 1_000 + 300, ...more });
const begun = (more: Record<string, unknown> = {}) =>
  begunWith(provider, { access_token: token(), refresh_token: 'r0', id_token: token(), ...more }, NOW);

describe('a sign-in', () => {
  it('is renewed a minute before its token ends; of a short one in its last quarter; never without a pause', () => {
    const left = (more: Record<string, unknown>) => {
      const { renewAt, endsAt } = begun(more);
      return [renewAt - NOW, endsAt - NOW];
    };
    expect(left({ expires_in: 300 })).toEqual([240_000, 300_000]);
    expect(left({})).toEqual([240_000, 300_000]);
    expect(left({ expires_in: 20 })).toEqual([15_000, 20_000]);
    expect(left({ expires_in: '20' })).toEqual([15_000, 20_000]);
    expect(left({ expires_in: 0 })).toEqual([3_000, 4_000]);
    expect(left({ expires_in: -1e9 })).toEqual([3_000, 4_000]);
    expect(left({ expires_in: 'soon' })).toEqual([240_000, 300_000]);
  });

  it('lives as long by a clock that is an hour off', () => {
    const early = NOW / 1_000 - 3_600;
    const { endsAt } = begun({ access_token: token({ iat: early, exp: early + 300 }) });
    expect(endsAt - NOW).toBe(300_000);
  });

  it('takes the refresh token that comes with a renewal, and keeps its own where none comes', () => {
    const later = NOW + 240_000;
    const rotated = renewedBy(begun(), { access_token: token(), refresh_token: 'r1' }, later);
    expect(rotated).toMatchObject({ refresh: 'r1', generation: 1, id: token(), endsAt: later + 300_000 });
    expect(renewedBy(rotated, { access_token: token() }, later)).toMatchObject({ refresh: 'r1', generation: 2 });
  });

  it.each<[string, Record<string, unknown>]>([
    ['an access token of another subject', { access_token: token({ sub: 'eve' }) }],
    ['one of another issuer', { access_token: token({ iss: 'https://other.example' }) }],
    ['one without a subject', { access_token: token({ sub: undefined }) }],
    ['an ID token of another subject', { id_token: token({ sub: 'eve' }) }],
  ])('is not renewed by %s', (_what, answer) => {
    expect(() => renewedBy(begun(), { access_token: token(), ...answer }, NOW)).toThrow(OtherPerson);
  });

  it('begins with no token that has no end', () => {
    expect(() => begun({ access_token: token({ exp: undefined }) })).toThrow('no end');
  });

  it.each(['', 'opaque', 'a.b.c', 'e30.bnVsbA.x'])('begins with no token that is none: %j', (none) => {
    expect(() => begun({ access_token: none })).toThrow();
  });

  it('is of the same person only by subject and issuer', () => {
    expect(samePerson(token(), token({ exp: 1 }))).toBe(true);
    expect(samePerson(jwt({}), jwt({}))).toBe(false);
  });
});

describe('the ID token that goes along when somebody signs out', () => {
  const hint = (access: object, id: object | null) =>
    hintOf({ access: jwt(access as Record<string, unknown>), id: id && jwt(id as Record<string, unknown>) });

  it('is for another audience than access tokens, with which the gateway lets somebody in', () => {
    expect(hint({ aud: 'graft' }, { aud: 'console' })).toBe(jwt({ aud: 'console' }));
    for (const aud of ['graft', ['console', 'graft']]) expect(hint({ aud: ['graft', 'mail'] }, { aud })).toBeNull();
  });

  it('is none where there is none, or one of the two can’t be read', () => {
    expect(hint({ aud: 'graft' }, null)).toBeNull();
    expect(hintOf({ access: 'opaque', id: jwt({ aud: 'console' }) })).toBeNull();
    expect(hintOf({ access: jwt({ aud: 'graft' }), id: 'opaque' })).toBeNull();
  });
});

describe('a key that is entered', () => {
  it('is refused in words where no header could say it, before anything is sent', () => {
    expect(keyFault('graft_abcdefghij.0123-_~')).toBeNull();
    for (const pasted of ['graft_\u200babc', 'graft_abc\u200b', 'graft_a bc', 'graft_ä', 'graft_a\nbc', ''])
      expect(keyFault(pasted)).toContain('Copy the key again');
  });
});

describe('an address that a provider names', () => {
  it.each([
    'javascript:alert(1)',
    'data:text/html,hello',
    'ftp://id.example/',
    'http://id.example/logout',
    'blob:https://id.example/x',
    '/logout',
    '',
    null,
    undefined,
    7,
    {},
  ])('is no page to go to: %j', (said) => {
    expect(addressOf(said, provider)).toBeNull();
  });

  it('is one by https, on whatever host, or by http from a provider by http', () => {
    expect(addressOf('https://login.example/out?x=1', provider)?.href).toBe('https://login.example/out?x=1');
    expect(addressOf('http://127.0.0.1:9/out', { issuer: 'http://127.0.0.1:9' })?.href).toBe('http://127.0.0.1:9/out');
  });
});

describe('a provider that is asked to renew', () => {
  let stand: OidcProvider;
  beforeAll(async () => (stand = await OidcProvider.start()));
  afterAll(() => stand.stop());
  afterEach(() => void Object.assign(stand, { manner: 'well', renewing: 'well' }));
  const ask = () =>
    askForTokens(
      { issuer: stand.issuer, clientId: 'console', scope: 'openid' },
      { grant_type: 'refresh_token', refresh_token: 'unknown' },
    );

  it('has refused where it says so, and is only away where it fails or talks nonsense', async () => {
    await expect(ask()).rejects.toThrow(ProviderRefused);
    stand.renewing = 'fails';
    await expect(ask()).rejects.not.toThrow(ProviderRefused);
    stand.renewing = 'well';
    for (const manner of ['html', 'empty', 'fails', 'other issuer'] as const) {
      stand.manner = manner;
      await expect(ask()).rejects.not.toBeInstanceOf(ProviderRefused);
    }
  });
});
