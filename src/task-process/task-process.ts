import { fork, type ChildProcess } from 'node:child_process';
import { GraftError } from '../kernel/errors.js';
import { childMessage, OUT_OF_MEMORY, type ChildMessage, type ParentMessage, type Task } from './messages.js';
import { limitTime } from './time-limit.js';
import { whenGone, type Ending } from './when-gone.js';

/** How the process is started. It inherits nothing but what stands here. */
interface TaskProgram {
  /** Its compiled file: see `compiledProgram`. */
  file: string;
  argv?: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** Most memory of JavaScript's heap, in MiB. */
  heapMb?: number;
  /** Where its stderr goes: nowhere by default, to the parent's own, or to whoever takes it. */
  stderr?: 'ignore' | 'inherit' | ((child: ChildProcess) => void);
}

/** What the parent does while a task is worked on. */
export interface TaskOptions<T extends Task> {
  /** Kills the process. */
  signal?: AbortSignal;
  /** How long the process may work, in ms of processor time: see `limitTime`. */
  timeoutMs?: number;
  /** How long it may last by the clock, however little it works; four times `timeoutMs` and a minute by default. */
  lastsMs?: number;
  /** Called for one note after the other; when it fails, so does the task. */
  onNote?: (note: T['note']) => Promise<void>;
  onQuestion?: (question: T['question']) => Promise<T['answer']>;
}

/** Why a task has no result, though its program gave no reason. */
export class TaskProcessFault extends Error {
  override readonly name = 'TaskProcessFault';

  constructor(
    readonly reason: 'died' | 'too slow' | 'starved' | 'out of memory',
    /** In words for the log, e.g. `SIGSEGV`. */
    readonly how: string,
  ) {
    super(`The process of the task ended: ${reason} (${how}).`);
  }
}

/**
 * Does tasks in a process of its own, one after the other: untrusted files and native code can then neither crash the
 * parent nor take its memory, time or credentials. The process starts with the first task. It is killed when a task is
 * aborted or takes too long, and when no other comes for `idleMs`.
 */
export class TaskProcess<T extends Task> {
  private started: Started | null = null;
  private queue: Promise<unknown> = Promise.resolve();
  private idle: NodeJS.Timeout | undefined;

  constructor(
    private readonly program: TaskProgram,
    private readonly idleMs = 0,
  ) {}

  /**
   * @throws what the program threw as a GraftError, or an Error with its stack; TaskProcessFault when the process ended
   * without a word; the reason of `signal`, or CANCELLED; what `onNote` throws
   */
  run(input: T['input'], options: TaskOptions<T> = {}): Promise<T['output']> {
    const result = this.queue.then(() => this.runNow(input, options));
    this.queue = result.catch(() => undefined);
    return result;
  }

  /** Ends the process; a task in work fails. */
  close(): void {
    clearTimeout(this.idle);
    this.started?.child.kill('SIGKILL');
    this.started = null;
  }

  private async runNow(input: T['input'], options: TaskOptions<T>): Promise<T['output']> {
    const kept = this.started;
    try {
      return await this.runOnce(input, options);
    } catch (error) {
      // A process that waits can be killed, e.g. for want of memory. A task that it didn't take up is not to blame.
      const blameless = error instanceof TaskProcessFault && error.reason === 'died' && kept?.begun === false;
      if (!blameless) throw error;
      return this.runOnce(input, options);
    }
  }

  private async runOnce(input: T['input'], options: TaskOptions<T>): Promise<T['output']> {
    const { signal, timeoutMs, lastsMs } = options;
    if (signal?.aborted) throw reasonOf(signal);
    clearTimeout(this.idle);
    const started = (this.started ??= this.start());
    started.child.ref();
    started.child.channel?.ref();
    let unlimit: (() => void) | undefined;
    let onAbort: (() => void) | undefined;
    try {
      const stopped = new Promise<never>((_, reject) => {
        onAbort = () => reject(reasonOf(signal!));
        signal?.addEventListener('abort', onAbort);
        if (timeoutMs !== undefined)
          unlimit = limitTime(started.child.pid ?? 0, { limitMs: timeoutMs, lastsMs }, (reason) =>
            reject(new TaskProcessFault(reason, `${timeoutMs} ms`)),
          );
      });
      const output = await Promise.race([converse<T>(started, input, options), stopped]);
      this.rest();
      return output;
    } catch (error) {
      // A program that gave its reason can go on with the next task.
      if (error instanceof ReportedFault) this.rest();
      else this.close();
      throw error instanceof ReportedFault ? error.cause : error;
    } finally {
      unlimit?.();
      if (onAbort) signal?.removeEventListener('abort', onAbort);
    }
  }

