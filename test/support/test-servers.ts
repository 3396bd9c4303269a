import { join } from 'node:path';
import pg from 'pg';
import { migrate } from '../../src/platform/database/index.js';
import { removeHome, startServices, type Services } from '../../src/platform/processes/index.js';
import { createLogger } from '../../src/platform/telemetry/index.js';
import { chromaUrl } from './chroma.js';
import { TEMPLATE } from './database.js';
import { temporaryFolder, type TemporaryFolder } from './temporary-folder.js';

let running: { services?: Services; folder: TemporaryFolder; home: string } | undefined;

/**
 * Starts PostgreSQL and Chroma once for a run of jest, in a temporary home. The tests' processes find them by
 * GRAFT_TEST_DATABASE_URL and GRAFT_TEST_CHROMA_URL. If jest itself is killed, the keeper ends them.
 */
export async function startTestServers(): Promise<void> {
  const folder = await temporaryFolder();
  const home = join(folder.path, 'home');
  running = { folder, home };
  try {
    running.services = await startServices({ home, log: createLogger({ level: 'error' }) });
    await useDatabaseServer(running.services.databaseUrl);
    process.env.GRAFT_TEST_CHROMA_URL = running.services.chroma.url;
  } catch (error) {
    // Jest runs no teardown after a setup that failed.
    await stopTestServers();
    throw error;
  }
}

/**
 * Spares the run the disk, which most tests wait for: each database that is made or dropped has all that changed written out. A power cut
 * is all that it makes worse: a server that is killed loses as much, or as little, as with it. Benchmarks measure without it.
 */
export async function turnOffFsync(): Promise<void> {
  const admin = new pg.Client({ connectionString: process.env.GRAFT_TEST_DATABASE_URL });
  await admin.connect();
  try {
    for (const setting of ['fsync', 'full_page_writes']) await admin.query(`ALTER SYSTEM SET ${setting} = off`);
    await admin.query('SELECT pg_reload_conf()');
  } finally {
    await admin.end();
  }
}

/** Makes the template on a server that has none; the process's tests have their databases there from now on. */
async function useDatabaseServer(url: string): Promise<void> {
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${TEMPLATE}`);
  await migrate(url.replace(/[^/]+$/, TEMPLATE));
  // Tests look at who waits for whom.
  await admin.query('GRANT pg_read_all_stats TO graft_rows');
  await admin.end();
  process.env.GRAFT_TEST_DATABASE_URL = url;
}

/**
 * A PostgreSQL for one test file alone, which means to harm it: a full disk or a killed process ends every test that shares the
 * run's. Jest gives each file an environment of its own, so that the others don't see it.
 * @returns what stops it
 */
export async function ownDatabaseServer(home: string): Promise<() => Promise<void>> {
  const services = await startServices({ home, chromaUrl: chromaUrl(), log: createLogger({ level: 'error' }) });
  await useDatabaseServer(services.databaseUrl);
  return async () => {
    await services.stop();
    await removeHome(home);
  };
}

export async function stopTestServers(): Promise<void> {
  if (running === undefined) return;
  await running.services?.stop();
  await removeHome(running.home);
  await running.folder.remove();
  running = undefined;
}
