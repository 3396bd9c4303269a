import { setTimeout as sleep } from 'node:timers/promises';

/** A look costs processor time that others wait for: the longer it takes, the rarer they come. */
const [FIRST_LOOK_MS, RAREST_LOOK_MS] = [10, 100];

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
  let lookMs = FIRST_LOOK_MS;
  while (performance.now() < until) {
    try {
      const answer = await ask();
      if (answer !== null && answer !== undefined && answer !== false) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await sleep(lookMs);
    lookMs = Math.min(1.3 * lookMs, RAREST_LOOK_MS);
  }
  throw new Error(`waited ${withinMs} ms in vain: ${what}`, { cause: last });
}

/** Waits until a condition holds; when it never does, the error quotes it. */
export const until = (holds: () => boolean, withinMs?: number): Promise<true> =>
  eventually<true>(holds.toString(), () => holds() || null, withinMs);
