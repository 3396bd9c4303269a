/** OpenID Connect's code flow with PKCE (RFC 7636) for a client that can keep no secret. */
import { errorText } from '../error-text';
import { addressOf } from '../../../operate/access/oidc/address-of.js';
import { askForTokens, endpointsOf, providerOf, type Provider } from './provider';
import { begunWith, claimsIn, type Kept } from './tokens';

interface Begun {
  state: string;
  nonce: string;
  verifier: string;
  /** Where the person was. */
  back: string;
  /** The channel on which a page waits for who signs in; null: this page is for them. */
  waiting: string | null;
}

const KEY = 'graft:sign-in';
const PATH = '/sign-in';

const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
/** 256 bits that nobody guesses. */
export const random = (): string => base64url(crypto.getRandomValues(new Uint8Array(32)));
const redirectUri = (): string => `${window.location.origin}${PATH}`;

/** Leaves for the provider. */
export async function leaveToSignIn(provider: Provider, waiting: string | null = null): Promise<void> {
  const { pathname, search } = window.location;
  const back = waiting === null ? `${pathname}${search}` : '/';
  const attempt: Begun = { state: random(), nonce: random(), verifier: random(), back, waiting };
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(attempt.verifier));
  const url = addressOf((await endpointsOf(provider)).authorization_endpoint, provider);
  if (url === null) throw new Error('The provider names no address at which people sign in.');
  const parameters = {
    response_type: 'code',
    client_id: provider.clientId,
    redirect_uri: redirectUri(),
    scope: provider.scope,
    state: attempt.state,
    nonce: attempt.nonce,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  sessionStorage.setItem(KEY, JSON.stringify(attempt));
  window.location.assign(url.href);
}

/** Whether this page is where the provider sent the person back to. */
export const cameBack = (): boolean => window.location.pathname === PATH && window.location.search !== '';

/** Where somebody is sent back from a sign-in that this tab didn't begin. */
export class NotBegun extends Error {}

/** One that was begun and can't be finished. The page on a channel waits for the next try. */
export class NotFinished extends Error {
  constructor(
    readonly waiting: string | null,
    cause: unknown,
  ) {
    super(errorText(cause), { cause });
  }
}

interface Finished {
  kept: Kept;
  /** Where the person was. */
  back: string;
  /** The channel on which a page waits. */
  waiting: string | null;
}

/**
 * Takes what the provider sent back, once.
 * @throws NotBegun, or NotFinished, which says why
 */
export async function finishSignIn(): Promise<Finished> {
  const answer = new URLSearchParams(window.location.search);
  const text = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  window.history.replaceState(null, '', '/');
  const attempt = text === null ? null : (JSON.parse(text) as Begun);
  if (attempt === null || answer.get('state') !== attempt.state)
    throw new NotBegun('This is not the end of a sign-in that was begun in this tab.');
  const { back, waiting } = attempt;
  const credentials = await exchange(attempt, answer).catch((error: unknown) => {
    throw new NotFinished(waiting, error);
  });
  return { kept: credentials, back, waiting };
}

/** The code for tokens. @throws Error */
async function exchange(attempt: Begun, answer: URLSearchParams): Promise<Kept> {
  const [failure, code, provider] = [answer.get('error'), answer.get('code'), await providerOf()];
  if (failure !== null || code === null) throw new Error(`The provider refused: ${failure ?? 'no code'}.`);
  if (provider === null) throw new Error('This gateway has no provider.');
  const tokenAnswer = await askForTokens(provider, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri(),
    code_verifier: attempt.verifier,
  });
  if (typeof tokenAnswer.id_token === 'string' && claimsIn(tokenAnswer.id_token)['nonce'] !== attempt.nonce)
    throw new Error('The provider’s token is not for this sign-in.');
  return begunWith(provider, tokenAnswer, Date.now());
}
