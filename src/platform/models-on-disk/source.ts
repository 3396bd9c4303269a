import type { Sha256 } from '../../kernel/hashing.js';

/** A source could not give the file; `message` says why in a few words, for the list of what was tried. */
export class SourceFailed extends Error {
  override readonly name = 'SourceFailed';
}

/** What a source gets: where to put the bytes, what is known about them, and how to report its progress. */
export interface Fetching {
  /** Path of the unfinished file; what lies there from an earlier try may be continued. */
  part: string;
  /** Size of the finished file if known. */
  bytes: number | null;
  /** Digest of the finished file if known: it makes a part safe to continue where a server has no strong ETag. */
  sha256: Sha256 | null;
  signal: AbortSignal | undefined;
  onBytes(bytes: number, total: number): void;
}
