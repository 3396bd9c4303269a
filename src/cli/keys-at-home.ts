import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { ApiKeyService, ApiKeyStore, AuditLog, AuditStore } from '../access/index.js';
import { localCaller, type Role } from '../kernel/caller.js';
import { systemClock } from '../kernel/clock.js';
import { DEFAULT_WORKSPACE_ID, newId } from '../kernel/ids.js';
import { migrate, openDatabase } from '../platform/database/index.js';
import { runningPostgres, startServices } from '../platform/processes/index.js';
import { createLogger } from '../platform/telemetry/index.js';

const homeFolder = (): string => resolve((process.env.GRAFT_HOME ?? '.graft').replace(/^~(?=\/|$)/, homedir()));

/** The database of the home, started where no gateway runs on it. */
async function databaseOf(home: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const external = process.env.DATABASE_URL;
  if (external) return { url: external, stop: () => Promise.resolve() };
  const log = createLogger({ level: 'error' });
  try {
    // No vector is touched, so that no Chroma is needed: one that is given is not started.
    const services = await startServices({ home, chromaUrl: 'http://127.0.0.1', log });
    return { url: services.databaseUrl, stop: () => services.stop() };
  } catch (error) {
    const url = runningPostgres(home);
    if (url === null) throw error;
    return { url, stop: () => Promise.resolve() };
  }
}

export interface KeyAtHome {
  token: string;
  key: { prefix: string; name: string; role: string };
}

/**
 * Makes a key of the first workspace in the database itself: how the first one comes about, and one in place of keys that got lost.
 * Who may read the home, or has the database's URL, may do anything to it anyway.
 */
export async function createKeyAtHome(name: string, role: Role, expiresAt: Date | null): Promise<KeyAtHome> {
  const { url, stop } = await databaseOf(homeFolder());
  try {
    await migrate(url);
    const database = await openDatabase(url, { unsaid: DEFAULT_WORKSPACE_ID });
    try {
      const keys = new ApiKeyService({ store: new ApiKeyStore(database), clock: systemClock });
      const audit = new AuditLog({ store: new AuditStore(database), log: createLogger({ level: 'error' }) });
      const change: { after?: Record<string, string> } = {};
      const call = {
        what: 'createApiKey',
        who: 'graft keys create',
        caller: localCaller(),
        requestId: newId(),
        change,
      };
      return await audit.around({ ...call, input: { name, role, expiresAt } }, async () => {
        const made = await keys.create(DEFAULT_WORKSPACE_ID, { name, role, expiresAt }, 'graft keys create');
        change.after = { name, role, prefix: made.key.prefix };
        return made;
      });
    } finally {
      await database.close();
    }
  } finally {
    await stop();
  }
}
