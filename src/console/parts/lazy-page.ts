import { lazy, type ComponentType } from 'react';

const KEY = 'graft:reloaded-for';
/** Who is asked whether to leave an upload may stay. */
const RELOADED_WITHIN_MS = 10_000;

/**
 * A page whose code is loaded when it is opened. After an upgrade an open tab asks for code that no longer exists: the tab
 * reloads once for it, and the page stays pending until it is gone; should that not help, the error shows instead of a loop.
 */
export function lazyPage(load: () => Promise<{ default: ComponentType }>) {
  return lazy(async () =>
    load().catch((error: Error) => {
      const message = String(error);
      if (sessionStorage.getItem(KEY) === message) throw error;
      sessionStorage.setItem(KEY, message);
      window.location.reload();
      return new Promise<never>((_, reject) => setTimeout(() => reject(error), RELOADED_WITHIN_MS));
    }),
  );
}
