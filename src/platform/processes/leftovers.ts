import { readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { GraftError } from '../../kernel/errors.js';
import { readJson, writePrivateJson } from './private-files.js';
import { processIdentity } from './process-identity.js';
import { stopProcess, type ProcessRef, type StopStep } from './stop-process.js';

/*
 * Each child is written down in `<home>/run/<name>.json`, so that the next start finds what a gateway left behind if it and its
 * keeper were both killed. Two servers on one data folder would ruin it.
 */

const recordPath = (home: string, name: string) => join(home, 'run', `${name}.json`);

export const recordChild = (home: string, name: string, child: ProcessRef): void =>
  writePrivateJson(recordPath(home, name), child);

/** A record of another child, as of whoever took the home in between, stays. */
export function forgetChild(home: string, name: string, { pid, identity }: ProcessRef): void {
  const path = recordPath(home, name);
  const recorded = readJson<ProcessRef>(path);
  if (recorded?.pid === pid && recorded.identity === identity) rmSync(path, { force: true });
}

/** Ends the child that an earlier gateway of this home left running, if there is one; returns its process id or null. */
export async function endLeftover(home: string, name: string, steps: readonly StopStep[]): Promise<number | null> {
  const leftover = readJson<ProcessRef>(recordPath(home, name));
  if (leftover === null) return null;
  const ran = processIdentity(leftover.pid) === leftover.identity;
  if (ran && !(await stopProcess(leftover, steps)))
    throw new GraftError(
      'SETUP_FAILED',
      `Process ${leftover.pid} (${name}), left by an earlier start, can’t be ended.`,
      {
        hint: `End it as the user who started it: \`kill -9 ${leftover.pid}\`.`,
      },
    );
  forgetChild(home, name, leftover);
  return ran ? leftover.pid : null;
}

/**
 * Clears a PostgreSQL data folder of an ended server: waits for (then ends) processes that still work in it and removes
 * `postmaster.pid`. PostgreSQL does that itself unless the id in the file has meanwhile gone to another process of the same user,
 * as in a restarted container, where it would refuse to start for ever. Only where /proc tells which processes work there.
 */
export async function clearPostgresFolder(folder: string, steps: readonly StopStep[]): Promise<void> {
  if (process.platform !== 'linux') return;
  const leftovers = processesIn(folder);
  for (const leftover of leftovers.filter(({ pid }) => pid === postmaster(folder))) await stopProcess(leftover, steps);
  // Backends of a dead postmaster notice within moments and end by themselves: the first signal only gives them the time.
  await Promise.all(leftovers.map((leftover) => stopProcess(leftover, [['SIGCONT', 3_000], ...steps.slice(1)])));
  if (processesIn(folder).length === 0) rmSync(join(folder, 'postmaster.pid'), { force: true });
}

function postmaster(folder: string): number | null {
  try {
    return Number.parseInt(readFileSync(join(folder, 'postmaster.pid'), 'utf8'), 10);
  } catch {
    return null;
  }
}

function processesIn(folder: string): ProcessRef[] {
  const real = realpathSync(folder);
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      if (readlinkSync(`/proc/${entry}/cwd`) !== real) return [];
      if (readFileSync(`/proc/${entry}/comm`, 'utf8').trim() !== 'postgres') return [];
    } catch {
      return [];
    }
    const pid = Number(entry);
    const identity = processIdentity(pid);
    return identity === null ? [] : [{ pid, identity }];
  });
}
