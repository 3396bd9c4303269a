import type { Groups } from '../../kernel/caller.js';
import type { WorkspaceId } from '../../kernel/ids.js';

/** A document whose text must go, also where it was quoted. */
export interface ErasedDocument {
  id: string;
  name: string;
  collectionId: string;
  collectionName: string;
  /** Its passages, as far as they are still known. */
  chunkIds: readonly string[];
}

/** What must leave no trace in a workspace. */
export interface Traces {
  workspaceId: WorkspaceId;
  /** Entity of feature views, subject of dataset rows. */
  person?: string;
  documents?: readonly ErasedDocument[];
  /** Collections that go as a whole, when none of their documents is left. */
  collections?: readonly string[];
  /** Versions of adapters that were taken out of the registry. */
  adapterVersions?: readonly string[];
  /** Digests of contents whose files go, unless something that stays needs them. */
  contents?: readonly string[];
  /** Ids of files that go, unless something that stays needs their content and no other file has it. */
  files?: readonly string[];
}

/** A place that holds copies of what people wrote or of what is known about them. Each domain registers its own. */
export interface Holder {
  /** In the plural, as the report names them: `answers`. */
  readonly name: string;
  /** Removes the traces that it has, and may be called again for the same ones. @returns from how many records */
  erase(traces: Traces): Promise<number>;
}

/** Something that can't do without the content of a file. */
export interface Dependant {
  /**
   * Why contents have to stay, by digest; those that may go are missing.
   * @param groups of whoever reads it: no reason names what they don't see
   */
  needs(workspaceId: WorkspaceId, contents: readonly string[], groups: Groups): Promise<ReadonlyMap<string, string>>;
}

/**
 * Something that a domain marks as deleted and whose rows stay as the reminder until an erasure is done with them. A run names
 * them by id; what there is of them it asks here.
 */
export interface ErasableSubject {
  /** How runs name it: `documents`. */
  readonly name: string;
  /** What is left of these, in batches. Going on to the next one says that the last has left no trace: its reminder may go. */
  batches(workspaceId: WorkspaceId, ids: readonly string[], signal: AbortSignal): AsyncIterable<Traces>;
  /** How many are left; after the last batch, those that something else still works on. */
  left(workspaceId: WorkspaceId, ids: readonly string[]): Promise<number>;
}
