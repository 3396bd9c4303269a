import type { Readable } from 'node:stream';
import type { Sha256 } from '../../kernel/hashing.js';

export interface StoredBytes {
  sha256: Sha256;
  bytes: number;
}

/** Bytes that are on disk under a temporary name: `commit` gives them their final one, `discard` removes them. */
export interface StagedBytes extends StoredBytes {
  commit(): Promise<void>;
  discard(): Promise<void>;
}

/**
 * The port of artifacts: files named by the SHA-256 of their content, whole or not there. Processes open them by path, so
 * every store has a folder of this machine in which they lie when they are read.
 */
export interface ArtifactStore {
  /** The home whose gateway alone reads what is stored here; null when all gateways of the database read it. */
  readonly home: string | null;

  /** Every path of `local` is `<folder>/<two digits>/<digest>`. */
  readonly folder: string;

  /**
   * Stores all bytes of `source`.
   * @throws PAYLOAD_TOO_LARGE beyond `maxBytes`, STORAGE_FAILED when the store refuses, whatever `source` throws; nothing is
   * kept then
   */
  put(source: AsyncIterable<Uint8Array>, limits: { maxBytes: number }): Promise<StoredBytes>;

  /** As `put`, but the bytes get their name only at `commit`: for callers that must write a row at the same moment. */
  stage(source: AsyncIterable<Uint8Array>, limits: { maxBytes: number }): Promise<StagedBytes>;

  /**
   * Path of the artifact on this machine, for whoever opens it: all of it was read and had its digest, unless this process
   * did so before and the file has not changed since.
   * @throws NOT_FOUND for what is no digest, STORAGE_FAILED when the bytes are gone or damaged, STORAGE_UNAVAILABLE when
   * they lie elsewhere (`ArtifactElsewhere`) or the store does not answer
   */
  local(sha256: string): Promise<string>;

  has(sha256: string): Promise<boolean>;

  /** @throws as `local` */
  read(sha256: string): Promise<Buffer>;

  /**
   * A stream of the content, which is verified before its first byte and again as it is read: its last piece comes once all
   * of them had the digest, so that content that is damaged meanwhile never looks whole; act on it only after it ended.
   * @throws as `local`; the stream fails with STORAGE_FAILED
   */
  openRead(sha256: string): Promise<Readable>;

  /** Digests of the artifacts that were last written longer ago than this. */
  olderThan(ageMs: number): AsyncIterable<Sha256>;

  /** Removes an artifact; the caller knows that nothing names it any more. */
  remove(sha256: string): Promise<void>;
}
