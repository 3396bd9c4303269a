import { useSyncExternalStore } from 'react';

/** A key of Graft or a token of the provider. It stands in this tab alone and goes with it: no cookie, so no other page can send it. */
const KEY = 'graft:token';

interface Session {
  token: string | null;
  /** Whether the gateway has refused what is sent now. */
  refused: boolean;
}

let session: Session = { token: sessionStorage.getItem(KEY), refused: false };
const listeners = new Set<() => void>();

function change(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

/** From now on every request has it. Only for a page that has asked for nothing yet: what it keeps was answered to somebody else. */
export function signIn(token: string): void {
  sessionStorage.setItem(KEY, token);
  change({ token, refused: false });
}

/** The gateway wants to know who asks, or doesn’t take who was said: the sign-in is shown. */
export function askWho(): void {
  if (!session.refused) change({ ...session, refused: true });
}

export function signOut(): void {
  sessionStorage.removeItem(KEY);
  change({ token: null, refused: true });
}

/** The page begins anew with this token, and knows nothing of whoever was here before. */
export function beginAs(token: string): void {
  sessionStorage.setItem(KEY, token);
  window.location.reload();
}

/** The page begins anew without anybody; the browser’s way back doesn’t lead to what was shown. */
export function leave(): void {
  sessionStorage.removeItem(KEY);
  window.location.replace('/');
}

/** What a request says of who sends it. */
export const authorization = (): { authorization?: string } =>
  session.token === null ? {} : { authorization: `Bearer ${session.token}` };

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useSession = (): Session => useSyncExternalStore(subscribe, () => session);
