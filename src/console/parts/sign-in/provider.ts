/** What the console asks of an OpenID provider: its discovery document and its token endpoint. */
import { addressOf } from '../../../operate/access/oidc/address-of.js';

/** What the gateway says of its provider, at `/sign-in.json`; null where it takes keys only. */
export interface Provider {
  issuer: string;
  clientId: string;
  scope: string;
}

/** OpenID Connect Discovery 1.0, section 3, RP-Initiated Logout 1.0, section 2.1, and RFC 8414, section 2: what is used of it. */
export interface Endpoints {
  authorization_endpoint: string;
  token_endpoint: string;
  end_session_endpoint?: unknown;
  revocation_endpoint?: unknown;
}

/** RFC 6749, section 5.1, with the ID token of OpenID Connect. */
export interface TokenAnswer {
  access_token: string;
  refresh_token?: unknown;
  id_token?: unknown;
  expires_in?: unknown;
}

/** The provider said no (RFC 6749, section 5.2): asked again it says the same. */
export class ProviderRefused extends Error {}

/** How long the provider may take for one answer, in ms. */
const TIMEOUT_MS = 10_000;
/** Errors that say nothing of who asks. */
const PASSING = ['temporarily_unavailable', 'server_error', 'slow_down'];

export async function providerOf(): Promise<Provider | null> {
  const response = await fetch('/sign-in.json');
  return response.ok ? ((await response.json()) as Provider | null) : null;
}

export async function endpointsOf(
  { issuer }: Provider,
  signal: AbortSignal = AbortSignal.timeout(TIMEOUT_MS),
): Promise<Endpoints> {
  const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, { signal });
  const configuration = (await response.json()) as Endpoints & { issuer: string };
  if (configuration.issuer !== issuer)
    throw new Error(
      `The provider calls itself ${configuration.issuer}, and GRAFT_OIDC_ISSUER says ${issuer}: they must be the same.`,
    );
  return configuration;
}

/**
 * Asks the token endpoint, which answers in its body alone: no token stands in an address.
 * @throws ProviderRefused; any other Error where it can't be reached, hangs, or answers with something else
 */
export async function askForTokens(provider: Provider, parameters: Record<string, string>): Promise<TokenAnswer> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const { token_endpoint } = await endpointsOf(provider, signal);
  const body = new URLSearchParams({ ...parameters, client_id: provider.clientId });
  const response = await fetch(token_endpoint, { method: 'POST', body, signal });
  const tokenAnswer = (await response.json()) as Partial<TokenAnswer> & { error?: unknown };
  if (response.ok && typeof tokenAnswer.access_token === 'string') return tokenAnswer as TokenAnswer;
  const { error } = tokenAnswer;
  if (typeof error === 'string' && response.status < 500 && response.status !== 429 && !PASSING.includes(error))
    throw new ProviderRefused(`The provider gave no token: ${error}.`);
  throw new Error(`The provider gave no token (HTTP ${response.status}).`);
}

/** Has the provider take no more what would renew a sign-in (RFC 7009). Nobody waits for it: it goes on when the page has gone. */
export function revoke({ revocation_endpoint }: Endpoints, provider: Provider, refresh: string): void {
  const url = addressOf(revocation_endpoint, provider);
  if (url === null) return;
  const body = new URLSearchParams({ token: refresh, token_type_hint: 'refresh_token', client_id: provider.clientId });
  fetch(url, { method: 'POST', body, keepalive: true }).catch(() => undefined);
}
