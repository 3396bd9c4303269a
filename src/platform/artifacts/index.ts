/** Content-addressed files, and users' files on top of them. */
export type { ArtifactStore, StagedBytes, StoredBytes } from './artifact-store.js';
export { FileService, type NewFile, type StoredFileRow } from './files.js';
export { LocalArtifactStore } from './local-artifact-store.js';
