import { join } from 'node:path';
import type { Pool } from 'pg';
import {
  backUp,
  restore,
  type BackupManifest,
  type Restored,
  type ProgressListener,
} from '../../../src/cli/backup/index.js';
import { asOwner } from '../../support/as-owner.js';
import { LocalArtifactStore, type ArtifactStore } from '../../../src/platform/artifacts/index.js';
import { openDatabase, type Database } from '../../../src/platform/database/index.js';
import { ChromaVectorStore } from '../../../src/platform/vectors/index.js';
import { chromaUrl } from '../../support/chroma.js';
import { emptyDatabase } from '../../support/database.js';

/** An installation without a gateway: a database, a folder of files, the run's Chroma under a tenant of its own. */
export interface Place {
  url: string;
  home: string;
  artifacts: ArtifactStore;
  vectors: ChromaVectorStore;
  dispose(): Promise<void>;
}

export async function place(home: string, given?: { url: string }): Promise<Place> {
  const made = given ? null : await emptyDatabase();
  return {
    url: given?.url ?? made!.url,
    home,
    artifacts: new LocalArtifactStore(join(home, 'artifacts')),
    vectors: new ChromaVectorStore({ url: chromaUrl(), tenant: `place_${crypto.randomUUID()}` }),
    dispose: async () => made?.drop(),
  };
}

const watching = (signal?: AbortSignal) => ({ told: () => undefined, signal: signal ?? new AbortController().signal });

export const backUpTo = (
  folder: string,
  { url, artifacts, vectors, home }: Place,
  options: { vectors?: boolean; signal?: AbortSignal; told?: ProgressListener } = {},
): Promise<BackupManifest> =>
  backUp(folder, {
    ...watching(options.signal),
    ...(options.told && { told: options.told }),
    databaseUrl: url,
    artifacts,
    home,
    vectors: options.vectors ? vectors : null,
  });

export const restoreTo = (
  folder: string,
  { url, artifacts, vectors }: Place,
  options: { replace?: boolean; migrations?: string; signal?: AbortSignal; told?: ProgressListener } = {},
): Promise<Restored> => {
  const { replace = false, migrations } = options;
  return restore(folder, {
    ...watching(options.signal),
    ...(options.told && { told: options.told }),
    databaseUrl: url,
    artifacts,
    vectors,
    replace,
    ...(migrations !== undefined && { migrations }),
  });
};

/** The database of a place for a moment: while one is open as a gateway has it, nothing is restored into it. */
export async function inDatabase<T>(url: string, work: (database: Database) => Promise<T>): Promise<T> {
  const database = await openDatabase(url, { unsaid: 'system' });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/** One digest over all rows of each table, its form included. */
export const contentOf = (url: string): Promise<Record<string, string>> =>
  inDatabase(url, async ({ pool }) => {
    const { rows } = await pool.query<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`,
    );
    const content: Record<string, string> = {};
    for (const { name } of rows) {
      const { rows: found } = await pool.query<{ digest: string }>(
        `SELECT count(*) || ' rows, ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') AS digest FROM "${name}" t`,
      );
      content[name] = found[0]!.digest;
    }
    return content;
  });

const DANGLING = `
  SELECT format('DELETE FROM %s a WHERE %s AND NOT EXISTS (SELECT 1 FROM %s b WHERE %s)', conrelid::regclass,
    (SELECT string_agg(format('a.%I IS NOT NULL', attname), ' AND ')
       FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY(conkey)),
    confrelid::regclass,
    (SELECT string_agg(format('a.%I = b.%I', own.attname, its.attname), ' AND ') FROM unnest(conkey, confkey) AS pair(k, f)
       JOIN pg_attribute own ON own.attrelid = conrelid AND own.attnum = k
       JOIN pg_attribute its ON its.attrelid = confrelid AND its.attnum = f)) AS statement
  FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace`;

/** Of rows that were written without a look at references (`rowInEveryTable`), keeps those that may be there. */
export async function keepLawfulRows(pool: Pool): Promise<void> {
  await asOwner(pool, async (client) => {
    await client.query('SET session_replication_role = replica');
    const { rows } = await client.query<{ statement: string }>(DANGLING);
    for (let gone = 1; gone > 0;) {
      gone = 0;
      for (const { statement } of rows) gone += (await client.query(statement)).rowCount ?? 0;
    }
  });
}
