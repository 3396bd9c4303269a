/** OpenID Connect's code flow with PKCE (RFC 7636) for a client that can keep no secret. */

/** What the gateway says of its provider, at `/sign-in.json`; null where it takes keys only. */
export interface Provider {
  issuer: string;
  clientId: string;
}

interface Begun {
  state: string;
  nonce: string;
  verifier: string;
  /** Where the person was. */
  back: string;
}

const KEY = 'graft:sign-in';
const PATH = '/sign-in';

const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
const random = (): string => base64url(crypto.getRandomValues(new Uint8Array(32)));
const redirectUri = (): string => `${window.location.origin}${PATH}`;

export async function providerOf(): Promise<Provider | null> {
  const response = await fetch('/sign-in.json');
  return response.ok ? ((await response.json()) as Provider | null) : null;
}

async function endpointsOf({ issuer }: Provider): Promise<{ authorization_endpoint: string; token_endpoint: string }> {
  const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  const found = (await response.json()) as { issuer: string; authorization_endpoint: string; token_endpoint: string };
  if (found.issuer !== issuer)
    throw new Error(
      `The provider calls itself ${found.issuer}, and GRAFT_OIDC_ISSUER says ${issuer}: they must be the same.`,
    );
  return found;
}

/** Leaves for the provider. */
export async function leaveToSignIn(provider: Provider): Promise<void> {
  const { pathname, search } = window.location;
  const begun: Begun = { state: random(), nonce: random(), verifier: random(), back: `${pathname}${search}` };
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(begun.verifier));
  const url = new URL((await endpointsOf(provider)).authorization_endpoint);
  const asked = {
    response_type: 'code',
    client_id: provider.clientId,
    redirect_uri: redirectUri(),
    scope: 'openid profile email',
    state: begun.state,
    nonce: begun.nonce,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
  sessionStorage.setItem(KEY, JSON.stringify(begun));
  window.location.assign(url.href);
}

/** Whether this page is where the provider sent the person back to. */
export const cameBack = (): boolean => window.location.pathname === PATH && window.location.search !== '';

/** Where somebody is sent back from a sign-in that this tab didn't begin. */
export class NotBegun extends Error {}

/**
 * Takes what the provider sent back, once.
 * @returns the access token, and where the person was
 * @throws NotBegun; any other Error that says why the sign-in can't be finished
 */
export async function finishSignIn(): Promise<{ token: string; back: string }> {
  const answer = new URLSearchParams(window.location.search);
  const kept = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  window.history.replaceState(null, '', '/');
  const begun = kept === null ? null : (JSON.parse(kept) as Begun);
  if (begun === null || answer.get('state') !== begun.state)
    throw new NotBegun('This is not the end of a sign-in that was begun in this tab.');
  const [failure, code, provider] = [answer.get('error'), answer.get('code'), await providerOf()];
  if (failure !== null || code === null) throw new Error(`The provider refused: ${failure ?? 'no code'}.`);
  if (provider === null) throw new Error('This gateway has no provider.');
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    code,
    client_id: provider.clientId,
    redirect_uri: redirectUri(),
    code_verifier: begun.verifier,
  });
  const response = await fetch((await endpointsOf(provider)).token_endpoint, { method: 'POST', body });
  const told = (await response.json()) as { access_token?: string; id_token?: string; error?: string };
  if (told.access_token === undefined) throw new Error(`The provider gave no token: ${told.error ?? 'no reason'}.`);
  if (told.id_token !== undefined && nonceIn(told.id_token) !== begun.nonce)
    throw new Error('The provider’s token is not for this sign-in.');
  return { token: told.access_token, back: begun.back };
}

/** It came from the provider itself over TLS; only its nonce is looked at. */
function nonceIn(idToken: string): unknown {
  const payload = (idToken.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
  return (JSON.parse(atob(payload)) as { nonce?: unknown }).nonce;
}
