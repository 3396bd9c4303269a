import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { GraftError } from '../../kernel/errors.js';
import { runTask, TaskProcessFault } from '../../task-process/index.js';
import { packageRoot } from '../package-root.js';
import { followStderr, type LogLines } from './stderr.js';

/** The only variables a worker gets: where programs, libraries and GPUs are. No credential of the gateway is among them. */
const PASSED =
  /^(PATH|HOME|USER|LANG|LC_.*|TZ|TMPDIR|TEMP|TMP|SystemRoot|windir|LD_LIBRARY_PATH|DYLD_.*|CUDA_.*|NVIDIA_.*|VK_.*|XDG_CACHE_HOME|XDG_RUNTIME_DIR)$/;

/** Unless told not to, ONNX Runtime keeps a number of this machine and sends reports to its maker. */
export const workerEnvironment = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(env).filter(([name]) => PASSED.test(name))),
  ORT_DISABLE_TELEMETRY: '1',
});

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
 * Runs a task of the worker's program in a throw-away process and returns its output.
 * @throws the task's own error; WORKER_CRASHED when the process died or took longer than `timeoutMs`
 */
export async function runOnce(
  program: string,
  task: string,
  input: unknown,
  { log, timeoutMs }: { log: LogLines; timeoutMs: number },
): Promise<unknown> {
  let stderr: ReturnType<typeof followStderr> | undefined;
  const follow = (child: ChildProcess) => (stderr = followStderr(child, log));
  const env = workerEnvironment(process.env);
  // By the clock: a driver that hangs uses no processor.
  const limits = { timeoutMs, lastsMs: timeoutMs };
  return runTask({ file: program, argv: [task], env, stderr: follow }, input, limits).catch((error: unknown) => {
    if (!(error instanceof TaskProcessFault)) throw error;
    log.error({ task, how: error.how, stderr: stderr?.tail() }, 'a throw-away worker process died');
    throw new GraftError('WORKER_CRASHED', `The worker’s ${task} ended with ${error.how}.`, { cause: error });
  });
}
