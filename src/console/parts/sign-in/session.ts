/**
 * Who is signed in, by a key or at the provider. `look` renews a sign-in before its token ends, `end` asks its owner again when that fails; the page
 * waits for them meanwhile (`awaited`), and so do its requests: each waits for `current` before it is sent, and tells `refused` or `accepted` what came of it.
 */
import { useSyncExternalStore } from 'react';
import { errorText } from '../error-text';
import { Peers } from './peers';
import { askForTokens, ProviderRefused } from './provider';
import { OtherPerson, renewedBy, samePerson, type Kept } from './tokens';

/** A key of Graft. It stands in this tab alone and goes with it: no cookie, so no other page can send it. */
const KEY = 'graft:token';
/** What the provider gave stands there, too, never beyond the tab; a tab that is duplicated gets a copy. */
const KEPT = 'graft:signed-in';

interface Session {
  /** A key, or an access token of the provider. */
  token: string | null;
  /** Whether who is there is asked. */
  refused: boolean;
  /** Why the sign-in will end, while it holds still. */
  ending: string | null;
  /** Why it ended. */
  problem: string | null;
  /** Of whom it was. The page stays behind the sign-in as they left it, and for nobody else. */
  awaited: Kept | null;
}

/** Pauses between attempts to renew, in ms. */
const PAUSES_MS = [1_000, 3_000, 5_000];
/** For so long after a token’s end its renewal is tried, in ms: a machine that wakes has no network yet. */
const PATIENCE_MS = 10_000;
/** After it failed for nothing that lasts it is tried again so much later, in ms. */
const LATER_MS = 15_000;
/** Timers hold no more than 25 days. */
const LONGEST_TIMER_MS = 3_600_000;
const UNTAKEN = 'The gateway does not take your token any more.';
const ENDED = 'Your sign-in has ended.';
const UNRENEWED = 'There is no refresh token by which it could be renewed.';

function read(): Kept | null {
  const text = sessionStorage.getItem(KEPT);
  return text === null ? null : (JSON.parse(text) as Kept);
}

let kept = read();
let session: Session = {
  token: kept?.access ?? sessionStorage.getItem(KEY),
  refused: false,
  ending: null,
  problem: null,
  awaited: null,
};
const listeners = new Set<() => void>();
let peers: Peers | null = null;
/** Whether the gateway has taken the token; one that it never took is not made better by renewing. */
let taken = true;
let laterAt = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let renewing: Promise<void> | null = null;

function change(next: Partial<Session>): void {
  session = { ...session, ...next };
  for (const listener of listeners) listener();
}

/** The tab has nothing more by which somebody could be let in. */
function forget(): void {
  sessionStorage.removeItem(KEY);
  sessionStorage.removeItem(KEPT);
  kept = null;
  clearTimeout(timer);
}

function meet(family: string): void {
  if (peers?.family === family) return;
  peers?.close();
  peers = new Peers(family, {
    current: () => kept,
    has: (credentials) => {
      if (credentials.generation > ((kept ?? session.awaited)?.generation ?? Infinity)) adopt(credentials);
    },
    ended: end,
    left: () => {
      forget();
      window.location.replace('/');
    },
  });
}

/** From now on requests have these tokens, and who waits for them goes on. */
function adopt(next: Kept): void {
  sessionStorage.removeItem(KEY);
  sessionStorage.setItem(KEPT, JSON.stringify(next));
  kept = next;
  taken = false;
  laterAt = 0;
  meet(next.family);
  change({ token: next.access, refused: false, ending: null, problem: null, awaited: null });
  look();
}

/** Who was signed in is asked again who they are; what they were at stays for them. */
function end(problem: string): void {
  if (!kept) return;
  const awaited: Kept = { ...kept, refresh: null };
  forget();
  change({ token: null, refused: true, ending: null, problem, awaited });
}

/** Renews when it is time, says that it can’t be, and ends what has ended; looks again when one of these is next. */
function look(): void {
  clearTimeout(timer);
  if (!kept || renewing) return;
  const now = Date.now();
  const { refresh, renewAt, endsAt } = kept;
  if (now >= endsAt && refresh === null) return end(session.ending ?? `${ENDED} ${UNRENEWED}`);
  const dueAt = Math.max(renewAt, laterAt);
  if (refresh !== null && now >= Math.min(dueAt, endsAt)) return void renew();
  if (refresh === null && now >= renewAt && session.ending === null) change({ ending: UNRENEWED });
  const nextAt = refresh === null && now >= renewAt ? endsAt : Math.min(dueAt, endsAt);
  timer = setTimeout(look, Math.min(nextAt - now, LONGEST_TIMER_MS));
}

/** Once for all who want it. It never throws: the session is renewed, as it was, or ended. */
const renew = (): Promise<void> =>
  (renewing ??= tryToRenew().finally(() => {
    renewing = null;
    look();
  }));

async function renewOnce(previousCredentials: Kept, refresh: string): Promise<void> {
  await peers!.alone(async () => {
    if (kept !== previousCredentials) return;
    const peerCredentials = await peers!.newest();
    if (kept !== previousCredentials) return;
    if (peerCredentials && peerCredentials.generation > previousCredentials.generation) return adopt(peerCredentials);
    const answer = await askForTokens(previousCredentials.provider, {
      grant_type: 'refresh_token',
      refresh_token: refresh,
    });
    // Who signed out meanwhile has signed out.
    if (kept !== previousCredentials) return;
    adopt(renewedBy(previousCredentials, answer, Date.now()));
    peers!.tell({ is: 'has', kept });
  });
}

