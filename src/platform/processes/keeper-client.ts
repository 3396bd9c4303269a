import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { GraftError } from '../../kernel/errors.js';
import { packageRoot } from '../package-root.js';
import type { Logger } from '../telemetry/index.js';
import type { KeeperCommand, Watched } from './keeper.js';
import { minimalEnvironment } from './minimal-environment.js';

/** The gateway's end of the keeper: whatever it watches ends when this process does, however it does. */
export class Keeper {
  private child: ChildProcess | undefined;
  private closing = false;
  private readonly watched = new Map<number, Watched>();

  constructor(private readonly log: Logger) {}

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** @throws GraftError SETUP_FAILED when the program was not built. */
  start(): void {
    const program = join(packageRoot(), 'dist', 'src', 'platform', 'processes', 'keeper.js');
    if (!existsSync(program))
      throw new GraftError('SETUP_FAILED', 'Graft is not built: dist/ is missing.', { hint: 'Run `npm ci` again.' });
    // Told by argument and not by pipe: it knows what to end from its first moment, however soon this process dies.
    const child = spawn(process.execPath, [program, JSON.stringify([...this.watched.values()])], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      cwd: '/',
      env: minimalEnvironment(),
    });
    this.child = child;
    child.unref();
    const stdin = child.stdin;
    (stdin as unknown as { unref(): void }).unref();
    // A dead keeper shows as EPIPE here and as `exit` below; the latter answers it.
    stdin.on('error', () => undefined);
    child.once('error', (error) => this.log.error({ err: error }, 'the keeper can’t start'));
    child.once('exit', () => this.restart());
  }

  watch(process: Watched): void {
    this.watched.set(process.pid, process);
    this.send({ watch: process });
  }

  forget(pid: number): void {
    this.watched.delete(pid);
    this.send({ forget: pid });
  }

  /** Lets the keeper go; it first ends what it still watches. */
  close(): void {
    this.closing = true;
    this.child?.stdin?.end();
  }

  private send(command: KeeperCommand): void {
    this.child?.stdin?.write(`${JSON.stringify(command)}\n`);
  }

  private restart(): void {
    if (this.closing) return;
    this.log.warn('the keeper ended; starting another');
    setTimeout(() => {
      if (!this.closing) this.start();
    }, 100).unref();
  }
}
