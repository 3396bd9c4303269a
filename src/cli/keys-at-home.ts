import { createLocalKey, WorkspaceStore } from '../operate/access/index.js';
import { GraftClientError } from '../client/graft-client.js';
import type { Role } from '../kernel/caller.js';
import { DEFAULT_WORKSPACE_ID, type WorkspaceId } from '../kernel/ids.js';
import { migrate, openDatabase, type Database } from '../platform/database/index.js';
import { createLogger } from '../platform/telemetry/index.js';
import { databaseHere } from './installation.js';

export interface KeyAtHome {
  token: string;
  key: { prefix: string; name: string; role: string };
  /** Where it was made, for people. */
  where: string;
}

/**
 * Makes a key in the database itself: how the first one comes about, and one in place of keys that got lost.
 * Who may read the home, or has the database's URL, may do anything to it anyway.
 * @param workspace its name; the first one by default
 * @throws GraftClientError NOT_FOUND; SETUP_FAILED where there is no home that could have it
 */
export async function createKeyAtHome(
  { name, role, expiresAt }: { name: string; role: Role; expiresAt: Date | null },
  workspace: string | undefined,
): Promise<KeyAtHome> {
  // A home that would only be made now has the first workspace and no other.
  const { url, where, stop } = await databaseHere({ there: workspace !== undefined });
  try {
    await migrate(url);
    const database = await openDatabase(url, { unsaid: DEFAULT_WORKSPACE_ID });
    try {
      const workspaceId = await idOf(workspace, database);
      const log = createLogger({ level: 'error' });
      const createdKey = await createLocalKey(
        database,
        log,
        workspaceId,
        { name, role, expiresAt },
        'graft keys create',
      );
      return { ...createdKey, where };
    } finally {
      await database.close();
    }
  } finally {
    await stop();
  }
}

async function idOf(workspace: string | undefined, database: Database): Promise<WorkspaceId> {
  if (workspace === undefined) return DEFAULT_WORKSPACE_ID;
  const record = await new WorkspaceStore(database).byName(workspace);
  if (!record) throw new GraftClientError('NOT_FOUND', `There is no workspace ${JSON.stringify(workspace)}.`);
  return record.id;
}