async function tryToRenew(): Promise<void> {
  const began = Date.now();
  for (const pause of [...PAUSES_MS, null]) {
    const previousCredentials = kept;
    if (!previousCredentials || previousCredentials.refresh === null) return;
    try {
      return await renewOnce(previousCredentials, previousCredentials.refresh);
    } catch (error) {
      if (kept !== previousCredentials) return;
      if (error instanceof OtherPerson) {
        peers!.tell({ is: 'ended', problem: error.message });
        return end(error.message);
      }
      const ending = `Your sign-in could not be renewed. ${errorText(error)}`;
      if (error instanceof ProviderRefused) {
        kept = { ...previousCredentials, refresh: null };
        sessionStorage.setItem(KEPT, JSON.stringify(kept));
        return change({ ending });
      }
      const now = Date.now();
      if (pause === null || (now >= previousCredentials.endsAt && now - began >= PATIENCE_MS)) {
        laterAt = now + LATER_MS;
        return now >= previousCredentials.endsAt ? end(ending) : change({ ending });
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

if (kept) meet(kept.family);
look();
// Timers of a tab in the background or of a machine that slept are late.
for (const event of ['visibilitychange', 'online', 'focus']) window.addEventListener(event, look);

/** Until somebody is signed in again, or nobody waits any more. */
const comesBack = (signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => {
    const resolveIfBack = () => {
      if (session.awaited && !signal?.aborted) return;
      listeners.delete(resolveIfBack);
      signal?.removeEventListener('abort', resolveIfBack);
      resolve();
    };
    listeners.add(resolveIfBack);
    signal?.addEventListener('abort', resolveIfBack);
    resolveIfBack();
  });

/** Waits until what a request would say of who sends it holds: for a renewal, or for who was signed in to be so again. */
export async function current(signal?: AbortSignal): Promise<void> {
  while (!signal?.aborted) {
    if (session.awaited) await comesBack(signal);
    else if (kept && Date.now() >= kept.endsAt) await renew();
    else return;
  }
}

/** What a request says of who sends it. */
export const authorization = (): { authorization?: string } =>
  session.token === null ? {} : { authorization: `Bearer ${session.token}` };

/** The gateway took what was said. */
export function accepted(authHeader: { authorization?: string }): void {
  if (authHeader.authorization === authorization().authorization) taken = true;
}

/**
 * The gateway didn’t take what was said. A token is renewed, or its owner signs in again; of anybody else it is asked who they are.
 * @returns whether it is worth asking the gateway again
 */
export async function refused(authHeader: { authorization?: string }, signal?: AbortSignal): Promise<boolean> {
  if (!kept && !session.awaited) {
    // What was asked with a key that has been replaced since is asked again.
    if (session.token !== null && authHeader.authorization !== authorization().authorization) return !signal?.aborted;
    askWho();
    return false;
  }
  const unchanged = () => kept !== null && authorization().authorization === authHeader.authorization;
  // One under renewal, or at its end, is refused for that alone.
  if (unchanged() && (taken || renewing !== null || Date.now() >= kept!.endsAt)) await renew();
  if (unchanged()) end(UNTAKEN);
  await current(signal);
  return session.token !== null && !signal?.aborted;
}

/** `fetch` by whoever is signed in, from this gateway. What it refused for a token that has ended it was asked for in vain, so it is asked again. */
export async function fetchSignedIn(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  const signal = init.signal ?? undefined;
  for (;;) {
    await current(signal);
    const authHeader = authorization();
    const response = await fetch(input, {
      ...init,
      headers: { ...(init.headers as Record<string, string>), ...authHeader },
    });
    // What a proxy says in its place tells nothing of the token.
    if (response.ok) accepted(authHeader);
    if (response.status !== 401) return response;
    if (!(await refused(authHeader, signal))) return response;
  }
}

/** The gateway wants to know who asks, or doesn’t take who was said: the sign-in is shown. */
export function askWho(): void {
  if (kept) end(UNTAKEN);
  else if (!session.refused) change({ refused: true });
}

/** Signed in at the provider. Only for a page that has asked for nothing yet: what it keeps was answered to somebody else. */
export const signIn = adopt;

/** Signed in again. The page goes on for who was there; for anybody else it begins anew. */
export function signInAgain(next: Kept): void {
  const was = kept ?? session.awaited;
  if (!was || !samePerson(was.access, next.access)) {
    forget();
    sessionStorage.setItem(KEPT, JSON.stringify(next));
    return window.location.reload();
  }
  adopt({ ...next, family: was.family, generation: was.generation + 1 });
  peers?.tell({ is: 'has', kept });
}

/** The page begins anew with this key, and knows nothing of whoever was here before. */
export function beginAs(key: string): void {
  forget();
  sessionStorage.setItem(KEY, key);
  window.location.reload();
}

/** The key of this tab was replaced: from now on requests have the new one, and the page stays as it is. */
export function goOnWith(key: string): void {
  if (kept || session.token === null) return;
  sessionStorage.setItem(KEY, key);
  change({ token: key });
}

/** Nobody is signed in here any more. */
export function askAnew(): void {
  forget();
  change({ token: null, refused: true, ending: null, problem: null, awaited: null });
}

/** Nobody is signed in any more, here and in tabs that were duplicated of this one. @returns what there was of the provider */
export function signOut(): Kept | null {
  const was = kept;
  peers?.tell({ is: 'left' });
  askAnew();
  return was;
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useSession = (): Session => useSyncExternalStore(subscribe, () => session);
