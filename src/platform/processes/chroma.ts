import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { GraftError } from '../../kernel/errors.js';
import type { Logger } from '../telemetry/index.js';
import { freePort, isFree } from './free-port.js';
import type { Keeper } from './keeper-client.js';
import { endLeftover } from './leftovers.js';
import { minimalEnvironment } from './minimal-environment.js';
import { readJson, writePrivateJson } from './private-files.js';
import type { StopStep } from './stop-process.js';
import { SupervisedProcess } from './supervised-process.js';

/** Chroma ends in order on SIGINT and ignores SIGTERM. */
export const CHROMA_STOP: readonly StopStep[] = [
  ['SIGINT', 10_000],
  ['SIGKILL', 2_000],
];
const READY_WITHIN_MS = 60_000;
const PROBE_WITHIN_MS = 30_000;
const PORT_ATTEMPTS = 3;

interface ChromaPlan {
  home: string;
  program: string;
  args: string[];
}

/**
 * Finds a Chroma that runs on this machine by running it: the one inside the `chromadb` package, else a `chroma` on the PATH.
 *
 * @throws GraftError SETUP_FAILED with the ways out; the packaged one needs glibc 2.39.
 */
export async function planChroma(home: string, log: Logger, script = packagedScript()): Promise<ChromaPlan> {
  const packaged = { program: process.execPath, args: [script] };
  const failure = await probe(packaged.program, packaged.args);
  if (failure === null) return { home, ...packaged };
  if ((await probe('chroma', [])) === null) {
    log.warn({ reason: failure }, 'the packaged Chroma can’t run here; using the `chroma` on the PATH');
    return { home, program: 'chroma', args: [] };
  }
  throw new GraftError('SETUP_FAILED', `The embedded Chroma can’t run on this machine: ${failure}`, {
    hint:
      'Three ways out: set CHROMA_URL to a Chroma server of your own (`docker run -p 127.0.0.1:8000:8000 chromadb/chroma`); ' +
      'put a `chroma` on the PATH (`pip install chromadb`); or use a system with glibc 2.39 or later (Ubuntu 24.04, Debian 13).',
  });
}

function packagedScript(): string {
  const manifest = createRequire(import.meta.url).resolve('chromadb');
  // The entry is dist/cjs/… for `require`; the command lies in dist/.
  return join(dirname(manifest).replace(/[\\/]cjs$/, ''), 'cli.mjs');
}

/** Null when it runs, else why not. */
async function probe(program: string, args: string[]): Promise<string | null> {
  try {
    await promisify(execFile)(program, [...args, '--version'], {
      cwd: '/',
      env: minimalEnvironment(),
      timeout: PROBE_WITHIN_MS,
    });
    return null;
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    const lines = (stderr ?? '').split('\n').map((line) => line.trim());
    return lines.find((line) => /GLIBC|Error|error|cannot/.test(line)) ?? message.split('\n')[0] ?? message;
  }
}

/**
 * The name of the home’s tenant, drawn before its Chroma first starts. It lies beside the vectors: neither is of use without the other.
 * @throws SETUP_FAILED when it can’t be read, or is gone while there are vectors
 */
function tenantOf(folder: string): string {
  const path = join(folder, 'tenant.json');
  if (existsSync(path) || existsSync(join(folder, 'chroma.sqlite3'))) {
    const name = readJson<{ name?: unknown }>(path)?.name;
    if (typeof name === 'string') return name;
    throw new GraftError('SETUP_FAILED', `${path}, which names Chroma’s tenant, can’t be read.`, {
      hint:
        `Put it back from a copy of the home. Without one, remove ${folder}, start again, and run rebuildIndex on each collection, ` +
        'and indexDataset where rows are asked.',
    });
  }
  const name = `home_${randomBytes(24).toString('hex')}`;
  writePrivateJson(path, { name });
  return name;
}

/**
 * Starts Chroma on a loopback port (the one of the last start when it is free) and keeps it running. Chroma knows no passwords, and shows
 * of a tenant nothing to whoever can’t name it: a new home’s has a random name.
 */
export async function startChroma(
  plan: ChromaPlan,
  keeper: Keeper,
  log: Logger,
): Promise<{ url: string; tenant: string; process: SupervisedProcess }> {
  const { home } = plan;
  await endLeftover(home, 'chroma', CHROMA_STOP);
  const record = join(home, 'chroma.json');
  const folder = join(home, 'chroma');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const tenant = tenantOf(folder);
  for (let attempt = 1; ; attempt++) {
    const last = readJson<{ port: number }>(record)?.port;
    const port = await freePort(last);
    if (port !== last) writePrivateJson(record, { port });
    const server = supervised(plan, port, keeper, log);
    try {
      await server.start();
      return { url: `http://127.0.0.1:${port}`, tenant, process: server };
    } catch (error) {
      await server.stop();
      if (attempt === PORT_ATTEMPTS || (await isFree(port))) throw error;
    }
  }
}

/** Where the Chroma of a home was last started, and its tenant there; null where it never was. */
export function runningChroma(home: string): { url: string; tenant: string; own: true } | null {
  const port = readJson<{ port?: unknown }>(join(home, 'chroma.json'))?.port;
  if (typeof port !== 'number') return null;
  return { url: `http://127.0.0.1:${port}`, tenant: tenantOf(join(home, 'chroma')), own: true };
}

function supervised({ home, program, args }: ChromaPlan, port: number, keeper: Keeper, log: Logger) {
  return new SupervisedProcess(
    {
      name: 'chroma',
      home,
      logFile: join(home, 'logs', 'chroma.log'),
      stop: CHROMA_STOP,
      readyWithinMs: READY_WITHIN_MS,
      prepare: () => Promise.resolve(),
      spawn: (output) =>
        spawn(
          program,
          [...args, 'run', '--path', join(home, 'chroma'), '--host', '127.0.0.1', '--port', String(port)],
          {
            cwd: '/',
            detached: true,
            stdio: ['ignore', output, output],
            // More would be a line a request, with the tenant's name in it.
            env: minimalEnvironment({ ANONYMIZED_TELEMETRY: 'False', NO_COLOR: '1', RUST_LOG: 'warn' }),
          },
        ),
      answers: () => answers(port),
    },
    keeper,
    log,
  );
}

async function answers(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/api/v2/heartbeat`, { signal: AbortSignal.timeout(2_000) });
    return response.ok;
  } catch {
    return false;
  }
}
