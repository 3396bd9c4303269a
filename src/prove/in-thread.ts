import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { packageRoot } from '../platform/package-root.js';

/**
 * Runs a program of this folder in a thread of its own, which leaves the gateway's to requests: fitting takes seconds of one core.
 * @param program its path in this folder, without extension: it reads `workerData` and posts one message
 * @returns that message @throws the signal's reason, and what the program throws
 */
export function inThread<T>(program: string, workerData: unknown, signal: AbortSignal): Promise<T> {
  const file = join(packageRoot(), 'dist', 'src', 'prove', `${program}.js`);
  return new Promise<T>((resolve, reject) => {
    signal.throwIfAborted();
    const thread = new Worker(file, { workerData });
    const stop = (): void => {
      void thread.terminate();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', stop, { once: true });
    thread.once('message', resolve);
    thread.once('error', reject);
    thread.once('exit', () => {
      signal.removeEventListener('abort', stop);
      reject(new Error('the thread that fits ended without a result'));
    });
  });
}
