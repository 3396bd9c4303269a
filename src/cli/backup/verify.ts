import { join } from 'node:path';
import { GraftError } from '../../kernel/errors.js';
import { checksums, type Migration } from '../../platform/database/index.js';
import { artifactPath } from './artifacts.js';
import { damagedBackup } from './faults.js';
import { measured } from './files.js';
import type { BackupManifest } from './manifest.js';
import type { ProgressListener } from './progress.js';

/** @throws SETUP_FAILED for a backup whose database a later release migrated, or other SQL */
export function checkVersion(manifest: BackupManifest, migrations: readonly Migration[]): void {
  for (const { name, checksum } of manifest.migrations) {
    const migration = migrations.find((candidate) => candidate.name === name);
    if (!migration)
      throw new GraftError(
        'SETUP_FAILED',
        `The backup is newer than this program: it has the migration ${name}, which this release does not know.`,
        { hint: `Restore it with the release that wrote it (${manifest.graft}), or a later one.` },
      );
    if (!checksums(migration.sql).includes(checksum))
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
  for (const [index, { path, bytes, sha256 }] of files.entries()) {
    if (index % 50 === 0) told({ what: 'verified', done: index, total: files.length });
    const measurement = await measured(join(folder, path), signal);
    if (measurement === null) throw damagedBackup(folder, `${path} is missing`);
    if (measurement.bytes !== bytes)
      throw damagedBackup(folder, `${path} has ${measurement.bytes} bytes in place of ${bytes}`);
    if (measurement.sha256 !== sha256)
      throw damagedBackup(folder, `${path} has another content than when it was written`);
  }
  told({ what: 'verified', done: files.length, total: files.length });
}
