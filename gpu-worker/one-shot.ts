import { fork } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { GraftError } from '../src/kernel/errors.js';
import {
  modelDescription,
  oneShotMessage,
  type ModelDescription,
  type OneShotAnswer,
} from '../src/worker-protocol/index.js';
import { errorFields, log } from './log.js';

/** The body of a throw-away process: does the work, tells its parent, exits. */
export async function answerOnce(work: (onFraction: (fraction: number) => void) => Promise<unknown>): Promise<void> {
  let answer: OneShotAnswer;
  try {
    answer = { output: await work((fraction) => void process.send?.({ fraction })) };
  } catch (error) {
    const known = error instanceof GraftError;
    if (known) log('debug', error.message, error.cause === undefined ? {} : errorFields(error.cause));
    else log('error', 'a throw-away process failed', errorFields(error));
    answer = known
      ? { code: error.code, message: error.message, field: error.field, hint: error.hint }
      : { code: 'INTERNAL_ERROR', message: 'The worker failed in an unexpected way; its log has the details.' };
  }
  process.send?.(answer, undefined, undefined, () => process.exit(0));
}

export interface ChildWork {
  /** As `main.ts` knows it. */
  task: string;
  argument: unknown;
  signal: AbortSignal;
  /** After which the process is ended; null: as long as it takes. */
  timeoutMs: number | null;
  /** Largest heap of the process’s JavaScript, in MiB. */
  heapMiB?: number;
  onFraction?: (fraction: number) => void;
  /** The error when the process dies, given how. */
  died: (how: string) => GraftError;
}

/**
 * Does work that may crash, or that native code does without pause, in a throw-away process of this program.
 * @throws the work’s own error, what `died` makes of its death, the signal's reason
 */
export function workInChild({
  task,
  argument,
  signal,
  timeoutMs,
  heapMiB,
  onFraction,
  died,
}: ChildWork): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('main.js', import.meta.url)), [task, JSON.stringify(argument)], {
      serialization: 'advanced',
      execArgv: heapMiB === undefined ? [] : [`--max-old-space-size=${heapMiB}`],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const stop = (): void => void child.kill('SIGKILL');
    signal.addEventListener('abort', stop, { once: true });
    const timer = timeoutMs === null ? undefined : setTimeout(stop, timeoutMs);
    let answer: OneShotAnswer | undefined;
    let ended = '';
    child.on('message', (value) => {
      const message = oneShotMessage.parse(value);
      if ('fraction' in message) onFraction?.(message.fraction);
      else answer = message;
    });
    child.on('error', reject);
    child.on('exit', (code, killedBy) => (ended = killedBy ?? `exit ${code}`));
    // The channel closes after the last message was received, also when the process was killed.
    child.on('disconnect', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      if (signal.aborted) return reject(signal.reason as Error);
      if (answer === undefined) return reject(died(ended || 'crash'));
      if ('code' in answer) {
        const { code, message, field, hint } = answer;
        return reject(new GraftError(code, message, { field, hint }));
      }
      resolve(answer.output);
    });
  });
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
  const output = await workInChild({
    task: 'inspect',
    argument: { path },
    signal,
    // A loader that a corrupt file keeps busy for ever is ended; a slow disk reads 20 MB a second.
    timeoutMs: 60_000 + bytes / 20_000,
    // A header that claims an absurd length must not take the machine's memory.
    heapMiB: 1_024,
    died: (how) => new GraftError('MODEL_FILE_INVALID', `Loading the file ended its loader (${how}).`),
  });
  return modelDescription.parse(output);
}
