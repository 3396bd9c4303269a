import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { GraftError } from '../src/kernel/errors.js';
import { runTask, TaskProcessFault, type TaskOptions } from '../src/task-process/index.js';
import {
  modelDescription,
  type AgreeInput,
  type AgreeOutput,
  type CompareInput,
  type CompareOutput,
  type ModelDescription,
  type QuantizeInput,
  type QuantizeOutput,
  type ServeProvider,
} from '../src/worker-protocol/index.js';

/** What `main.ts` does in a throw-away process, by name. A note says how much of it is done, 0..1. */
export interface ThrowAwayTasks {
  probe: { input: { gpu: boolean }; output: ServeProvider };
  inspect: { input: { path: string }; output: ModelDescription };
  quantize: { input: QuantizeInput & { threads: number }; output: QuantizeOutput; note: number };
  compare: { input: CompareInput; output: CompareOutput; note: number };
  agree: { input: AgreeInput; output: AgreeOutput; note: number };
}

export interface ChildOptions<N extends keyof ThrowAwayTasks> extends TaskOptions<ThrowAwayTasks[N]> {
  /** Largest heap of the process's JavaScript, in MiB. */
  heapMb?: number;
  /** The error when the process dies or takes too long, given how. */
  died: (how: string) => GraftError;
}

/**
 * Does work that may crash, or that native code does without pause, in a throw-away process of this program.
 * @throws the work's own error, what `died` makes of its death, the signal's reason
 */
export async function workInChild<N extends keyof ThrowAwayTasks>(
  name: N,
  input: ThrowAwayTasks[N]['input'],
  { heapMb, died, ...options }: ChildOptions<N>,
): Promise<ThrowAwayTasks[N]['output']> {
  const file = fileURLToPath(new URL('main.js', import.meta.url));
  const program = { file, argv: [name], env: process.env, heapMb, stderr: 'inherit' as const };
  return runTask<ThrowAwayTasks[N]>(program, input, options).catch((error: unknown) => {
    throw error instanceof TaskProcessFault ? died(error.how) : error;
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
  const description = await workInChild(
    'inspect',
    { path },
    {
      signal,
      // A loader that a corrupt file keeps busy for ever is ended; a slow disk reads 20 MB a second.
      timeoutMs: 60_000 + bytes / 20_000,
      // A header that claims an absurd length must not take the machine's memory.
      heapMb: 1_024,
      died: (how) => new GraftError('MODEL_FILE_INVALID', `Loading the file ended its loader (${how}).`),
    },
  );
  return modelDescription.parse(description);
}
