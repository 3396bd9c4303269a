import type { Sha256 } from '../../../kernel/hashing.js';
import type { LocalArtifactStore } from '../local-artifact-store.js';

/** Whoever was given a path opens it within this time. */
const IN_USE_MS = 60 * 60 * 1000;
/** The cache is looked at whenever it has grown by this share of its bound. */
const GROWTH = 0.05;

/** Keeps the files of a cache within a number of bytes: those that were used longest ago go, if the bucket has them. */
export class CacheBound {
  readonly #lastUsed = new Map<string, number>();
  /** At the start the cache may be of any size. */
  #grown = Infinity;
  #trimming = false;

  constructor(
    private readonly cache: LocalArtifactStore,
    private readonly isKept: (sha256: Sha256) => Promise<boolean>,
    private readonly maxBytes: number,
    private readonly inUseMs = IN_USE_MS,
  ) {}

  /** @param added bytes that came into the cache with it */
  used(sha256: string, added = 0): void {
    this.#lastUsed.set(sha256, Date.now());
    this.#grown += added;
    if (added === 0 || this.#trimming || this.#grown < this.maxBytes * GROWTH) return;
    this.#grown = 0;
    this.#trimming = true;
    // What can't be removed now is looked at again when the cache has grown further.
    void this.trim()
      .catch(() => undefined)
      .finally(() => (this.#trimming = false));
  }

  async trim(): Promise<void> {
    const files: { sha256: Sha256; bytes: number; usedMs: number }[] = [];
    for await (const { sha256, bytes, changedMs } of this.cache.all())
      files.push({ sha256, bytes, usedMs: this.#lastUsed.get(sha256) ?? changedMs });
    const fileDigests = new Set<string>(files.map(({ sha256 }) => sha256));
    for (const sha256 of this.#lastUsed.keys()) if (!fileDigests.has(sha256)) this.#lastUsed.delete(sha256);
    let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    const unused = files.filter(({ usedMs }) => Date.now() - usedMs > this.inUseMs).sort((a, b) => a.usedMs - b.usedMs);
    for (const { sha256, bytes } of unused) {
      if (total <= this.maxBytes) return;
      if (!(await this.isKept(sha256))) continue;
      await this.cache.remove(sha256);
      this.#lastUsed.delete(sha256);
      total -= bytes;
    }
  }
}
