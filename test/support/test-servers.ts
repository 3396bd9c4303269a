import { join } from 'node:path';
import pg from 'pg';
import { migrate } from '../../src/platform/database/index.js';
import { removeHome, startServices, type Services } from '../../src/platform/processes/index.js';
import { createLogger } from '../../src/platform/telemetry/index.js';
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
    const { databaseUrl, chromaUrl } = running.services;
    const admin = new pg.Client({ connectionString: databaseUrl });
    await admin.connect();
    await admin.query(`CREATE DATABASE ${TEMPLATE}`);
    await admin.end();
    await migrate(databaseUrl.replace(/[^/]+$/, TEMPLATE));
    process.env.GRAFT_TEST_DATABASE_URL = databaseUrl;
    process.env.GRAFT_TEST_CHROMA_URL = chromaUrl;
  } catch (error) {
    // Jest runs no teardown after a setup that failed.
    await stopTestServers();
    throw error;
  }
}

export async function stopTestServers(): Promise<void> {
  if (running === undefined) return;
  await running.services?.stop();
  await removeHome(running.home);
  await running.folder.remove();
  running = undefined;
}
