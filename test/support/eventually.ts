import { setTimeout as sleep } from 'node:timers/promises';

/** Asks until the answer is neither null nor false nor an error, at most `withinMs` milliseconds; then fails with the last error. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | null | false> | T | null | false,
  withinMs = 30_000,
): Promise<T> {
  const until = performance.now() + withinMs;
  let last: unknown;
  while (performance.now() < until) {
    try {
      const answer = await ask();
      if (answer !== null && answer !== false) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await sleep(50);
  }
  throw new Error(`waited ${withinMs} ms in vain: ${what}`, { cause: last });
}
