import { MINUTE_MS } from '../../kernel/duration.js';
import { choice } from '../../kernel/record.js';
import type { Prisma } from '../../platform/database/index.js';

export const SourceKind = choice('SourceKind', 'Who says what a source has.', {
  MANIFEST: 'A client lists it with `syncSource`, and uploads what is asked for.',
  FOLDER: 'The server reads a folder that its operator allows.',
});
export type SourceKind = keyof typeof SourceKind;

export const SourceState = choice('SourceState', 'How a source stands.', {
  NEW: 'It was never synced.',
  SYNCING: 'A sync is open, or its folder is being read. Until it is committed nothing of it goes away.',
  SYNCED: 'The collection has what the source had at `lastSyncedAt`.',
  FAILED: 'The last reading of its folder failed: see `lastRun`. The collection has what it had before.',
});
export type SourceState = keyof typeof SourceState;

/** A source without the manifest of its open sync, which may have megabytes. */
export type SourceRow = Omit<Prisma.SourceGetPayload<object>, 'manifest'>;

/** How many things of a source are what. */
export interface SourceCounts {
  in: number;
  failed: number;
  empty: number;
}

/** How the reasons of documents without text begin, as parsers state them. */
export const NO_TEXT = '^The (document holds no text|file is empty)';

/** Whether a source was not synced for two of its intervals: one may be missed, and a sync takes its time. */
export const isStale = ({ everyMinutes, syncedAt, createdAt }: SourceRow, now: Date): boolean =>
  everyMinutes !== null && now.getTime() - (syncedAt ?? createdAt).getTime() > 2 * everyMinutes * MINUTE_MS;

/** The bounds of an interval, in minutes. */
export const INTERVAL = { least: 5, most: 60 * 24 * 31 } as const;
