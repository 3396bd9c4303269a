import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '../src/platform/database/index.js';
import { packageRoot } from '../src/platform/package-root.js';
import { removeHome, startServices } from '../src/platform/processes/index.js';
import { createLogger } from '../src/platform/telemetry/index.js';
import { differenceToSchema } from './schema-engine.js';

/*
 * `node scripts/build.mjs && node dist/scripts/migration.js NAME` writes the migration that leads from the existing ones to
 * prisma/schema.prisma, on a throw-away PostgreSQL. Read it before you commit it.
 */

const name = process.argv[2];
if (name === undefined || !/^[a-z][a-z0-9_]*$/.test(name)) {
  process.stderr.write('usage: node dist/scripts/migration.js name_in_snake_case\n');
  process.exit(2);
}
const prisma = join(packageRoot(), 'prisma');
const folder = await mkdtemp(join(tmpdir(), 'graft-migration-'));
const home = join(folder, 'home');
const services = await startServices({ home, chromaUrl: 'http://unused', log: createLogger({ level: 'error' }) });
try {
  await migrate(services.databaseUrl);
  const sql = await differenceToSchema(services.databaseUrl, join(prisma, 'schema.prisma'));
  if (sql === '') process.stdout.write('The migrations already lead to schema.prisma.\n');
  else {
    const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
    const file = join(prisma, 'migrations', `${stamp}_${name}`, 'migration.sql');
    await mkdir(join(file, '..'));
    await writeFile(file, sql);
    process.stdout.write(`${file}\n`);
  }
} finally {
  await services.stop();
  await removeHome(home);
  await rm(folder, { recursive: true, force: true });
}