  private start(): Started {
    const { file, argv = [], env = {}, heapMb, stderr = 'ignore' } = this.program;
    const child = fork(file, argv, {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', typeof stderr === 'function' ? 'pipe' : stderr, 'ipc'],
      env,
      // Not the parent's own flags: two processes can't share an inspector's port.
      execArgv: heapMb === undefined ? [] : [`--max-old-space-size=${heapMb}`],
    });
    if (typeof stderr === 'function') stderr(child);
    child.on('error', () => undefined);
    const started: Started = { child, begun: false };
    void whenGone(child).then((ending) => {
      if (this.started === started) this.started = null;
      started.onGone?.(ending);
    });
    return started;
  }

  /** Lets the parent exit while the process only waits, and ends it when it has waited long enough. */
  private rest(): void {
    if (this.idleMs === 0) return this.close();
    this.started?.child.unref();
    this.started?.child.channel?.unref();
    this.idle = setTimeout(() => this.close(), this.idleMs).unref();
  }
}

/** Does one task in a process that ends with it. @throws what `TaskProcess.run` throws */
export const runTask = <T extends Task>(
  program: TaskProgram,
  input: T['input'],
  options: TaskOptions<T> = {},
): Promise<T['output']> => new TaskProcess<T>(program).run(input, options);

interface Started {
  child: ChildProcess;
  /** Whether the process has taken up the task that it was sent last. */
  begun: boolean;
  /** Hears of the end while a task is in work. */
  onGone?: (ending: Ending) => void;
}

/** What the program itself said went wrong, as `cause`. */
class ReportedFault extends Error {}

/** One task from its first message to its last, or to the end of the process. */
function converse<T extends Task>(
  started: Started,
  input: T['input'],
  { onNote, onQuestion }: TaskOptions<T>,
): Promise<T['output']> {
  const { child } = started;
  started.begun = false;
  return new Promise((resolve, reject) => {
    // Notes are heard one after the other, and all of them before the end.
    let noteQueue = Promise.resolve();
    const end = (finish: () => void) => {
      child.off('message', onMessage);
      started.onGone = undefined;
      void noteQueue.then(finish, reject);
    };
    const onMessage = (value: unknown) => {
      const { data: message } = childMessage.safeParse(value);
      if (message === undefined) return;
      switch (message.kind) {
        case 'begun':
          started.begun = true;
          return;
        case 'note':
          noteQueue = noteQueue.then(() => onNote?.(message.note as T['note']));
          return noteQueue.catch(reject);
        case 'question':
          return void reply(child, message, onQuestion).catch(reject);
        case 'done':
          return end(() => resolve(message.output));
        case 'failed':
          return end(() => reject(new ReportedFault(message.message, { cause: faultOf(message) })));
      }
    };
    child.on('message', onMessage);
    started.onGone = (ending) => end(() => reject(ended(ending)));
    // What can't be sent has a process that ended, or does now: how it ended is the reason.
    child.send({ kind: 'task', input } satisfies ParentMessage<T>, (error) => error && child.kill('SIGKILL'));
  });
}

async function reply<T extends Task>(
  child: ChildProcess,
  { id, question }: Extract<ChildMessage, { kind: 'question' }>,
  onQuestion: TaskOptions<T>['onQuestion'],
): Promise<void> {
  const answer = await onQuestion?.(question);
  if (child.connected) child.send({ kind: 'answer', id, answer } satisfies ParentMessage<T>);
}

function faultOf({ code, message, hint, field, detail }: Extract<ChildMessage, { kind: 'failed' }>): Error {
  return code === null ? new Error(detail) : new GraftError(code, message, { hint, field, cause: detail });
}

const ended = ({ status, how }: Ending): TaskProcessFault =>
  new TaskProcessFault(status === OUT_OF_MEMORY ? 'out of memory' : 'died', how);

const reasonOf = ({ reason }: AbortSignal): GraftError =>
  reason instanceof GraftError ? reason : new GraftError('CANCELLED', 'The work was stopped.', { cause: reason });
