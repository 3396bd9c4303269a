import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 1_000;

/** What `look` finds, as soon as it finds something. @returns null when that takes longer than `ms` */
export async function pollUntil<T>(ms: number, look: () => Promise<T | null>): Promise<T | null> {
  for (const end = Date.now() + ms; ;) {
    const result = await look();
    if (result !== null || Date.now() >= end) return result;
    await sleep(LOOK_MS);
  }
}
