import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { temporaryFolder, type TemporaryFolder } from './temporary-folder.js';

const run = promisify(execFile);

/** npm's own patience with a registry that isn't there is minutes for each project. */
const PATIENCE = ['retries=1', 'retry-mintimeout=1000', 'retry-maxtimeout=1000', 'timeout=60000'];

/** A project that is not Graft, in a temporary folder: what its packages need, it has only from the registry. */
export class NpmProject {
  private constructor(private readonly folder: TemporaryFolder) {}

  /**
   * @returns the reason as text where there can be none: no npm, no package registry
   * @throws where the registry has these packages, but not in versions that go together
   */
  static async with(packages: readonly string[]): Promise<NpmProject | string> {
    const folder = await temporaryFolder();
    try {
      await run('npm', ['init', '--yes'], { cwd: folder.path });
      await run('npm', ['install', ...PATIENCE.map((word) => `--fetch-${word}`), ...packages], { cwd: folder.path });
      return new NpmProject(folder);
    } catch (error) {
      await folder.remove();
      const line = (error as Error).message.split('\n').find((text) => text.startsWith('npm error'));
      if (/ERESOLVE|ETARGET/.test(line ?? '')) throw error;
      return `no project with ${packages.join(' ')}: ${line ?? (error as Error).message}`;
    }
  }

  get path(): string {
    return this.folder.path;
  }

  remove(): Promise<void> {
    return this.folder.remove();
  }
}
