import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../src/platform/package-root.js';

/** A Python with packages, to ask the field's own implementations for the values that ours must have. */
export class Python {
  private constructor(private readonly program: string) {}

  /**
   * A virtual environment with exactly these packages, made once for this checkout.
   * @returns the reason as text where there can be none: no Python, no pip, no package registry
   */
  static async with(packages: readonly string[]): Promise<Python | string> {
    const digest = createHash('sha256').update(packages.join(' ')).digest('hex').slice(0, 12);
    const folder = join(packageRoot(), 'test', '.tmp', `python-${digest}`);
    const program = join(folder, 'bin', 'python');
    if (existsSync(join(folder, 'complete'))) return new Python(program);
    const making = `${folder}.${process.pid}`;
    try {
      await output('python3', ['-m', 'venv', folder]);
      // Compiled is what is imported, then: most of these packages never is.
      const quickly = ['--quiet', '--no-compile', '--disable-pip-version-check'];
      await output(program, ['-m', 'pip', 'install', ...quickly, ...packages]);
      await mkdir(making, { recursive: true });
      await rename(making, join(folder, 'complete'));
      return new Python(program);
    } catch (error) {
      await rm(making, { recursive: true, force: true });
      return `no Python with ${packages.join(' ')}: ${(error as Error).message.trim().split('\n').at(-1)}`;
    }
  }

  /** Where its programs lie: before the others in PATH, they are a shell's `python3` and `pip`. */
  get programs(): string {
    return dirname(this.program);
  }

  /** Starts a program of one of the packages; the caller ends it. */
  start(module: string, args: readonly string[]): ChildProcess {
    return spawn(this.program, ['-m', module, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  }

  /** Runs `script` with `input` as JSON on its standard input; its standard output is JSON too. */
  async ask<T>(script: string, input: unknown): Promise<T> {
    return JSON.parse(await output(this.program, ['-c', script], JSON.stringify(input))) as T;
  }
}

/** Runs a program to its end. @throws with the end of its standard error when it fails or doesn't exist */
function output(command: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let [out, error] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (part: string) => (out += part));
    child.stderr.setEncoding('utf8').on('data', (part: string) => (error = (error + part).slice(-2_000)));
    child.stdin.on('error', () => undefined).end(input);
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(out) : reject(new Error(`${command} ${args[0]}: ${error}`))));
  });
}
