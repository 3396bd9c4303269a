import { fork } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { GraftError } from '../src/kernel/errors.js';
import {
  modelDescription,
  oneShotAnswer,
  type ModelDescription,
  type OneShotAnswer,
} from '../src/worker-protocol/index.js';
import { errorFields, log } from './log.js';

/** The body of a throw-away process: does the work, tells its parent, exits. */
export async function answerOnce(work: () => Promise<unknown>): Promise<void> {
  let answer: OneShotAnswer;
  try {
    answer = { output: await work() };
  } catch (error) {
    const known = error instanceof GraftError;
    if (known) log('debug', error.message, error.cause === undefined ? {} : errorFields(error.cause));
    else log('error', 'a throw-away process failed', errorFields(error));
    answer = known
      ? { code: error.code, message: error.message }
      : { code: 'INTERNAL_ERROR', message: 'The worker failed in an unexpected way; its log has the details.' };
  }
  process.send?.(answer, undefined, undefined, () => process.exit(0));
}

/**
 * Inspects a model file in a throw-away process.
 * @throws MODEL_FILE_INVALID (also when the process dies of the file), MODEL_UNSUPPORTED, the signal's reason
 */
export async function inspectInChild(path: string, signal: AbortSignal): Promise<ModelDescription> {
  const bytes = await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('main.js', import.meta.url)), ['inspect', JSON.stringify({ path })], {
      serialization: 'advanced',
      // A header that claims an absurd length must not take the machine's memory.
      execArgv: ['--max-old-space-size=1024'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const stop = (): void => void child.kill('SIGKILL');
    signal.addEventListener('abort', stop, { once: true });
    // A loader that a corrupt file keeps busy for ever is ended; a slow disk reads 20 MB a second.
    const timer = setTimeout(stop, 60_000 + bytes / 20_000);
    let answer: OneShotAnswer | undefined;
    let ended = '';
    child.on('message', (message) => (answer = oneShotAnswer.parse(message)));
    child.on('error', reject);
    child.on('exit', (code, killedBy) => (ended = killedBy ?? `exit ${code}`));
    // The channel closes after the last message was received, also when the process was killed.
    child.on('disconnect', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      if (signal.aborted) return reject(signal.reason as Error);
      if (answer === undefined)
        return reject(new GraftError('MODEL_FILE_INVALID', `Loading the file ended its loader (${ended || 'crash'}).`));
      if ('code' in answer) return reject(new GraftError(answer.code, answer.message));
      resolve(modelDescription.parse(answer.output));
    });
  });
}
