import { useSyncExternalStore } from 'react';

/** Whether the gateway answers; every stream reports here, and the shell says it. */
let lost = false;
const listeners = new Set<() => void>();

export function reportConnection(answers: boolean): void {
  if (lost === !answers) return;
  lost = !answers;
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useConnectionLost = (): boolean => useSyncExternalStore(subscribe, () => lost);
