import { join } from 'node:path';
import type { Database } from '../database/index.js';
import type { Logger } from '../telemetry/index.js';
import type { ArtifactStore } from './artifact-store.js';
import { FilesOfHomes } from './files-of-homes.js';
import { homeName, LocalArtifactStore } from './local-artifact-store.js';
import { Bucket, type BucketAccess } from './s3/bucket.js';
import { S3ArtifactStore } from './s3/s3-artifact-store.js';

interface ArtifactStoreOptions {
  /** GRAFT_HOME. */
  home: string;
  /** Of `installationId`. */
  installation: string;
  /** The store that all gateways of the database share; without one, artifacts lie in the home. */
  shared: (BucketAccess & { cacheBytes: number }) | null;
  database: Database;
  log: Logger;
}

/**
 * The store that the configuration asks for. With a shared one, what this home alone had is sent there first; without one,
 * the log says which files of the database are not here.
 * @throws SETUP_FAILED when the shared store can't be used
 */
export async function openArtifactStore({
  home,
  installation,
  shared,
  database,
  log,
}: ArtifactStoreOptions): Promise<ArtifactStore> {
  const name = homeName(home);
  const files = new FilesOfHomes(database);
  const local = new LocalArtifactStore(join(home, 'artifacts'), { homeOf: (sha256) => files.homeOf(sha256, name) });
  const store = shared === null ? local : await openShared(shared, installation, local, files, log);
  for (const { home: where, count, example } of await files.outOfReach(name, store))
    log.warn(
      { files: count, example, home: where },
      where === null
        ? 'files of this database are lost: what reads them fails; put them back from a backup'
        : 'files of this database lie in another home: runs that read them are left to its gateway; share a store (GRAFT_S3_ENDPOINT) to lift this',
    );
  return store;
}

/**
 * The same store without a database beside it: for backups, which read one that they have a snapshot of, and write into one that is
 * being made. It sends nothing anywhere by itself, and what isn't here it calls lost.
 * @throws SETUP_FAILED when the shared store can't be used
 */
export async function artifactStoreAlone({
  home,
  installation,
  shared,
}: Pick<ArtifactStoreOptions, 'home' | 'installation' | 'shared'>): Promise<ArtifactStore> {
  const local = new LocalArtifactStore(join(home, 'artifacts'));
  if (shared === null) return local;
  const { cacheBytes, ...access } = shared;
  const bucket = new Bucket(access, installation);
  await bucket.check();
  return new S3ArtifactStore(bucket, local, cacheBytes);
}

async function openShared(
  { cacheBytes, ...access }: BucketAccess & { cacheBytes: number },
  installation: string,
  local: LocalArtifactStore,
  files: FilesOfHomes,
  log: Logger,
): Promise<ArtifactStore> {
  const bucket = new Bucket(access, installation);
  await bucket.check();
  const store = new S3ArtifactStore(bucket, local, cacheBytes);
  const copies = await files.share(local.home, store);
  if (copies > 0) log.info({ files: copies }, `the files of this home are now in ${bucket.name}`);
  return store;
}
