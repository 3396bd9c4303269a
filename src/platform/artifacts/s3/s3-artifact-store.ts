import { rm, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { isSha256, type Sha256 } from '../../../kernel/hashing.js';
import { isGraftError } from '../../../kernel/errors.js';
import type { ArtifactStore, StagedBytes, StoredBytes } from '../artifact-store.js';
import { ArtifactElsewhere, damaged, missing, noDigest } from '../faults.js';
import type { LocalArtifactStore } from '../local-artifact-store.js';
import type { Bucket } from './bucket.js';
import { CacheBound } from './cache-bound.js';

/**
 * Artifacts in a bucket that several gateways share; the home keeps those that were used last. A digest is checked when its
 * bytes arrive and when a cached file is used, so a damaged copy is fetched again and a damaged object is never used.
 */
export class S3ArtifactStore implements ArtifactStore {
  readonly home = null;
  readonly #fetching = new Map<string, Promise<string>>();
  readonly #bound: CacheBound;

  /** @param maxCacheBytes what the cache may hold beside the files of the last hour */
  constructor(
    private readonly bucket: Bucket,
    private readonly cache: LocalArtifactStore,
    maxCacheBytes: number,
  ) {
    this.#bound = new CacheBound(cache, (sha256) => bucket.has(sha256), maxCacheBytes);
  }

  get folder(): string {
    return this.cache.folder;
  }

  async put(source: AsyncIterable<Uint8Array>, limits: { maxBytes: number }): Promise<StoredBytes> {
    const staged = await this.stage(source, limits);
    await staged.commit();
    return { sha256: staged.sha256, bytes: staged.bytes };
  }

  /** The bytes are sent before `commit`, which runs in a transaction and must be quick; what is never named is collected. */
  async stage(source: AsyncIterable<Uint8Array>, limits: { maxBytes: number }): Promise<StagedBytes> {
    const staged = await this.cache.stage(source, limits);
    const { sha256, bytes, path, discard } = staged;
    try {
      await this.bucket.send(path, staged);
    } catch (error) {
      await discard();
      throw error;
    }
    const commit = async () => {
      // Someone may have removed the last name of equal bytes since they were sent.
      if (!(await this.bucket.has(sha256))) await this.bucket.send(path, staged);
      await staged.commit();
      this.#bound.used(sha256, bytes);
    };
    return { sha256, bytes, discard, commit };
  }

  async local(sha256: string): Promise<string> {
    if (!isSha256(sha256)) throw noDigest();
    this.#bound.used(sha256);
    try {
      return await this.cache.local(sha256);
    } catch (error) {
      // Not here, damaged, or in another home, which is no reason any more.
      if (!isGraftError(error, 'STORAGE_FAILED') && !(error instanceof ArtifactElsewhere)) throw error;
    }
    const fetching = this.#fetching.get(sha256) ?? this.#fetch(sha256).finally(() => this.#fetching.delete(sha256));
    this.#fetching.set(sha256, fetching);
    return fetching;
  }

  async has(sha256: string): Promise<boolean> {
    return isSha256(sha256) && ((await this.cache.has(sha256)) || (await this.bucket.has(sha256)));
  }

  async read(sha256: string): Promise<Buffer> {
    await this.local(sha256);
    return this.cache.read(sha256);
  }

  async openRead(sha256: string): Promise<Readable> {
    await this.local(sha256);
    return this.cache.openRead(sha256);
  }

  async *olderThan(ageMs: number): AsyncGenerator<Sha256> {
    yield* this.cache.olderThan(ageMs);
    yield* this.bucket.olderThan(ageMs);
  }

  async remove(sha256: string): Promise<void> {
    await this.bucket.remove(sha256);
    await this.cache.remove(sha256);
  }

  /** Sends what this home has from before the bucket was shared. @returns whether the bucket has it now @throws STORAGE_UNAVAILABLE */
  async share(sha256: Sha256): Promise<boolean> {
    if (await this.bucket.has(sha256)) return true;
    const path = await this.cache.local(sha256).catch(() => null);
    if (path === null) return false;
    await this.bucket.send(path, { sha256, bytes: (await stat(path)).size });
    return true;
  }

  async #fetch(sha256: Sha256): Promise<string> {
    const pieces = await this.bucket.open(sha256);
    if (pieces === null) throw missing(sha256, this.bucket.name);
    const staged = await this.cache.stage(pieces, { maxBytes: Number.MAX_SAFE_INTEGER });
    if (staged.sha256 !== sha256) {
      await rm(staged.path, { force: true });
      throw damaged(sha256, this.bucket.name);
    }
    await staged.commit();
    this.#bound.used(sha256, staged.bytes);
    return this.cache.local(sha256);
  }
}
