import type { ChildProcess } from 'node:child_process';

/** How a process ended. */
export interface Ending {
  /** null when a signal ended it, or it never began. */
  status: number | null;
  /** In words for the log: `SIGSEGV`, `exit code 1`. */
  how: string;
}

/** Resolves when a process has ended and all it sent has been received: `exit` alone can come before the last messages. */
export function whenGone(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    child.once('exit', (status, signal) => {
      const ending = { status, how: signal ?? `exit code ${status}` };
      if (!child.connected) return resolve(ending);
      const timer = setTimeout(() => resolve(ending), 1_000);
      child.once('disconnect', () => {
        clearTimeout(timer);
        resolve(ending);
      });
    });
    // A process that could not be started has no exit.
    child.once('error', (error) => child.pid === undefined && resolve({ status: null, how: error.message }));
  });
}
