import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { GraftError } from '../src/kernel/errors.js';
import { runTask, TaskProcessFault, type TaskOptions } from '../src/task-process/index.js';
import {
  chatForm,
  fileDescription,
  type AgreeInput,
  type AgreeOutput,
  type ChatForm,
  type ChatSource,
  type CompareInput,
  type CompareOutput,
  type FileDescription,
  type ModelDescription,
  type QuantizeInput,
  type QuantizeOutput,
  type ServeProvider,
} from '../src/worker-protocol/index.js';

/** To a larger file only where `mayGrow` says so: somebody who asks for a smaller one has chosen the wrong type. */
export type QuantizeJob = QuantizeInput & { threads: number; mayGrow?: boolean };

/** What `main.ts` does in a throw-away process, by name. A note says how much of it is done, 0..1. */
export interface ThrowAwayTasks {
  probe: { input: null; output: ServeProvider };
  inspect: { input: { path: string }; output: FileDescription };
  chat: { input: ChatSource; output: ChatForm };
  quantize: { input: QuantizeJob; output: QuantizeOutput; note: number };
  compare: { input: CompareInput; output: CompareOutput; note: number };
  agree: { input: AgreeInput; output: AgreeOutput; note: number };
}

interface ChildOptions<N extends keyof ThrowAwayTasks> extends TaskOptions<ThrowAwayTasks[N]> {
  /** Largest heap of the process's JavaScript, in MiB. */
  heapMb?: number;
  /** The error when the process dies or takes too long, given how, and why as far as that is known. */
  died: (how: string, reason: TaskProcessFault['reason']) => GraftError;
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
  return runTask<ThrowAwayTasks[N]>(program(name, heapMb), input, options).catch((error: unknown) => {
    throw error instanceof TaskProcessFault ? died(error.how, error.reason) : error;
  });
}

/**
 * Inspects a model file and runs its chat template, each in a throw-away process.
 * @throws MODEL_FILE_INVALID (also when the process dies of the file), MODEL_UNSUPPORTED, WORKER_CRASHED and DEADLINE_EXCEEDED where the machine
 *   may be at fault as well, the signal's reason
 */
export async function inspectInChild(path: string, signal: AbortSignal): Promise<ModelDescription> {
  const bytes = await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
  const inspected = await workInChild(
    'inspect',
    { path },
    {
      signal,
      // A loader that a corrupt file keeps busy for ever is ended; a slow disk reads 20 MB a second.
      timeoutMs: 60_000 + bytes / 20_000,
      // A header that claims an absurd length must not take the machine's memory.
      heapMb: 1_024,
      died: loaderDied,
    },
  );
  const description = fileDescription.parse(inspected);
  const { chatTemplate: template, bosToken, eosToken } = description;
  const chat = await readChatInChild({ template, bosToken, eosToken }, signal);
  if (chat.kind === 'unusable')
    throw new GraftError('MODEL_UNSUPPORTED', `The model’s chat template can’t be used: ${chat.reason}.`, {
      hint: 'Use a file of the model with its maker’s own chat template, or one without any.',
    });
  return { ...description, chat };
}

/** Of memory that ran out, of a SIGKILL, which the system sends then, and of a busy machine the file needn't be the reason. */
function loaderDied(ending: string, reason: TaskProcessFault['reason']): GraftError {
  if (reason === 'starved')
    return new GraftError('DEADLINE_EXCEEDED', 'The machine was too busy to load the file in time.');
  if (reason === 'out of memory' || ending === 'SIGKILL')
    return new GraftError('WORKER_CRASHED', `The file’s loader was ended (${ending}), as where memory runs out.`, {
      hint: 'Register it again when more memory is free.',
    });
  return new GraftError('MODEL_FILE_INVALID', `Loading the file ended its loader (${ending}).`);
}

/** Real templates take a tenth of a second and 20 MiB. */
const TEMPLATE_MS = 5_000;
const TEMPLATE_HEAP_MB = 192;

/**
 * What a chat template writes around messages. A template that takes too long or too much memory is `unusable`, as one that fails.
 * @throws the signal's reason
 */
export async function readChatInChild(source: ChatSource, signal: AbortSignal): Promise<ChatForm> {
  try {
    return chatForm.parse(
      await runTask<ThrowAwayTasks['chat']>(program('chat', TEMPLATE_HEAP_MB), source, {
        signal,
        timeoutMs: TEMPLATE_MS,
      }),
    );
  } catch (error) {
    if (!(error instanceof TaskProcessFault)) throw error;
    if (error.reason === 'starved')
      throw new GraftError('DEADLINE_EXCEEDED', 'The machine was too busy to look at the model’s chat template.');
    const limits = `${TEMPLATE_MS / 1000} s or ${TEMPLATE_HEAP_MB} MiB`;
    return { kind: 'unusable', reason: `writing a few messages takes it more than ${limits}` };
  }
}

const program = (name: keyof ThrowAwayTasks, heapMb?: number) => ({
  file: fileURLToPath(new URL('main.js', import.meta.url)),
  argv: [name],
  env: process.env,
  heapMb,
  stderr: 'inherit' as const,
});
