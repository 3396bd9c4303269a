import { rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newId } from '../kernel/ids.js';

const MIB = 1024 ** 2;
/** With less free, PostgreSQL can't begin its next piece of log (16 MiB), and what was accepted soon fails. */
const LEAST_BYTES = 32 * MIB;

interface DiskRoom {
  ready: boolean;
  /** Why there is none, or how much, in a few words. */
  detail: string;
}

/**
 * Whether there is room where things are kept, and whether it can be written to.
 * @param writtenFolders folders in which a small file is written for trial
 * @param watched folders of others, of which only the free room is looked at
 */
export async function diskRoom(writtenFolders: readonly string[], watched: readonly string[] = []): Promise<DiskRoom> {
  let room = Infinity;
  for (const folder of [...writtenFolders, ...watched]) {
    const free = await statfs(folder).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => 0,
    );
    room = Math.min(room, free);
    if (free < LEAST_BYTES) return { ready: false, detail: `full: less than ${inMebibytes(LEAST_BYTES)} are free` };
  }
  for (const folder of writtenFolders) {
    const refusal = await tryToWrite(folder);
    if (refusal !== null) return { ready: false, detail: `can’t be written to (${refusal})` };
  }
  return { ready: true, detail: `${inMebibytes(room)} free` };
}

/** @returns the system's code of what is wrong, or null */
async function tryToWrite(folder: string): Promise<string | null> {
  const path = join(folder, `.room-${newId()}`);
  try {
    await writeFile(path, Buffer.alloc(4_096));
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  } finally {
    await rm(path, { force: true }).catch(() => undefined);
  }
}

const inMebibytes = (bytes: number): string => `${Math.floor(bytes / MIB)} MiB`;
