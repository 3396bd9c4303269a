import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SCRIPT = 'bench/support/peers.py';
const PACKAGES = ['cleanlab==2.9.0', 'scikit-learn==1.9.1', 'scrubadub==2.0.1', 'detect-secrets==1.5.0'];

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

/** The Python peers, in the interpreter that GRAFT_BENCH_PYTHON names or else in a virtual environment of this run. */
export class Peers {
  private constructor(
    private readonly python: string | null,
    private readonly folder: string | null,
  ) {}

  /** Says so, loudly, when there can be no peers; then each of them answers null. */
  static async start(): Promise<Peers> {
    const named = process.env['GRAFT_BENCH_PYTHON'];
    if (named) return new Peers(named, null);
    const folder = await mkdtemp(join(tmpdir(), 'graft-bench-peers-'));
    const python = join(folder, 'bin', 'python');
    try {
      await output('python3', ['-m', 'venv', folder]);
      await output(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PACKAGES]);
      return new Peers(python, folder);
    } catch (error) {
      console.log(
        `NO PEERS: ${(error as Error).message}\nName a Python with ${PACKAGES.join(' ')} in GRAFT_BENCH_PYTHON.`,
      );
      return new Peers(null, folder);
    }
  }

  /** Indexes of the rows whose label cleanlab doubts. */
  labels(texts: readonly string[], labels: readonly string[]): Promise<number[] | null> {
    return this.#ask<number[]>('labels', { texts, labels });
  }

  /** What scrubadub and detect-secrets find in each text; offsets count code points. */
  personalData(texts: readonly string[]): Promise<[start: number, end: number][][] | null> {
    return this.#ask('personal-data', { texts });
  }

  /** The route of each text, as a regression on TF-IDF says that learned the known ones. */
  routes(known: readonly { text: string; route: string }[], texts: readonly string[]): Promise<string[] | null> {
    return this.#ask<string[]>('routes', { known, texts });
  }

  async #ask<T>(peer: string, input: object): Promise<T | null> {
    if (this.python === null) return null;
    try {
      return JSON.parse(await output(this.python, [SCRIPT, peer], JSON.stringify(input))) as T;
    } catch (error) {
      console.log(`NO PEER for ${peer}: ${(error as Error).message}`);
      return null;
    }
  }

  async stop(): Promise<void> {
    if (this.folder) await rm(this.folder, { recursive: true, force: true });
  }
}
