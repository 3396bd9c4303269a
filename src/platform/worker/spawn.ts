import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { GraftError } from '../../kernel/errors.js';
import { oneShotAnswer, type OneShotAnswer } from '../../worker-protocol/index.js';
import { packageRoot } from '../package-root.js';
import { followStderr, type LogLines } from './stderr.js';

/** The only variables a worker gets: where programs, libraries and GPUs are. No credential of the gateway is among them. */
const PASSED =
  /^(PATH|HOME|USER|LANG|LC_.*|TZ|TMPDIR|TEMP|TMP|SystemRoot|windir|LD_LIBRARY_PATH|DYLD_.*|CUDA_.*|NVIDIA_.*|VK_.*|XDG_CACHE_HOME|XDG_RUNTIME_DIR)$/;

export const workerEnvironment = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => PASSED.test(name)));

export const workerProgram = (): string => join(packageRoot(), 'dist', 'gpu-worker', 'main.js');

/** Forks the worker's program for one task; stderr is a pipe, stdout is not used. */
export function forkWorker(program: string, task: string, argument: unknown): ChildProcess {
  return fork(program, [task, JSON.stringify(argument)], {
    serialization: 'advanced',
    env: workerEnvironment(process.env),
    // Not the gateway's own flags: two processes can't share an inspector's port.
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}

/**
 * Resolves when a process has ended and all it sent has been received, with words for the log: `exit` alone can come
 * before the last messages.
 */
export function whenGone(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      const how = signal ?? `exit code ${code}`;
      if (!child.connected) return resolve(how);
      const timer = setTimeout(() => resolve(how), 1_000);
      child.once('disconnect', () => {
        clearTimeout(timer);
        resolve(how);
      });
    });
    // A process that could not be started has no exit.
    child.once('error', (error) => child.pid === undefined && resolve(error.message));
  });
}

/**
 * Runs a task in a throw-away process and returns its output.
 * @throws the task's own error; WORKER_CRASHED when the process died or took longer than `timeoutMs`
 */
export function runOnce(
  program: string,
  task: string,
  argument: unknown,
  options: { log: LogLines; timeoutMs: number },
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = forkWorker(program, task, argument);
    const stderr = followStderr(child, options.log);
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs);
    let answer: OneShotAnswer | undefined;
    child.on('message', (message) => (answer = oneShotAnswer.safeParse(message).data));
    void whenGone(child).then((how) => {
      clearTimeout(timer);
      if (answer === undefined) {
        options.log.error({ task, how, stderr: stderr.tail() }, 'a throw-away worker process died');
        reject(new GraftError('WORKER_CRASHED', `The worker’s ${task} ended with ${how}.`));
      } else if ('code' in answer) reject(new GraftError(answer.code, answer.message));
      else resolve(answer.output);
    });
  });
}
