import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** Where the reference values of others lie beside the repository. */
const FOLDERS = ['../shared/reference', '../../shared/reference'];

/** Like `describe`, for tests on a file of reference values; prints why when it skips. */
export function describeWithReference<T>(file: string, name: string, body: (values: T) => void): void {
  const path = FOLDERS.map((folder) => resolve(folder, file)).find((each) => existsSync(each));
  if (path !== undefined) return describe(name, () => body(JSON.parse(readFileSync(path, 'utf8')) as T));
  console.warn(`SKIPPED: ${name}: no ../shared/reference/${file} here.`);
  describe.skip(name, () => {
    it(`needs ../shared/reference/${file}`, () => undefined);
  });
}
