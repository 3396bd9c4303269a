import { randomUUID } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  rmSync,
  rmdirSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GraftError } from '../../kernel/errors.js';
import { readJson } from './private-files.js';
import { isRunning, processIdentity, processSpace } from './process-identity.js';

/*
 * One gateway a home. The lock is a file that names its holder by process id and start time, so that a lock left by a killed
 * process, or a process id used again, is told from a held one. It appears whole (link of a finished file) or not at all.
 * Two starts may find the same left-over lock: whoever makes the folder named after that very lock may remove it, and only
 * after reading it again, so nobody ever removes a lock that was just taken. Process ids of another container or machine that
 * shares the folder say nothing here: its lock is held as long as its holder keeps touching it.
 */

interface LockContent {
  pid: number;
  identity: string;
  space: string | null;
  nonce: string;
}

interface HomeLock {
  release(): void;
}

const ATTEMPTS = 200;
const RETRY_MS = 25;
/** A claim is held for microseconds; one this old was left by a start that was killed right then. */
const CLAIM_STALE_MS = 5_000;
const BEAT_MS = 2_000;
/** A holder elsewhere that has not touched its lock for so long is dead. */
const STILL_MS = 30_000;

/**
 * Takes the home for this process until `release` or the end of the process. A lock that another container left behind is waited out.
 *
 * @param onLost called once when another has taken the home, as from a process that stood still for long
 * @throws HomeInUse naming the process that uses the home, or that it is one of another container; GraftError SETUP_FAILED
 */
export async function lockHome(home: string, onLost: () => void = () => undefined): Promise<HomeLock> {
  const path = join(home, 'lock');
  const content: LockContent = {
    pid: process.pid,
    identity: processIdentity(process.pid) ?? 'unknown',
    space: processSpace(),
    nonce: randomUUID(),
  };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (create(path, content)) return held(path, content, onLost);
    const holder = readJson<LockContent>(path);
    if (holder !== null) {
      if (holder.space !== content.space) await untilStill(home, path, holder);
      else if (isRunning(holder.pid, holder.identity)) throw inUse(home, holder.pid);
      removeStale(path, holder);
    }
    await sleep(RETRY_MS);
  }
  throw new GraftError('SETUP_FAILED', `The lock of the home ${home} can’t be taken.`, {
    hint: `If no Graft runs there, remove ${path}.`,
  });
}

/** Another process has the home: `elsewhere` where neither its process nor its servers can be reached from here. */
export class HomeInUse extends GraftError {
  readonly elsewhere: boolean;

  constructor(home: string, holder: string, { elsewhere, hint }: { elsewhere: boolean; hint: string }) {
    super('SETUP_FAILED', `The home ${home} is in use by ${holder}.`, { hint });
    this.elsewhere = elsewhere;
  }
}

const inUse = (home: string, pid: number) =>
  new HomeInUse(home, `process ${pid}`, {
    elsewhere: false,
    hint: 'Use the Graft that runs there, stop it first, or set GRAFT_HOME to another folder.',
  });

function held(path: string, content: LockContent, onLost: () => void): HomeLock {
  const beat = setInterval(() => {
    if (touch(path, content)) return;
    clearInterval(beat);
    onLost();
  }, BEAT_MS);
  beat.unref();
  return {
    release: () => {
      clearInterval(beat);
      release(path, content);
    },
  };
}

/** @returns false where another has it, or had it and let it go: then what lies in the home is no longer what this one knows */
function touch(path: string, content: LockContent): boolean {
  const holder = readJson<LockContent>(path);
  if (holder !== null && holder.nonce !== content.nonce) return false;
  try {
    utimesSync(path, new Date(), new Date());
    return true;
  } catch {
    // A disk that is away comes back before others take the home, or the home is lost anyway.
    return existsSync(path) || !existsSync(dirname(path));
  }
}

/**
 * Waits until a lock has been still for too long, or is no longer there. How old it is shortens the wait, and never spares it: its holder's clock may be
 * another one.
 * @throws HomeInUse once its holder touches it
 */
async function untilStill(home: string, path: string, holder: LockContent): Promise<void> {
  const touched = () => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null;
  const [first, startedAt] = [touched(), performance.now()];
  if (first === null) return;
  const wait = Math.min(STILL_MS, Math.max(3 * BEAT_MS, STILL_MS - (Date.now() - first)));
  while (performance.now() - startedAt < wait) {
    await sleep(RETRY_MS);
    const now = touched();
    if (now === null || !isOf(path, holder)) return;
    if (now !== first)
      throw new HomeInUse(home, 'a Graft in another container or machine', {
        elsewhere: true,
        hint: 'Stop the other container first, or give this one a volume of its own: no two may share a home.',
      });
  }
}

const isOf = (path: string, { nonce }: LockContent): boolean => readJson<LockContent>(path)?.nonce === nonce;

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
    if (isOf(path, stale)) unlinkSync(path);
  } finally {
    rmdirSync(claim);
  }
}

function release(path: string, content: LockContent): void {
  if (isOf(path, content)) rmSync(path, { force: true });
}
