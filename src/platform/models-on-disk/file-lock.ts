import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GraftError } from '../../kernel/errors.js';

const BEAT_MS = 2_000;
/** A holder touches its lock every BEAT_MS; one that did not for so long is dead. */
const STALE_MS = 15_000;
const RETRY_MS = 200;

/**
 * Runs `work` while no other process runs work under the same lock file. Node has no flock, so the lock is a file made
 * with O_EXCL that its holder keeps touching; a dead holder's lock is replaced by a rename, and whoever finds its own
 * token in it afterwards has it (two that replace it at the same moment both look, and the later one wins).
 * @throws STORAGE_FAILED when the folder can't be written, the reason of `signal` when it aborts
 */
export async function withFileLock<T>(
  path: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const token = `${process.pid} ${randomUUID()}`;
  await mkdir(dirname(path), { recursive: true }).catch(unwritable(path));
  while (!(await take(path, token))) await sleep(RETRY_MS, undefined, { signal });
  const beat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), BEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    if ((await holder(path)) === token) await rm(path, { force: true });
  }
}

async function take(path: string, token: string): Promise<boolean> {
  const isMade = await writeFile(path, token, { flag: 'wx' }).then(
    () => true,
    (error: NodeJS.ErrnoException) => (error.code === 'EEXIST' ? false : unwritable(path)(error)),
  );
  return isMade || ((await isStale(path)) && (await replace(path, token)));
}

async function isStale(path: string): Promise<boolean> {
  const entry = await stat(path).catch(() => null);
  if (!entry) return false;
  if (Date.now() - entry.mtimeMs > STALE_MS) return true;
  // The usual leftover: a process of this machine that was killed. A folder shared by machines waits out STALE_MS.
  const pid = Number((await holder(path))?.split(' ')[0]);
  return Number.isInteger(pid) && pid > 0 && Date.now() - entry.mtimeMs > 2 * BEAT_MS && !isAlive(pid);
}

async function replace(path: string, token: string): Promise<boolean> {
  const ownPath = `${path}.${randomUUID()}`;
  await writeFile(ownPath, token);
  await rename(ownPath, path);
  await sleep(50);
  return (await holder(path)) === token;
}

const holder = (path: string): Promise<string | null> => readFile(path, 'utf8').catch(() => null);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const unwritable =
  (path: string) =>
  (error: unknown): never => {
    throw new GraftError('STORAGE_FAILED', `The models folder can’t be written (${dirname(path)}).`, { cause: error });
  };
