import { stat } from 'node:fs/promises';
import { LRUCache } from 'lru-cache';
import { hashFile } from '../kernel/hash-file.js';

/** A file that changed this short a time ago could change again without its time of change telling. */
const SETTLED_AFTER_MS = 2_000;
const MOST_REMEMBERED = 10_000;

/**
 * Remembers which files this process has read and found to have their digest, so that a file that is read often is hashed
 * once. A file is known by inode, size, and the times of change in ns: the inode's own (`ctime`) moves with every write
 * and can't be set back, as that of the content can. What changes bytes below the file system is left to who reads them.
 */
export class VerifiedFiles {
  readonly #seen = new LRUCache<string, string>({ max: MOST_REMEMBERED });

  /** @returns whether the file has this digest @throws what the file system says, e.g. ENOENT */
  async has(path: string, sha256: string): Promise<boolean> {
    const fingerprintBefore = await fingerprint(path);
    if (this.#seen.get(path) === `${fingerprintBefore.text} ${sha256}`) return true;
    if ((await hashFile(path)) !== sha256) return false;
    if (
      Date.now() - fingerprintBefore.changedMs > SETTLED_AFTER_MS &&
      (await fingerprint(path)).text === fingerprintBefore.text
    )
      this.#seen.set(path, `${fingerprintBefore.text} ${sha256}`);
    return true;
  }
}

async function fingerprint(path: string): Promise<{ text: string; changedMs: number }> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return { text: [dev, ino, size, mtimeNs, ctimeNs].join(' '), changedMs: Number(ctimeNs / 1_000_000n) };
}
