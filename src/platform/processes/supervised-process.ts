import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync, renameSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { GraftError } from '../../kernel/errors.js';
import type { Logger } from '../telemetry/index.js';
import type { Keeper } from './keeper-client.js';
import { forgetChild, recordChild } from './leftovers.js';
import { processIdentity } from './process-identity.js';
import { stopProcess, type ProcessRef, type StopStep } from './stop-process.js';

interface ServiceSpec {
  name: 'postgres' | 'chroma';
  home: string;
  logFile: string;
  /** From first to last resort; also what the keeper does. */
  stop: readonly StopStep[];
  /** Clears what an earlier process left; runs before every start. */
  prepare(): Promise<void>;
  /** Starts the program with its output going to the file descriptor. */
  spawn(output: number): ChildProcess;
  /** Resolves to whether the server answers; called again and again until it does. */
  answers(): Promise<boolean>;
  /** How long a start may take, in milliseconds. */
  readyWithinMs: number;
}

export interface ServiceHealth {
  state: 'starting' | 'ready' | 'restarting' | 'stopped' | 'external';
  pid: number | null;
  /** How often it was started again since the gateway started. */
  restarts: number;
  /** Why the last start failed, while it is restarting. */
  error?: string;
}

const POLL_MS = 25;
const BACKOFF_MS = { first: 100, last: 10_000 };
/** A process that ran this long was well: its next crash begins the backoff anew. */
const HEALTHY_AFTER_MS = 30_000;
const LOG_TAIL_BYTES = 2_048;
const LOG_ROTATE_BYTES = 8 * 1024 * 1024;

/**
 * A server process that Graft keeps running: started, watched, restarted with backoff on the same port and data when it dies.
 * Restarts never end, since a full disk or a killed process may be put right at any time; `health` tells.
 */
export class SupervisedProcess {
  private current: (ProcessRef & { child: ChildProcess; exited: Promise<void> }) | undefined;
  private state: ServiceHealth['state'] = 'stopped';
  private restarts = 0;
  private error: string | undefined;
  private readonly stopping = new AbortController();
  private supervision: Promise<void> = Promise.resolve();

  constructor(
    private readonly spec: ServiceSpec,
    private readonly keeper: Keeper,
    private readonly log: Logger,
  ) {}

  get pid(): number | null {
    return this.current?.pid ?? null;
  }

  health(): ServiceHealth {
    const health: ServiceHealth = { state: this.state, pid: this.pid, restarts: this.restarts };
    return this.error === undefined ? health : { ...health, error: this.error };
  }

  /** Resolves when the server answers. @throws GraftError SETUP_FAILED with the end of its log when it does not come up. */
  async start(): Promise<void> {
    this.state = 'starting';
    try {
      await this.launch();
    } catch (error) {
      await this.end();
      this.state = 'stopped';
      throw error;
    }
    this.supervision = this.supervise();
  }

  /** Ends the server and its supervision; resolves when it is gone. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.end();
    await this.supervision;
    // A restart may have been under way when `end` looked.
    await this.end();
    this.state = 'stopped';
  }

  /** Ends the server at once, without a word to its data, which is another's by now; as a crash, so that it writes no checkpoint. */
  kill(): void {
    this.stopping.abort();
    this.current?.child.kill('SIGKILL');
  }

  private async launch(): Promise<void> {
    const { spec } = this;
    await spec.prepare();
    if (this.stopping.signal.aborted) return;
    rotate(spec.logFile);
    const output = openSync(spec.logFile, 'a', 0o600);
    let child: ChildProcess;
    try {
      child = spec.spawn(output);
    } finally {
      closeSync(output);
    }
    let failure: string | undefined;
    const exited = new Promise<void>((resolve) => {
      child.once('exit', (code, signal) => {
        failure ??= signal === null ? `it ended with status ${code}` : `it was ended by ${signal}`;
        resolve();
      });
      child.once('error', (error) => {
        failure ??= error.message;
        resolve();
      });
    });
    // A gateway that has nothing left to do may end; the keeper then ends the server.
    child.unref();
    const { pid } = child;
    if (pid !== undefined) {
      const identity = processIdentity(pid) ?? 'gone';
      this.current = { pid, identity, child, exited };
      this.keeper.watch({ pid, identity, stop: spec.stop });
      recordChild(spec.home, spec.name, { pid, identity });
      void exited.then(() => this.forget({ pid, identity }));
    }
    const until = performance.now() + spec.readyWithinMs;
    while (!(await spec.answers()) || failure !== undefined) {
      if (this.stopping.signal.aborted) return;
      if (failure !== undefined || performance.now() > until)
        throw this.startFailure(failure ?? `it did not answer within ${spec.readyWithinMs / 1000} s`);
      await sleep(POLL_MS);
    }
    this.error = undefined;
    this.state = 'ready';
  }

  private async supervise(): Promise<void> {
    let backoff = BACKOFF_MS.first;
    while (!this.stopping.signal.aborted) {
      const startedAt = performance.now();
      await this.current?.exited;
      if (this.stopping.signal.aborted) return;
      if (performance.now() - startedAt > HEALTHY_AFTER_MS) backoff = BACKOFF_MS.first;
      this.state = 'restarting';
      this.log.warn({ service: this.spec.name, waitMs: backoff }, 'a server ended unexpectedly; starting it again');
      await sleep(backoff, undefined, { signal: this.stopping.signal }).catch(() => undefined);
      backoff = Math.min(backoff * 2, BACKOFF_MS.last);
      if (this.stopping.signal.aborted) return;
      this.restarts += 1;
      try {
        await this.launch();
        this.log.info({ service: this.spec.name, pid: this.pid }, 'the server is back');
      } catch (error) {
        this.error = (error as Error).message;
        this.log.error({ service: this.spec.name, err: error }, 'the server can’t be started again yet');
        await this.end();
      }
    }
  }

  private async end(): Promise<void> {
    const current = this.current;
    if (current === undefined) return;
    // Otherwise a gateway with nothing else to wait for would leave before the news of the end arrives.
    current.child.ref();
    await stopProcess(current, this.spec.stop);
    await current.exited;
  }

  private forget({ pid, identity }: ProcessRef): void {
    this.keeper.forget(pid);
    forgetChild(this.spec.home, this.spec.name, { pid, identity });
    if (this.current?.pid === pid) this.current = undefined;
  }

  private startFailure(reason: string): GraftError {
    const tail = logTail(this.spec.logFile);
    return new GraftError(
      'SETUP_FAILED',
      `The embedded ${TITLES[this.spec.name]} can’t start: ${reason}.${tail === '' ? '' : `\n${tail}`}`,
      { hint: `Read ${this.spec.logFile}, or use a server of your own: set ${URL_VARIABLES[this.spec.name]}.` },
    );
  }
}

const TITLES = { postgres: 'PostgreSQL', chroma: 'Chroma' };
const URL_VARIABLES = { postgres: 'DATABASE_URL', chroma: 'CHROMA_URL' };

function logTail(path: string): string {
  try {
    const text = readFileSync(path);
    return text.subarray(-LOG_TAIL_BYTES).toString('utf8').trim().split('\n').slice(-6).join('\n');
  } catch {
    return '';
  }
}

function rotate(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_ROTATE_BYTES) renameSync(path, `${path}.1`);
}
