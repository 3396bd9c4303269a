import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Puts a file system of so many KiB at a folder. @returns a function that takes it away again @throws where this user may not */
export function mountSmallDisk(folder: string, kibibytes: number): () => void {
  mkdirSync(folder, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kibibytes}k`, 'tmpfs', folder], { stdio: 'ignore' });
  return () => void execFileSync('umount', ['-l', folder], { stdio: 'ignore' });
}

/** Whether this user may mount anything here: for `itWhen`. */
export function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'graft-mount-'));
  try {
    mountSmallDisk(folder, 64)();
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
