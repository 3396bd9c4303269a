import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 25;

/**
 * Asks until the answer is something: neither null, undefined nor false, nor an error. The one way to wait in tests.
 * @throws after `withinMs` milliseconds, with the last error as cause
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  withinMs = 30_000,
): Promise<T> {
  const until = performance.now() + withinMs;
  let last: unknown;
  while (performance.now() < until) {
    try {
      const answer = await ask();
      if (answer !== null && answer !== undefined && answer !== false) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await sleep(LOOK_MS);
  }
  throw new Error(`waited ${withinMs} ms in vain: ${what}`, { cause: last });
}

/** Waits until a condition holds; when it never does, the error quotes it. */
export const until = (holds: () => boolean, withinMs?: number): Promise<true> =>
  eventually<true>(holds.toString(), () => holds() || null, withinMs);
