/** Backup and restore of a whole installation: database, files, vectors. */
export { backUp } from './back-up.js';
export { embedAnew } from './embed-anew.js';
export type { Manifest } from './manifest.js';
export { restore, type Restored } from './restore.js';
export type { Told } from './told.js';
