import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface SigningKey {
  kid: string;
  algorithm: string;
  privateKey: CryptoKey;
  jwk: JWK;
}

/** How the provider misbehaves; `well` is how it should. */
export type Manner = 'well' | 'hangs' | 'html' | 'empty' | 'huge' | 'other issuer' | 'redirects' | 'fails';

/** How it answers a refresh token. */
export type Renewing = 'well' | 'refuses' | 'fails' | 'hangs' | 'for somebody else';

export const AUDIENCE = 'https://graft.example';
const DISCOVERY = '/.well-known/openid-configuration';

async function signingKey(algorithm = 'RS256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const kid = randomUUID();
  return { kid, algorithm, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' } };
}

/** By how much longer the gateway takes a token than it says, in seconds. */
const TOLERATED_SECONDS = 30;

/** An OpenID provider of a few lines: discovery, keys, the code flow with PKCE for one public client, refresh tokens that rotate, signing out. */
export class OidcProvider {
  manner: Manner = 'well';
  /** How often it was asked for its keys, whatever it answered. */
  keysAsked = 0;
  /** Where its keys are; nowhere else. */
  keysPath = '/keys';
  /** Where it says that tokens are given and taken back; undefined: beside everything else. */
  tokensAt: string | undefined;
  /** How often it was asked where its keys are. */
  discoveries = 0;
  /** Who comes to sign in. */
  subject = 'ada';
  /** Who comes is sent back without a code. */
  refusesPeople = false;
  /** How long the gateway takes access tokens, in seconds. */
  lifeSeconds = 300;
  /** Whether it gives refresh tokens, and how it answers them. */
  renews = true;
  renewing: Renewing = 'well';
  renewals = 0;
  /** How often a refresh token came that had been taken before. */
  reused = 0;
  /** Whether it takes refresh tokens back, and how many that it knew it took back. */
  revokes = true;
  revoked = 0;
  /** Undefined: it has none. */
  endSession: string | undefined;
  /** With what people came to sign out. */
  readonly signedOut: Record<string, string>[] = [];
  #keys: SigningKey[] = [];
  readonly #codes = new Map<string, { challenge: string; nonce: string; redirectUri: string }>();
  /** Refresh tokens, by the sign-in that they are of; one that came twice ends it (RFC 9700, section 4.14.2). */
  readonly #refresh = new Map<string, { family: string; used: boolean }>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<OidcProvider> {
    const server = createServer((request, response) => void provider.#answer(request, response));
    const provider = new OidcProvider(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await provider.rotate();
    return provider;
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** From now on it signs with a new key, and names no other. */
  async rotate(algorithm = 'RS256'): Promise<void> {
    this.#keys = [await signingKey(algorithm)];
  }

  /** @param claims beside those that every token has, or in their place; undefined leaves one out */
  async token(claims: Record<string, unknown> = {}, key?: SigningKey): Promise<string> {
    const { kid, algorithm, privateKey } = key ?? this.#keys[0]!;
    const now = Math.floor(Date.now() / 1_000);
    const all = { iss: this.issuer, aud: AUDIENCE, sub: 'ada', iat: now, exp: now + 300, ...claims };
    const said = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    return new SignJWT(said).setProtectedHeader({ alg: algorithm, kid, typ: 'JWT' }).sign(privateKey);
  }

  /** The public half of the key that it signs with. */
  get jwk(): JWK {
    return this.#keys[0]!.jwk;
  }

  /** A token signed by a key that it doesn’t name, under the id of one that it does. */
  async forged(): Promise<string> {
    return this.token({}, { ...(await signingKey()), kid: this.#keys[0]!.kid });
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, this.issuer);
    const json = (value: unknown, status = 200): void => {
      response.writeHead(status, { 'content-type': 'application/json', 'access-control-allow-origin': '*' });
      response.end(JSON.stringify(value));
    };
    if (url.pathname === this.keysPath) this.keysAsked += 1;
    if (url.pathname === DISCOVERY) this.discoveries += 1;
    if (this.manner === 'hangs') return;
    if (this.manner === 'fails') return json({}, 500);
    if (this.manner === 'html') return void response.end('<html>Sign in</html>');
    if (this.manner === 'empty') return json({});
    if (this.manner === 'huge') return json({ keys: 'x'.repeat(2_000_000) });
    if (this.manner === 'redirects')
      return void response.writeHead(302, { location: `${this.issuer}/elsewhere` }).end();
    const tokensAt = this.tokensAt ?? this.issuer;
    switch (url.pathname) {
      case DISCOVERY:
        return json({
          issuer: this.manner === 'other issuer' ? 'https://elsewhere.example' : this.issuer,
          jwks_uri: `${this.issuer}${this.keysPath}`,
          authorization_endpoint: `${this.issuer}/authorize`,
          token_endpoint: `${tokensAt}/token`,
          end_session_endpoint: this.endSession,
          revocation_endpoint: this.revokes ? `${tokensAt}/revoke` : undefined,
        });
      case this.keysPath:
        return json({ keys: this.#keys.map(({ jwk }) => jwk) });
      case '/authorize':
        return this.#authorize(url.searchParams, response);
      case '/token': {
        const answer = await this.#exchange(request);
        return answer && json(...answer);
      }
      case '/revoke': {
        const token = (await formOf(request)).get('token') ?? '';
        if (this.#refresh.delete(token)) this.revoked += 1;
        return json({});
      }
      case '/logout': {
        this.signedOut.push(Object.fromEntries(url.searchParams));
        const back = new URL(url.searchParams.get('post_logout_redirect_uri')!);
        back.searchParams.set('state', url.searchParams.get('state')!);
        return void response.writeHead(302, { location: back.href }).end();
      }
      default:
        return json({}, 404);
    }
  }

  /** Nobody is asked for a password: whoever comes is ada. */
  #authorize(query: URLSearchParams, response: ServerResponse): void {
    const redirectUri = query.get('redirect_uri')!;
    const code = randomUUID();
    this.#codes.set(code, { challenge: query.get('code_challenge')!, nonce: query.get('nonce')!, redirectUri });
    const back = new URL(redirectUri);
    if (this.refusesPeople) back.searchParams.set('error', 'access_denied');
    else back.searchParams.set('code', code);
    back.searchParams.set('state', query.get('state')!);
    response.writeHead(302, { location: back.href }).end();
  }

  /** @returns nothing where it hangs */
  async #exchange(request: IncomingMessage): Promise<[unknown, number] | undefined> {
    const body = await formOf(request);
    if (body.get('grant_type') === 'refresh_token') return this.#renew(body);
    const code = body.get('code') ?? '';
    const known = this.#codes.get(code);
    this.#codes.delete(code);
    const challenge = createHash('sha256')
      .update(body.get('code_verifier') ?? '')
      .digest('base64url');
    if (!known || challenge !== known.challenge || body.get('redirect_uri') !== known.redirectUri)
      return [{ error: 'invalid_grant' }, 400];
    return this.#give(body.get('client_id'), randomUUID(), { nonce: known.nonce });
  }

  async #renew(body: URLSearchParams): Promise<[unknown, number] | undefined> {
    this.renewals += 1;
    if (this.renewing === 'hangs') return undefined;
    if (this.renewing === 'fails') return [{ error: 'server_error' }, 503];
    const held = this.#refresh.get(body.get('refresh_token') ?? '');
    if (held?.used) {
      this.reused += 1;
      for (const [token, { family }] of this.#refresh) if (family === held.family) this.#refresh.delete(token);
    }
    if (!held || held.used || this.renewing === 'refuses') return [{ error: 'invalid_grant' }, 400];
    held.used = true;
    const sub = this.renewing === 'for somebody else' ? 'eve' : this.subject;
    return this.#give(body.get('client_id'), held.family, { sub });
  }

  async #give(client: string | null, family: string, claims: Record<string, unknown>): Promise<[unknown, number]> {
    const iat = Math.floor(Date.now() / 1_000) - TOLERATED_SECONDS;
    const times = { iat, exp: iat + this.lifeSeconds };
    const all = { sub: this.subject, ...times, ...claims };
    const access = await this.token({ ...all, nonce: undefined, email: `${all.sub}@example.com`, groups: ['staff'] });
    const id = await this.token({ ...all, aud: client });
    const refresh = this.renews ? randomUUID() : undefined;
    if (refresh !== undefined) this.#refresh.set(refresh, { family, used: false });
    const told = { access_token: access, id_token: id, refresh_token: refresh, token_type: 'Bearer' };
    return [{ ...told, expires_in: this.lifeSeconds }, 200];
  }
}

async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return new URLSearchParams(text);
}
