/** Content-addressed files, and users' files on top of them. */
export { ArtifactStore, type StagedBytes, type StoredBytes } from './artifact-store.js';
export { FileService, type NewFile, type StoredFileRow } from './files.js';
