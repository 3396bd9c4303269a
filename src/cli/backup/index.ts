/** Backup and restore of a whole installation: database, files, vectors. */
export { backUp } from './back-up.js';
export { embedAnew } from './embed-anew.js';
export type { BackupManifest } from './manifest.js';
export { restore, type Restored } from './restore.js';
export type { ProgressListener } from './progress.js';
