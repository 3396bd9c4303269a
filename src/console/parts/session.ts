import { useSyncExternalStore } from 'react';

/** Where the key lies for as long as the tab is open; the Playground of the same tab reads it, too. */
const NAME = 'graft.key';

const read = (): string | null => {
  try {
    return sessionStorage.getItem(NAME);
  } catch {
    return null;
  }
};

let key = read();
/** What the gateway said when it asked for a key; null while it doesn't. */
let asked: string | null = null;
const listeners = new Set<() => void>();

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** The header that says who asks; empty without a key. */
export const authorization = (): Record<string, string> => (key === null ? {} : { authorization: `Bearer ${key}` });

/** The gateway refused a request for want of a key: the console asks for one. */
export function askForKey(why: string): void {
  if (asked !== null) return;
  asked = why;
  for (const listener of listeners) listener();
}

export const useAskedForKey = (): string | null => useSyncExternalStore(subscribe, () => asked);

/** Every page starts over, so that nothing of another caller is left in it. */
function startOver(): void {
  window.location.reload();
}

export function signIn(given: string): void {
  key = given.trim();
  try {
    sessionStorage.setItem(NAME, key);
  } catch {
    // Without storage the key would be lost by the reload; the form says so by coming back.
  }
  startOver();
}

export function signOut(): void {
  try {
    sessionStorage.removeItem(NAME);
  } catch {
    // There was none, then.
  }
  startOver();
}

export const hasKey = (): boolean => key !== null;
