import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TemporaryFolder {
  path: string;
  remove(): Promise<void>;
}

/** A fresh folder, passable for other users (so that PostgreSQL's data may lie in it) unless `mode` says otherwise. */
export async function temporaryFolder(mode = 0o711): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), 'graft-test-'));
  await chmod(path, mode);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
