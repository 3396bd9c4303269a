import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/platform/package-root.js';
import { removeHome } from '../../src/platform/processes/index.js';
import { openCalibratedHome } from './calibration.js';

/** The whole product as its users run it: `dist/src/start.js` as a process of its own. */
export interface GraftProgram {
  readonly url: string;
  readonly child: ChildProcess;
  /** Exit code, or null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** All that it wrote so far, both streams. */
  output(): string;
}

/**
 * A home in a temporary folder, as `mktemp -d` would make it (0700).
 * @param first whether it isn't there yet, as before a first start; else the default model was measured in it (in a run of jest)
 */
export async function temporaryHome({ first = false } = {}): Promise<{ path: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'graft-whole-'));
  const path = join(folder, 'home');
  if (!first) await openCalibratedHome(path);
  return {
    path,
    remove: async () => {
      await removeHome(path);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Spawns the program on a free port; `started` resolves when it printed its address, and rejects when it ended before. */
export function spawnGraft(
  home: string,
  env: NodeJS.ProcessEnv = {},
): { program: Omit<GraftProgram, 'url'>; started: Promise<GraftProgram> } {
  const child = spawn(process.execPath, [join(packageRoot(), 'dist', 'src', 'start.js')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      GRAFT_MODELS: process.env.GRAFT_MODELS,
      GRAFT_HOME: home,
      GRAFT_PORT: '0',
      ...env,
    },
  });
  let text = '';
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const program = { child, ended, output: () => text };
  const started = new Promise<GraftProgram>((resolve, reject) => {
    const read = (part: string) => {
      text += part;
      const url = /^GraphQL\s+(http:\S+)\/graphql$/m.exec(text)?.[1];
      if (url) resolve({ ...program, url });
    };
    child.stdout.setEncoding('utf8').on('data', read);
    child.stderr.setEncoding('utf8').on('data', read);
    void ended.then((code) => reject(new Error(`the program ended with ${code}:\n${text}`)));
  });
  started.catch(() => undefined);
  return { program, started };
}
