/**
 * How long a backup and a restore of 100,000 chunks take, with their postings (60 words each of a vocabulary of 20,000) and vectors (384
 * dimensions), planted by SQL and straight into Chroma: from one home into an empty one, servers of its own on both sides.
 *
 *   npm run bench -- backup [--chunks 100000]
 */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backUp, restore } from '../src/cli/backup/index.js';
import { DEFAULT_WORKSPACE_ID } from '../src/kernel/ids.js';
import { artifactStoreAlone } from '../src/platform/artifacts/index.js';
import { migrate, openDatabase } from '../src/platform/database/index.js';
import { removeHome, startServices } from '../src/platform/processes/index.js';
import { createLogger } from '../src/platform/telemetry/index.js';
import { ChromaVectorStore } from '../src/platform/vectors/index.js';
import { numberOption } from './support/options.js';
import { plantChunks } from './support/planted-chunks.js';
import { describeMachine, printResult } from './support/report.js';

const CHUNKS = numberOption('chunks', 100_000);
const workspaceId = DEFAULT_WORKSPACE_ID;
const log = createLogger({ level: 'error' });
const { signal } = new AbortController();
const told = () => undefined;

async function opened(home: string) {
  const services = await startServices({ home, log });
  const vectors = new ChromaVectorStore(services.chroma);
  const artifacts = await artifactStoreAlone({ home, installation: 'bench', shared: null });
  return { databaseUrl: services.databaseUrl, vectors, artifacts, home, stop: () => services.stop() };
}
type Opened = Awaited<ReturnType<typeof opened>>;

/** Chunks, postings and vectors of one collection. */
async function plant({ databaseUrl, vectors }: Opened): Promise<void> {
  await migrate(databaseUrl);
  const database = await openDatabase(databaseUrl, { unsaid: 'system' });
  const plan = { name: 'planted', chunks: CHUNKS, chunksPerDocument: 100, topics: 1_000, embedderDigest: 'planted' };
  await plantChunks({ database, vectors, workspaceId }, plan);
  await database.close();
}

async function sizeOf(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function timed<T>(work: () => Promise<T>): Promise<{ seconds: number; done: T }> {
  const began = performance.now();
  const done = await work();
  return { done, seconds: Math.round((performance.now() - began) / 100) / 10 };
}

const folder = await mkdtemp(join(tmpdir(), 'graft-bench-'));
const homes = [join(folder, 'from'), join(folder, 'to')] as const;
try {
  const from = await opened(homes[0]);
  await plant(from);
  console.log('planted');
  const backup = join(folder, 'backup');
  const made = await timed(() => backUp(backup, { ...from, told, signal }));
  await from.stop();
  const bytes = await sizeOf(backup);
  console.log(`backed up in ${made.seconds} s`);
  const to = await opened(homes[1]);
  const back = await timed(() => restore(backup, { ...to, replace: false, told, signal }));
  await to.stop();
  const { toEmbed, vectorsFailed } = back.done;
  if (vectorsFailed !== null || toEmbed.collections.length > 0) throw new Error('The restore lacks vectors.');
  const rows = made.done.tables.reduce((sum, table) => sum + table.rows, 0);
  printResult('backup', {
    machine: describeMachine(),
    rows: [
      {
        chunks: CHUNKS,
        'rows of all tables': rows,
        vectors: made.done.vectors?.[0]?.records ?? 0,
        'backup, s': made.seconds,
        'restore, s': back.seconds,
        'backup, MB': Math.round(bytes / 1e6),
      },
    ],
  });
} finally {
  for (const home of homes) await removeHome(home);
  await rm(folder, { recursive: true, force: true });
}
