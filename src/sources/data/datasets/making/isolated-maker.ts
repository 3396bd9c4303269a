import { GraftError } from '../../../../kernel/errors.js';
import { compiledProgram, TaskProcess, TaskProcessFault, type TaskOptions } from '../../../../task-process/index.js';
import type { DataFile } from '../files/records.js';
import type { FileShape } from '../files/file-shape.js';
import type { ShapeHints } from '../files/sniff.js';
import type { MadeVersion, MakingOptions } from './make-version.js';
import type { MakerTask } from './maker-protocol.js';
import type { VersionRecipe } from './recipe.js';

/** Of processor time. */
const SNIFF_TIMEOUT_MS = 30_000;
/** Rows live in DuckDB; this is for what JavaScript holds. */
const HEAP_MB = 512;

/** How long a process waits for another task before it ends: an import looks at its files and makes the version in one. */
const IDLE_MS = 10_000;

/** Makes versions and looks at files in processes of their own, which have no environment, no database and no network to use. */
export class IsolatedMaker {
  /** Processes without a task; as many tasks are worked on at once as there are. */
  readonly #free: TaskProcess<MakerTask>[] = [];

  /** @throws what `makeVersion` throws; DATA_FILE_INVALID when a file makes the process crash; CANCELLED */
  async make(
    recipe: VersionRecipe,
    { folder, parent, signal, countTokens, progress }: MakingOptions,
  ): Promise<MadeVersion> {
    const names = recipe.files.map(({ file }) => file.name).join(', ') || 'The dataset';
    const reply = await this.#run(
      names,
      { kind: 'make', recipe, folder, parent, counts: countTokens !== null },
      {
        signal,
        // When progress can't be written, the run has been taken over, and the work here is over.
        onNote: ({ fraction, message }) => progress(fraction, message),
        onQuestion: async (texts) => (await countTokens?.(texts).catch(() => null)) ?? null,
      },
    );
    if (reply.kind !== 'made') throw new Error(`unexpected reply ${reply.kind}`);
    return reply.version;
  }

  /** @throws what `sniffFile` throws; DATA_FILE_INVALID when the file makes the process crash or takes too long; OVERLOADED */
  async sniff(file: DataFile, folder: string, hints: ShapeHints = {}): Promise<FileShape> {
    const reply = await this.#run(file.name, { kind: 'sniff', file, folder, hints }, { timeoutMs: SNIFF_TIMEOUT_MS });
    if (reply.kind !== 'sniffed') throw new Error(`unexpected reply ${reply.kind}`);
    return reply.shape;
  }

  /** Ends the processes that wait. */
  close(): void {
    for (const process of this.#free.splice(0)) process.close();
  }

  /** @param names of the files, for the error */
  async #run(names: string, input: MakerTask['input'], options: TaskOptions<MakerTask>): Promise<MakerTask['output']> {
    const file = compiledProgram(import.meta.url, './maker-process.js');
    const process = this.#free.pop() ?? new TaskProcess<MakerTask>({ file, heapMb: HEAP_MB }, IDLE_MS);
    try {
      return await process.run(input, options);
    } catch (error) {
      throw error instanceof TaskProcessFault ? unreadable(names, error) : error;
    } finally {
      this.#free.push(process);
    }
  }
}

function unreadable(names: string, fault: TaskProcessFault): GraftError {
  if (fault.reason === 'starved')
    return new GraftError('OVERLOADED', `This machine has too much to do to read ${names}.`, {
      hint: 'Send it again when there is less to do; nothing is wrong with the file.',
      cause: fault,
    });
  return new GraftError(
    'DATA_FILE_INVALID',
    fault.reason === 'too slow'
      ? `${names} kept the reader busy for more than ${SNIFF_TIMEOUT_MS / 1000} s: it is damaged.`
      : `${names} made the reader stop (${fault.how}): it is damaged or needs too much memory.`,
    { hint: 'Write it again, or as JSONL.', cause: fault },
  );
}
