import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { GraftError } from '../../kernel/errors.js';
import type { DocumentClaim } from './document.js';
import { OUT_OF_MEMORY, type ParseReply, type ParseRequest, type ParsedAndCut } from './parse-protocol.js';

export interface IsolatedParserOptions {
  /** Longest time for one document, in milliseconds. */
  timeoutMs?: number;
  /** How long the process waits for another document before it ends. */
  idleMs?: number;
}

/**
 * Parses and chunks documents one after another in a process of its own, which has no environment, no database and a memory limit,
 * and is killed when a document takes too long. It starts at the first document and ends when idle.
 */
export class IsolatedParser {
  private child: ChildProcess | null = null;
  private queue: Promise<unknown> = Promise.resolve();
  private idle: NodeJS.Timeout | null = null;
  private nextId = 1;
  private readonly timeoutMs: number;
  private readonly idleMs: number;

  constructor(options: IsolatedParserOptions = {}) {
    this.timeoutMs = options.timeoutMs ?? 60_000;
    this.idleMs = options.idleMs ?? 20_000;
  }

  /**
   * @param path of the file and its digest; @param signal kills the parsing
   * @throws UNSUPPORTED_MEDIA_TYPE, DOCUMENT_UNREADABLE (broken, too slow, or too hungry), PAYLOAD_TOO_LARGE, CANCELLED, STORAGE_FAILED
   */
  parse(path: string, sha256: string, claim: DocumentClaim, signal?: AbortSignal): Promise<ParsedAndCut> {
    const result = this.queue.then(() => this.parseNow({ path, sha256, claim }, signal));
    this.queue = result.catch(() => undefined);
    return result;
  }

  /** Ends the process; a document in work fails. */
  close(): void {
    if (this.idle !== null) clearTimeout(this.idle);
    this.child?.kill('SIGKILL');
    this.child = null;
  }

  private parseNow(file: Omit<ParseRequest, 'id'>, signal?: AbortSignal): Promise<ParsedAndCut> {
    if (this.idle !== null) clearTimeout(this.idle);
    const child = (this.child ??= this.start());
    const request: ParseRequest = { id: this.nextId++, ...file };
    return new Promise<ParsedAndCut>((resolve, reject) => {
      const fail = (error: GraftError) => settle(() => reject(error), true);
      const onAbort = () => fail(new GraftError('CANCELLED', 'The parsing was cancelled.'));
      const onExit = (status: number | null) =>
        fail(unreadable(status === OUT_OF_MEMORY ? 'needs too much memory to parse' : 'made the parser crash'));
      const onMessage = (reply: ParseReply) => {
        if (reply.id !== request.id) return;
        if (reply.ok) settle(() => resolve({ document: reply.document, chunks: reply.chunks }), false);
        else settle(() => reject(new GraftError(reply.code, reply.message, { hint: reply.hint })), false);
      };
      const timer = setTimeout(
        () => fail(unreadable(`took more than ${this.timeoutMs / 1000} s to parse`)),
        this.timeoutMs,
      );
      const settle = (finish: () => void, kill: boolean) => {
        clearTimeout(timer);
        child.off('message', onMessage).off('exit', onExit);
        signal?.removeEventListener('abort', onAbort);
        if (kill) this.close();
        else this.rest();
        finish();
      };
      child.on('message', onMessage).on('exit', onExit);
      signal?.addEventListener('abort', onAbort);
      if (signal?.aborted === true) return onAbort();
      child.ref();
      child.channel?.ref();
      child.send(request, (error) => {
        if (error !== null) fail(unreadable('could not be handed to the parser'));
      });
    });
  }

  private start(): ChildProcess {
    const child = fork(entry(), [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: {},
      execArgv: [],
    });
    child.on('error', () => undefined);
    child.once('exit', () => {
      if (this.child === child) this.child = null;
    });
    return child;
  }

  /** Lets the gateway exit while the process only waits, and ends it when it has waited long enough. */
  private rest(): void {
    this.child?.unref();
    this.child?.channel?.unref();
    this.idle = setTimeout(() => this.close(), this.idleMs).unref();
  }
}

/** Tests run the TypeScript sources; a process needs the compiled file. */
function entry(): string {
  const here = new URL('./parse-process.js', import.meta.url);
  return fileURLToPath(here).replace(
    /(^|[\\/])src([\\/]knowledge[\\/]parsing[\\/])/,
    (all, before: string, after: string) => (import.meta.url.endsWith('.ts') ? `${before}dist/src${after}` : all),
  );
}

const unreadable = (what: string): GraftError =>
  new GraftError('DOCUMENT_UNREADABLE', `The document ${what}.`, {
    hint: 'Save it again, or split it into smaller documents.',
  });
