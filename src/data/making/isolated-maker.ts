import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { GraftError } from '../../kernel/errors.js';
import type { DataFile } from '../importing/records.js';
import type { FileShape, ShapeHints } from '../importing/sniff.js';
import type { TokenCounter } from '../validation/rule.js';
import type { MadeVersion, MakingOptions } from './make-version.js';
import type { MakerMessage, MakerReply, MakerTask } from './maker-protocol.js';
import type { Recipe } from './recipe.js';

const SNIFF_TIMEOUT_MS = 30_000;
/** Rows live in DuckDB; this is for what JavaScript holds. */
const HEAP_MB = 512;

interface Handlers {
  signal?: AbortSignal;
  countTokens?: TokenCounter | null;
  progress?: (fraction: number, message: string) => Promise<void>;
}

/** Makes versions and looks at files in a process of its own each time, which has no environment, no database and no network to use. */
export class IsolatedMaker {
  /** @throws what `makeVersion` throws; DATA_FILE_INVALID when a file makes the process crash; CANCELLED */
  async make(recipe: Recipe, { folder, parent, ...handlers }: MakingOptions): Promise<MadeVersion> {
    const task: MakerTask = { kind: 'make', recipe, folder, parent, counts: handlers.countTokens !== null };
    const reply = await run(task, handlers);
    if (reply.kind !== 'made') throw new Error(`unexpected reply ${reply.kind}`);
    return reply.version;
  }

  /** @throws what `sniffFile` throws; DATA_FILE_INVALID when the file makes the process crash or takes too long */
  async sniff(file: DataFile, folder: string, hints: ShapeHints = {}): Promise<FileShape> {
    const reply = await run({ kind: 'sniff', file, folder, hints }, { signal: AbortSignal.timeout(SNIFF_TIMEOUT_MS) });
    if (reply.kind !== 'sniffed') throw new Error(`unexpected reply ${reply.kind}`);
    return reply.shape;
  }
}

type Result = Extract<MakerReply, { kind: 'made' | 'sniffed' }>;

function run(task: MakerTask, { signal, countTokens, progress }: Handlers): Promise<Result> {
  const child = fork(entry(), [], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: {},
    execArgv: [`--max-old-space-size=${HEAP_MB}`],
  });
  return new Promise<Result>((resolve, reject) => {
    let settled = false;
    const settle = (finish: () => void) => {
      if (settled) return;
      settled = true;
      signal?.removeEventListener('abort', onAbort);
      child.kill('SIGKILL');
      finish();
    };
    const onAbort = () => settle(() => reject(new GraftError('CANCELLED', 'The work on the file was stopped.')));
    child.on('error', (error) => settle(() => reject(error)));
    // Progress is written one after the other. When that fails, the run has been taken over, and the work here is over.
    let written = Promise.resolve();
    const write = ({ fraction, message }: Extract<MakerReply, { kind: 'progress' }>) => {
      written = written
        .then(() => (settled ? undefined : progress?.(fraction, message)))
        .catch((error: Error) => settle(() => reject(error)));
    };
    child.on('message', (reply: MakerReply) => {
      if (reply.kind === 'progress') write(reply);
      else if (reply.kind === 'count') void answerCount(child, reply, countTokens ?? null);
      else if (reply.kind === 'failed') settle(() => reject(failure(reply)));
      else void written.then(() => settle(() => resolve(reply)));
    });
    child.on('exit', (code, by) => void written.then(() => settle(() => reject(crashed(task, code, by)))));
    if (signal?.aborted) return onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    child.send({ kind: 'task', task } satisfies MakerMessage, (error) => {
      if (error) settle(() => reject(error));
    });
  });
}

async function answerCount(
  child: ChildProcess,
  { id, texts }: Extract<MakerReply, { kind: 'count' }>,
  countTokens: TokenCounter | null,
): Promise<void> {
  const counts = (await countTokens?.(texts).catch(() => null)) ?? null;
  if (child.connected) child.send({ kind: 'counted', id, counts } satisfies MakerMessage);
}

function failure(reply: Extract<MakerReply, { kind: 'failed' }>): Error {
  const { code, message, hint, field, detail } = reply;
  return code === 'INTERNAL_ERROR' ? new Error(detail) : new GraftError(code, message, { hint, field, cause: detail });
}

function crashed(task: MakerTask, code: number | null, by: string | null): GraftError {
  const names =
    task.kind === 'sniff' ? task.file.name : task.recipe.files.map((f) => f.file.name).join(', ') || 'The dataset';
  return new GraftError(
    'DATA_FILE_INVALID',
    `${names} made the reader stop (${by ?? `exit ${code}`}): it is damaged or needs too much memory.`,
    {
      hint: 'Write it again, or as JSONL.',
    },
  );
}

/** Tests run the TypeScript sources; a process needs the compiled file. */
function entry(): string {
  const here = fileURLToPath(new URL('./maker-process.js', import.meta.url));
  if (!import.meta.url.endsWith('.ts')) return here;
  return here.replace(
    /(^|[\\/])src([\\/]data[\\/]making[\\/])/,
    (_all, before: string, after: string) => `${before}dist/src${after}`,
  );
}
