import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning } from './process-identity.js';

/** A process that Graft started, told apart from a later one with the same id. */
export interface ProcessRef {
  pid: number;
  identity: string;
}

/** A signal and how many milliseconds to wait for the end before the next one. */
export type StopStep = readonly [signal: NodeJS.Signals, waitMs: number];

const POLL_MS = 20;

/** Sends the signals one after another until the process is gone; returns whether it is. */
export async function stopProcess({ pid, identity }: ProcessRef, steps: readonly StopStep[]): Promise<boolean> {
  for (const [signal, waitMs] of steps) {
    if (!isRunning(pid, identity)) return true;
    try {
      process.kill(pid, signal);
    } catch {
      // It ended between the two lines.
    }
    const until = performance.now() + waitMs;
    while (performance.now() < until) {
      if (!isRunning(pid, identity)) return true;
      await sleep(POLL_MS);
    }
  }
  return !isRunning(pid, identity);
}
