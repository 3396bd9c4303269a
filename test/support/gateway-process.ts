import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/platform/package-root.js';
import type { ServicesHealth } from '../../src/platform/processes/index.js';

export interface Started {
  postgres: string;
  chroma: string;
  health: ServicesHealth;
}

export interface StartFailure {
  error: { code: string; message: string; hint?: string };
}

/** Runs `test/support/start-services.ts` from dist as a process of its own, so that it can be killed. */
export function startGatewayProcess(
  home: string,
  options: { urls?: [string, string]; uid?: number; gid?: number; env?: NodeJS.ProcessEnv } = {},
): { child: ChildProcess; answer: Promise<Started | StartFailure>; ended: Promise<void> } {
  const { urls = [], uid, gid, env = {} } = options;
  const script = join(packageRoot(), 'dist', 'test', 'support', 'start-services.js');
  const child = spawn(process.execPath, [script, home, ...urls], {
    stdio: ['ignore', 'pipe', 'ignore'],
    uid,
    gid,
    cwd: '/',
    env: { PATH: process.env.PATH, ...env },
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const answer = new Promise<Started | StartFailure>((resolve, reject) => {
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (text.includes('\n')) resolve(JSON.parse(text) as Started | StartFailure);
    });
    void ended.then(() => reject(new Error(`the process ended without an answer: ${text}`)));
  });
  return { child, answer, ended };
}

/** The ids of all processes whose command line mentions the text, e.g. a home (Linux). */
export function processesMentioning(text: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .filter((entry) => {
      try {
        return readFileSync(`/proc/${entry}/cmdline`, 'utf8').includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** The ids of the children of a process (Linux). */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((entry) => {
      try {
        const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
        return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] === String(pid);
      } catch {
        return false;
      }
    })
    .map(Number);
}
