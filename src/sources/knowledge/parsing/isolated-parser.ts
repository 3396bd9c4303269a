import { GraftError } from '../../../kernel/errors.js';
import { compiledProgram, TaskProcess, TaskProcessFault } from '../../../task-process/index.js';
import type { DocumentClaim } from './document.js';
import type { EmbedderReader, ParsedAndCut, ParseTask } from './parse-protocol.js';

interface IsolatedParserOptions {
  /** Longest time for one document, in milliseconds of processor time. */
  timeoutMs?: number;
  /** How long the process waits for another document before it ends. */
  idleMs?: number;
}

/**
 * Parses and chunks documents one after another in a process of its own, which has no environment, no database and a memory limit,
 * and is killed when a document takes too long. It starts at the first document and ends when idle.
 */
export class IsolatedParser {
  private readonly process: TaskProcess<ParseTask>;
  private readonly timeoutMs: number;

  constructor({ timeoutMs = 60_000, idleMs = 20_000 }: IsolatedParserOptions = {}) {
    this.timeoutMs = timeoutMs;
    const file = compiledProgram(import.meta.url, './parse-process.js');
    this.process = new TaskProcess<ParseTask>({ file }, idleMs);
  }

  /**
   * @param path of the file and its digest; @param reader what embeds the chunks, see `chunkDocument`; @param signal kills the parsing
   * @throws UNSUPPORTED_MEDIA_TYPE, DOCUMENT_UNREADABLE (broken, too slow, or too hungry), OVERLOADED, PAYLOAD_TOO_LARGE,
   * CANCELLED, STORAGE_FAILED
   */
  async parse(
    path: string,
    sha256: string,
    claim: DocumentClaim,
    { reader = null, signal }: { reader?: EmbedderReader | null; signal?: AbortSignal } = {},
  ): Promise<ParsedAndCut> {
    const { timeoutMs } = this;
    return this.process.run({ path, sha256, claim, reader }, { signal, timeoutMs }).catch((error: unknown) => {
      throw error instanceof TaskProcessFault ? this.unreadable(error) : error;
    });
  }

  /** Ends the process; a document in work fails. */
  close(): void {
    this.process.close();
  }

  private unreadable(fault: TaskProcessFault): GraftError {
    if (fault.reason === 'starved')
      return new GraftError('OVERLOADED', 'This machine has too much to do to parse the document.', {
        hint: 'Send it again when there is less to do; nothing is wrong with the document.',
        cause: fault,
      });
    const problem = {
      'too slow': `took more than ${this.timeoutMs / 1000} s to parse`,
      'out of memory': 'needs too much memory to parse',
      died: 'made the parser crash',
    }[fault.reason];
    return new GraftError('DOCUMENT_UNREADABLE', `The document ${problem}.`, {
      hint: 'Save it again, or split it into smaller documents.',
      cause: fault,
    });
  }
}
