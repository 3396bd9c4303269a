/** Signing out, at the provider too where it can be: https://openid.net/specs/openid-connect-rpinitiated-1_0.html */
import { random } from './code-flow';
import { addressOf } from '../../../operate/access/oidc/address-of.js';
import { endpointsOf, revoke, type Endpoints } from './provider';
import { signOut } from './session';
import { hintOf, type Kept } from './tokens';

const KEY = 'graft:sign-out';
const PATH = '/signed-out';
/** How long a person who leaves waits for the provider to say where it signs out, in ms. */
const TIMEOUT_MS = 5_000;

interface Left {
  /** What the provider sends back; null: it isn't asked. */
  state: string | null;
  said: string;
}

/** Where the provider ends its own session; null where it has no such address, or one that isn’t of the web. */
function endSessionAddress({ end_session_endpoint }: Endpoints, credentials: Kept, state: string): URL | null {
  const url = addressOf(end_session_endpoint, credentials.provider);
  if (url === null) return null;
  const hint = hintOf(credentials);
  if (hint !== null) url.searchParams.set('id_token_hint', hint);
  url.searchParams.set('client_id', credentials.provider.clientId);
  url.searchParams.set('post_logout_redirect_uri', `${window.location.origin}${PATH}`);
  url.searchParams.set('state', state);
  return url;
}

const keep = (signOutRecord: Left): void => sessionStorage.setItem(KEY, JSON.stringify(signOutRecord));

/** Ends the session here, at once and whatever the provider does; then there. The browser’s way back doesn’t lead to what was shown. */
export async function leave(): Promise<void> {
  const credentials = signOut();
  if (credentials === null) return window.location.replace('/');
  const state = random();
  try {
    const endpoints = await endpointsOf(credentials.provider, AbortSignal.timeout(TIMEOUT_MS));
    if (credentials.refresh !== null) revoke(endpoints, credentials.provider, credentials.refresh);
    const url = endSessionAddress(endpoints, credentials, state);
    if (url === null) return window.location.replace('/');
    keep({ state, said: 'You are signed out, here and at your provider.' });
    window.location.replace(url.href);
  } catch {
    keep({
      state: null,
      said: 'You are signed out here. Your provider did not answer: there you may still be signed in.',
    });
    window.location.replace('/');
  }
}

/** Where the person has come back from signing out: how it went, once. A link that leads here says nothing, and ends nobody’s session. */
export function takeLeft(): string | null {
  const { pathname, search } = window.location;
  const text = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  if (pathname === PATH) window.history.replaceState(null, '', '/');
  const signOutRecord = text === null ? null : (JSON.parse(text) as Left);
  if (signOutRecord === null) return null;
  if (signOutRecord.state === null) return signOutRecord.said;
  return pathname === PATH && new URLSearchParams(search).get('state') === signOutRecord.state
    ? signOutRecord.said
    : null;
}
