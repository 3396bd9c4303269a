import { BudgetStore } from '../../../src/operate/access/budgets/budget-store.js';
import { loadConfig } from '../../../src/platform/config.js';
import { openAccess, type Access } from '../../../src/operate/access/index.js';
import type { NewKey } from '../../../src/operate/access/keys/api-key-service.js';
import { localCaller, type Role } from '../../../src/kernel/caller.js';
import { systemClock } from '../../../src/kernel/clock.js';
import { DEFAULT_WORKSPACE_ID, newId, type WorkspaceId } from '../../../src/kernel/ids.js';
import { createLogger } from '../../../src/platform/telemetry/index.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';

export interface AccessKit {
  database: TestDatabase;
  access: Access;
  /** Another gateway of the same database. */
  other: Access;
  budgets: BudgetStore;
  key(role: Role, workspace?: WorkspaceId): Promise<NewKey>;
  workspace(): Promise<WorkspaceId>;
  dispose(): Promise<void>;
}

/** Access as a gateway has it that every caller needs a key for; the first key is made as `graft keys create` does. */
export async function accessKit(env: Record<string, string> = {}): Promise<AccessKit> {
  const database = await testDatabase();
  const log = createLogger({ level: 'silent' });
  const open = (GRAFT_HOST: string, GRAFT_REQUIRE_KEY: 'on' | 'off') =>
    openAccess(
      {
        database,
        clock: systemClock,
        log,
        runs: { surround: () => undefined } as never,
        config: { ...loadConfig(env), GRAFT_HOST, GRAFT_REQUIRE_KEY },
      },
      () => Promise.resolve(),
    );
  const before = await open('127.0.0.1', 'off');
  await before.keys.create(DEFAULT_WORKSPACE_ID, { name: 'first', role: 'ADMIN' }, 'test');
  const access = await open('0.0.0.0', 'off');
  const other = await open('127.0.0.1', 'on');
  return {
    database,
    access,
    other,
    budgets: new BudgetStore(database),
    key: (role, workspace = DEFAULT_WORKSPACE_ID) =>
      access.keys.create(workspace, { name: `of ${role}`, role }, 'test'),
    workspace: async () => (await access.workspaces.create(localCaller(), `w ${newId()}`)).id,
    dispose: async () => {
      for (const each of [before, access, other]) await each.offer.stop();
      await database.dispose();
    },
  };
}
