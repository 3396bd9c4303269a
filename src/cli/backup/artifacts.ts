import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { ArtifactStore } from '../../platform/artifacts/index.js';
import { damagedBackup } from './faults.js';
import type { BackupManifest } from './manifest.js';
import type { ProgressListener } from './progress.js';

/** Where a file lies in a backup. */
export const artifactPath = (sha256: string): string => join('artifacts', sha256.slice(0, 2), sha256);

/** The files of a backup into a store; those that it has already, whole, stay. */
export async function putArtifacts(
  folder: string,
  store: ArtifactStore,
  files: BackupManifest['artifacts'],
  { told, signal }: { told: ProgressListener; signal: AbortSignal },
): Promise<void> {
  for (const [index, { sha256, bytes }] of files.entries()) {
    signal.throwIfAborted();
    if (index % 50 === 0) told({ what: 'files', done: index, total: files.length });
    if (await store.local(sha256).catch(() => null)) continue;
    const source = createReadStream(join(folder, artifactPath(sha256)));
    const staged = await store.stage(source, { maxBytes: bytes });
    try {
      if (staged.sha256 !== sha256) throw damagedBackup(folder, `the file ${sha256} has another content`);
      await staged.commit();
    } finally {
      await staged.discard();
    }
  }
  told({ what: 'files', done: files.length, total: files.length });
}
