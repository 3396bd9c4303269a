import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/platform/package-root.js';
import type { TestDatabase } from './database.js';

/** The key of role ADMIN that an operator makes before the first start, by the command that a refused start names. */
export async function firstKey({ home, database }: { home: string; database: TestDatabase }): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(packageRoot(), 'dist', 'src', 'cli', 'graft.js'), 'keys', 'create', '--role', 'ADMIN', '--at-home'],
    { env: { PATH: process.env.PATH, HOME: process.env.HOME, GRAFT_HOME: home, DATABASE_URL: database.url } },
  );
  return stdout.trim();
}
