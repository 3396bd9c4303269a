import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, rmSync, rmdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GraftError } from '../../kernel/errors.js';
import { readJson } from './private-files.js';
import { isRunning, processIdentity } from './process-identity.js';

/*
 * One gateway a home. The lock is a file that names its holder by process id and start time, so that a lock left by a killed
 * process, or a process id used again, is told from a held one. It appears whole (link of a finished file) or not at all.
 * Two starts may find the same left-over lock: whoever makes the folder named after that very lock may remove it, and only
 * after reading it again, so nobody ever removes a lock that was just taken.
 */

interface LockContent {
  pid: number;
  identity: string;
  nonce: string;
}

export interface HomeLock {
  release(): void;
}

const ATTEMPTS = 200;
const RETRY_MS = 25;
/** A claim is held for microseconds; one this old was left by a start that was killed right then. */
const CLAIM_STALE_MS = 5_000;

/**
 * Takes the home for this process until `release` or the end of the process.
 *
 * @throws GraftError SETUP_FAILED naming the process that uses the home.
 */
export async function lockHome(home: string): Promise<HomeLock> {
  const path = join(home, 'lock');
  const mine: LockContent = {
    pid: process.pid,
    identity: processIdentity(process.pid) ?? 'unknown',
    nonce: randomUUID(),
  };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (create(path, mine)) return { release: () => release(path, mine) };
    const holder = readJson<LockContent>(path);
    if (holder !== null && isRunning(holder.pid, holder.identity)) throw inUse(home, holder.pid);
    if (holder !== null) removeStale(path, holder);
    await sleep(RETRY_MS);
  }
  throw new GraftError('SETUP_FAILED', `The lock of the home ${home} can’t be taken.`, {
    hint: `If no Graft runs there, remove ${path}.`,
  });
}

const inUse = (home: string, pid: number) =>
  new GraftError('SETUP_FAILED', `The home ${home} is in use by process ${pid}.`, {
    hint: 'Use the Graft that runs there, stop it first, or set GRAFT_HOME to another folder.',
  });

function create(path: string, content: LockContent): boolean {
  const temporary = `${path}.${content.nonce}`;
  try {
    writeFileSync(temporary, `${JSON.stringify(content)}\n`, { mode: 0o600 });
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new GraftError('SETUP_FAILED', `The home can’t be locked: ${(error as Error).message}`, {
      hint: 'Set GRAFT_HOME to a folder that this user may write.',
      cause: error,
    });
  } finally {
    rmSync(temporary, { force: true });
  }
}

function removeStale(path: string, stale: LockContent): void {
  const claim = `${path}.claim-${stale.nonce}`;
  try {
    mkdirSync(claim);
  } catch {
    const age = Date.now() - (statSync(claim, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > CLAIM_STALE_MS) rmSync(claim, { recursive: true, force: true });
    return;
  }
  try {
    if (readJson<LockContent>(path)?.nonce === stale.nonce) unlinkSync(path);
  } finally {
    rmdirSync(claim);
  }
}

function release(path: string, mine: LockContent): void {
  if (readJson<LockContent>(path)?.nonce === mine.nonce) rmSync(path, { force: true });
}
