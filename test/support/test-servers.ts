import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { migrate } from '../../src/platform/database/index.js';
import { removeHome, startServices, type Services } from '../../src/platform/processes/index.js';
import { createLogger } from '../../src/platform/telemetry/index.js';
import { TEMPLATE } from './database.js';

let running: { services: Services; folder: string; home: string } | undefined;

/**
 * Starts PostgreSQL and Chroma once for a run of jest, in a temporary home. The tests' processes find them by
 * GRAFT_TEST_DATABASE_URL and GRAFT_TEST_CHROMA_URL. If jest itself is killed, the keeper ends them.
 */
export async function startTestServers(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'graft-test-'));
  const home = join(folder, 'home');
  const services = await startServices({ home, log: createLogger({ level: 'error' }) });
  running = { services, folder, home };
  const { databaseUrl, chromaUrl } = services;
  const admin = new pg.Client({ connectionString: databaseUrl });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${TEMPLATE}`);
  await admin.end();
  await migrate(databaseUrl.replace(/[^/]+$/, TEMPLATE));
  process.env.GRAFT_TEST_DATABASE_URL = databaseUrl;
  process.env.GRAFT_TEST_CHROMA_URL = chromaUrl;
}

export async function stopTestServers(): Promise<void> {
  if (running === undefined) return;
  await running.services.stop();
  await removeHome(running.home);
  await rm(running.folder, { recursive: true, force: true });
  running = undefined;
}
