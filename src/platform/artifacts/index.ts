/** Content-addressed files, and users' files on top of them. */
export type { ArtifactStore, StagedBytes } from './artifact-store.js';
export { FileService, type StoredFileRow } from './files.js';
export { ArtifactElsewhere, ArtifactUnreadable, nullIfLost } from './faults.js';
export { homeName, LocalArtifactStore } from './local-artifact-store.js';
export { artifactStoreAlone, openArtifactStore } from './open-artifact-store.js';
export type { BucketAccess } from './s3/bucket.js';
export { sharedStoreOf } from './shared-store.js';
