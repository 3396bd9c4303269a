import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { packageRoot } from '../../platform/package-root.js';

/**
 * What a thread makes of its work, which takes seconds to a minute of one core.
 * @param program its file below `src/evaluation`, as it is built @throws the reason of `signal` when it aborts
 */
export function inThread<Result>(program: string, work: object, signal: AbortSignal): Promise<Result> {
  return new Promise<Result>((resolve, reject) => {
    signal.throwIfAborted();
    const thread = new Worker(join(packageRoot(), 'dist', 'src', 'evaluation', program), { workerData: work });
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
