/** A source could not give the file; `message` says why in a few words, for the list of what was tried. */
export class SourceFailed extends Error {
  override readonly name = 'SourceFailed';
}

/** What a source gets: where to put the bytes, what is known about them, and how to tell how far it is. */
export interface Fetching {
  /** Path of the unfinished file; what lies there from an earlier try may be continued. */
  part: string;
  /** Size of the finished file if known. */
  bytes: number | null;
  signal: AbortSignal | undefined;
  onBytes(bytes: number, total: number): void;
}
