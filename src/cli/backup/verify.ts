import { join } from 'node:path';
import { GraftError } from '../../kernel/errors.js';
import { checksums, type Migration } from '../../platform/database/index.js';
import { artifactPath } from './artifacts.js';
import { damagedBackup } from './faults.js';
import { measured } from './files.js';
import type { BackupManifest } from './manifest.js';
import type { ProgressListener } from './progress.js';

/** @throws SETUP_FAILED for a backup whose database a later release migrated, or other SQL */
export function checkVersion(manifest: BackupManifest, known: readonly Migration[]): void {
  for (const { name, checksum } of manifest.migrations) {
    const own = known.find((each) => each.name === name);
    if (!own)
      throw new GraftError(
        'SETUP_FAILED',
        `The backup is newer than this program: it has the migration ${name}, which this release does not know.`,
        { hint: `Restore it with the release that wrote it (${manifest.graft}), or a later one.` },
      );
    if (!checksums(own.sql).includes(checksum))
      throw new GraftError('SETUP_FAILED', `The backup was made with another form of the migration ${name}.`, {
        hint: `Restore it with the very release that wrote it (${manifest.graft}).`,
      });
  }
}

/** Reads every file of a backup once. @throws STORAGE_FAILED naming the first that is missing, cut off or changed */
export async function verifyFiles(
  folder: string,
  manifest: BackupManifest,
  { told, signal }: { told: ProgressListener; signal: AbortSignal },
): Promise<void> {
  const files = [
    ...manifest.tables.map(({ file }) => file),
    ...(manifest.vectors ?? []).map(({ file }) => file),
    ...manifest.artifacts.map(({ sha256, bytes }) => ({ path: artifactPath(sha256), bytes, sha256 })),
  ];
  for (const [done, { path, bytes, sha256 }] of files.entries()) {
    if (done % 50 === 0) told({ what: 'verified', done, total: files.length });
    const found = await measured(join(folder, path), signal);
    if (found === null) throw damagedBackup(folder, `${path} is missing`);
    if (found.bytes !== bytes) throw damagedBackup(folder, `${path} has ${found.bytes} bytes in place of ${bytes}`);
    if (found.sha256 !== sha256) throw damagedBackup(folder, `${path} has another content than when it was written`);
  }
  told({ what: 'verified', done: files.length, total: files.length });
}
