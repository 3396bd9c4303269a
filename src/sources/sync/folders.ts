import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { badInput, GraftError } from '../../kernel/errors.js';

/** The folders that the operator lets sources read, by name. */
export class Folders {
  constructor(private readonly roots: Readonly<Record<string, string>>) {}

  /**
   * The real path of a folder that is named by its root and the way from there: `handbook/2026`.
   * @throws BAD_USER_INPUT where it isn't allowed; STORAGE_FAILED where it isn't there now
   */
  async resolve(folder: string, field: string): Promise<string> {
    const [name = '', ...steps] = folder.split('/');
    const root = Object.hasOwn(this.roots, name) ? this.roots[name] : undefined;
    if (root === undefined || steps.some((step) => step === '' || step.startsWith('.') || step.includes('\0')))
      throw badInput(
        field,
        `The operator allows no folder ${JSON.stringify(folder)}.`,
        `GRAFT_SOURCE_FOLDERS names those that sources may read: ${Object.keys(this.roots).join(', ') || 'none yet'}.`,
      );
    try {
      const realRoot = await realpath(root);
      const path = await realpath(join(realRoot, ...steps));
      if (path !== join(realRoot, ...steps))
        throw badInput(field, `A symbolic link leads to ${JSON.stringify(folder)}.`);
      if (!(await stat(path)).isDirectory()) throw badInput(field, `${JSON.stringify(folder)} is no folder.`);
      return path;
    } catch (cause) {
      if (cause instanceof GraftError) throw cause;
      const { code } = cause as NodeJS.ErrnoException;
      throw new GraftError('STORAGE_FAILED', `The folder ${JSON.stringify(folder)} can’t be read (${code}).`, {
        hint: 'Nothing was changed. Bring it back, and sync again.',
        cause,
      });
    }
  }
}
