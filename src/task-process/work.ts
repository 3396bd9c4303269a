import { GraftError } from '../kernel/errors.js';
import { OUT_OF_MEMORY, type ChildMessage, type ParentMessage, type Task } from './messages.js';

/** The parent of the process, as its task sees it. */
export interface Parent<T extends Task> {
  /** Resolves when the note is on its way. */
  tell(note: T['note']): Promise<void>;
  ask(question: T['question']): Promise<T['answer']>;
}

const WATCH_MS = 100;

/**
 * The body of a program that `TaskProcess` starts: does each task that it is sent, and ends when its parent is gone.
 * @param rssMb most memory in all, in MiB: what lies outside JavaScript's heap counts too
 */
export function workOn<T extends Task>(
  work: (input: T['input'], parent: Parent<T>) => Promise<T['output']>,
  { rssMb }: { rssMb?: number } = {},
): void {
  const waiting = new Map<number, (answer: T['answer']) => void>();
  let nextId = 1;
  const parent: Parent<T> = {
    tell: (note) => send({ kind: 'note', note }),
    async ask(question) {
      const id = nextId++;
      const answer = new Promise<T['answer']>((resolve) => waiting.set(id, resolve));
      await send({ kind: 'question', id, question });
      return answer;
    },
  };
  process.on('message', (message: ParentMessage<T>) => {
    if (message.kind === 'task')
      return void send({ kind: 'begun' })
        .then(() => work(message.input, parent))
        .then(
          (output) => send({ kind: 'done', output }),
          (error: unknown) => send(failure(error)),
        );
    waiting.get(message.id)?.(message.answer);
    waiting.delete(message.id);
  });
  process.on('disconnect', () => process.exit(0));
  if (rssMb !== undefined)
    setInterval(() => {
      if (process.memoryUsage.rss() > rssMb * 1024 * 1024) process.exit(OUT_OF_MEMORY);
    }, WATCH_MS);
}

const send = (message: ChildMessage): Promise<void> =>
  new Promise((resolve) => {
    if (process.send === undefined) throw new Error('This program is started by Graft, not by hand.');
    process.send(message, undefined, {}, () => resolve());
  });

function failure(error: unknown): ChildMessage {
  const stackOf = (value: unknown) => (value instanceof Error ? (value.stack ?? value.message) : String(value));
  if (!(error instanceof GraftError))
    return { kind: 'failed', code: null, message: 'Something unexpected happened.', detail: stackOf(error) };
  const { code, message, hint, field } = error;
  return { kind: 'failed', code, message, hint, field, detail: stackOf(error.cause ?? error) };
}
