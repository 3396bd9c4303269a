import pg from 'pg';
import { setImmediate as turn } from 'node:timers/promises';
import { DEFAULT_WORKSPACE_ID, newId, type WorkspaceId } from '../../src/kernel/ids.js';
import {
  asSystem,
  bypassesWall,
  currentScope,
  inScope,
  inWorkspace,
  migrate,
  openDatabase,
  type Database,
  type Scope,
} from '../../src/platform/database/index.js';
import { asOwner } from '../support/as-owner.js';
import { ownedDatabase, testDatabase, type TestDatabase } from '../support/database.js';
import { rowInEveryTable } from '../support/every-table.js';

/** Tables that hold nothing of a workspace's. */
const OF_THE_INSTALLATION: Readonly<Record<string, string>> = {
  _prisma_migrations: 'how the tables came about',
  metric_retention: 'from when on series are kept, for all',
};

const TABLES = `
  SELECT c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity AS walled,
    ARRAY(SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polrelid = c.oid) AS policies,
    ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
          ORDER BY attnum) AS columns
  FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY 1`;

interface Table {
  name: string;
  walled: boolean;
  policies: string[];
  columns: string[];
}

const query = async (connectionString: string, sql: string): Promise<void> => {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(sql).finally(() => client.end());
};

const REFUSED = '42501';
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: { code?: string }) => error.code ?? error,
  );

describe('the wall behind the queries', () => {
  let database: TestDatabase;
  let url: string;
  /** As a gateway has it: what says nothing is nobody's. */
  let walled: Database;
  let tables: Table[];
  const owner = DEFAULT_WORKSPACE_ID;
  const stranger = newId() as string as WorkspaceId;

  beforeAll(async () => {
    database = await testDatabase();
    url = database.url;
    walled = await openDatabase(url);
    tables = (await database.pool.query<Table>(TABLES)).rows;
    await database.prisma.workspace.create({ data: { id: stranger, name: 'stranger' } });
    await rowInEveryTable(database.pool, owner);
  });

  afterAll(async () => {
    await walled.close();
    await database.dispose();
  });

  const own = () => tables.filter(({ name }) => !(name in OF_THE_INSTALLATION));
  const count = async (name: string, scope: Scope): Promise<number> => {
    const query = () => walled.pool.query<{ count: number }>(`SELECT count(*)::int AS count FROM "${name}"`);
    return (await inScope(scope, query)).rows[0]!.count;
  };

  it('stands around every table, whoever owns it; one that a migration adds without a policy fails here', () => {
    expect(tables.length).toBeGreaterThan(60);
    const open = own().filter(({ walled: is, policies }) => !is || policies.length !== 1);
    expect(open.map(({ name }) => name)).toEqual([]);
    const withWorkspace = own().filter(({ columns }) => columns.includes('workspace_id'));
    for (const { name, policies } of withWorkspace)
      expect([name, policies[0]]).toEqual([name, withWorkspace[0]!.policies[0]]);
    expect(Object.keys(OF_THE_INSTALLATION).filter((name) => !tables.some((table) => table.name === name))).toEqual([]);
  });

  it('shows the rows of a workspace to it and to the installation, and none to another or to who says nothing', async () => {
    for (const { name } of own()) {
      const others = name === 'workspace' ? 1 : 0;
      expect([name, await count(name, owner)]).toEqual([name, 1]);
      expect([name, await count(name, stranger)]).toEqual([name, others]);
      expect([name, await count(name, 'nobody')]).toEqual([name, 0]);
      expect([name, await count(name, 'system')]).toEqual([name, 1 + others]);
      const unsaid = await walled.pool.query(`SELECT 1 FROM "${name}"`);
      expect([name, unsaid.rowCount]).toEqual([name, 0]);
    }
  });

  it('lets another workspace change, lock, take over, remove and make nothing, though the statement names it or names none', async () => {
    for (const { name, columns } of own()) {
      const key = columns.includes('workspace_id') ? 'workspace_id' : name === 'workspace' ? 'id' : null;
      const first = columns.find((column) => column !== key) ?? columns[0]!;
      const named = key ? [`WHERE "${key}" = '${owner}'`] : [];
      for (const where of ['', ...named]) {
        // Its own workspace is the one row that a stranger has here.
        const mine = name === 'workspace' && where === '' ? 1 : 0;
        const result = await asStranger(async (client) => {
          const updated = await client.query(`UPDATE "${name}" SET "${first}" = "${first}" ${where}`);
          const locked = await client.query(`SELECT 1 FROM "${name}" ${where} FOR UPDATE`);
          const deleted = await client.query(`DELETE FROM "${name}" ${where}`);
          return [updated.rowCount, locked.rowCount, deleted.rowCount];
        });
        expect([name, where, result]).toEqual([name, where, [mine, mine, mine]]);
      }
      const row = await asSystem(() =>
        walled.pool.query<{ row: object }>(`SELECT to_jsonb(t) AS row FROM "${name}" t LIMIT 1`),
      );
      const list = columns.map((column) => `"${column}"`).join(', ');
      const added = asStranger((client) =>
        client.query(`INSERT INTO "${name}" (${list}) SELECT ${list} FROM jsonb_populate_record(NULL::"${name}", $1)`, [
          name === 'workspace' ? { ...row.rows[0]!.row, id: owner } : row.rows[0]!.row,
        ]),
      );
      expect([name, await codeOf(added)]).toEqual([name, REFUSED]);
      if (key === 'workspace_id') {
        const given = inWorkspace(owner, () => walled.pool.query(`UPDATE "${name}" SET workspace_id = $1`, [stranger]));
        expect([name, await codeOf(given)]).toEqual([name, REFUSED]);
      }
    }
    for (const { name } of own()) expect([name, await count(name, owner)]).toEqual([name, 1]);
  });

  /** Undone in any case. */
  async function asStranger<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await inWorkspace(stranger, () => walled.pool.connect());
    try {
      await client.query('BEGIN');
      return await work(client);
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
  }

  const settings = (text = `SELECT current_setting('graft.workspace', true) AS is`) =>
    walled.pool.query<{ is: string }>(text).then(({ rows }) => rows[0]!.is);

  it('is told anew where a connection goes from one workspace to another, however many wait for one', async () => {
    const workspaces = [owner, stranger, ...Array.from({ length: 6 }, () => newId() as string as WorkspaceId)];
    await asSystem(() =>
      walled.prisma.feedbackRetention.createMany({
        data: workspaces.slice(1).map((workspaceId, at) => ({ workspaceId, days: at + 1 })),
      }),
    );
    const seen = (workspaceId: WorkspaceId) =>
      inWorkspace(workspaceId, async () => {
        await turn();
        const all = await Promise.all([
          settings(),
          walled.prisma.feedbackRetention.findMany().then((rows) => rows.map((row) => row.workspaceId).join()),
          walled.prisma.feedbackRetention.findFirst().then((row) => row?.workspaceId),
          walled.prisma.$transaction(async (tx) => {
            await turn();
            const [row] = await tx.$queryRaw<{ is: string }[]>`SELECT current_setting('graft.workspace') AS is`;
            return row!.is;
          }),
          walled.prisma.$transaction(async (tx) => {
            await tx.feedbackRetention.findMany();
            // Within another's work, but not for it: a transaction is for whoever began it.
            return asSystem(async () => (await tx.feedbackRetention.findMany()).map((row) => row.workspaceId).join());
          }),
        ]);
        return [...new Set(all)];
      });
    // Forty at once, on sixteen connections.
    for (let round = 0; round < 12; round += 1)
      expect(await Promise.all(workspaces.map(seen))).toEqual(workspaces.map((workspaceId) => [workspaceId]));
    await asSystem(() => walled.prisma.feedbackRetention.deleteMany({ where: { workspaceId: { not: owner } } }));
  });

  it('holds after a statement failed, and after a transaction was undone', async () => {
    for (const scope of [owner, stranger, owner] as const)
      await inWorkspace(scope, async () => {
        expect(await codeOf(walled.pool.query('SELECT 1 / 0'))).toBe('22012');
        const undone = walled.prisma.$transaction(async (tx) => {
          await tx.workspace.findMany();
          await tx.$queryRaw`SELECT 1 / 0`;
        });
        await expect(undone).rejects.toThrow();
        const thrown = walled.prisma.$transaction(async (tx) => {
          await tx.workspace.findMany();
          throw new Error('no');
        });
        await expect(thrown).rejects.toThrow('no');
        expect(await Promise.all([settings(), settings(), settings()])).toEqual([scope, scope, scope]);
        expect((await walled.prisma.workspace.findMany()).map(({ id }) => id)).toEqual([scope]);
      });
  });

  it('costs a workspace that goes on asking nothing more to send, and one that comes no wait', async () => {
    const alone = await openDatabase(url);
    // What the gateway sends and gets, in its order: a question is over when PostgreSQL is ready for another.
    const wire: string[] = [];
    const watched = new WeakSet<object>();
    alone.pool.on('acquire', (client) => {
      if (watched.has(client)) return;
      watched.add(client);
      const { connection } = client as unknown as pg.Client;
      for (const name of ['query', 'sync'] as const) {
        const send = (connection as unknown as Record<string, (...args: unknown[]) => unknown>)[name]!.bind(connection);
        Object.assign(connection, {
          [name]: (...args: unknown[]) => {
            wire.push('sent');
            return send(...args);
          },
        });
      }
      connection.on('readyForQuery', () => wire.push('ready'));
    });
    const ask = async (scope: Scope): Promise<string[]> => {
      wire.length = 0;
      await inScope(scope, () => alone.pool.query('SELECT 1 WHERE $1::int = 1', [1]));
      return [...wire];
    };
    const alike = ['sent', 'ready'];
    const told = ['sent', 'sent', 'ready', 'ready'];
    expect(await ask(owner)).toEqual(told);
    expect(await ask(owner)).toEqual(alike);
    expect(await ask(owner)).toEqual(alike);
    expect(await ask(stranger)).toEqual(told);
    expect(await ask(stranger)).toEqual(alike);
    expect(await ask('system')).toEqual(told);
    wire.length = 0;
    await inWorkspace(owner, () => alone.prisma.$transaction((tx) => tx.workspace.findMany()));
    // BEGIN, the question, COMMIT.
    expect(wire).toEqual([...told, ...alike, ...alike]);
    await alone.close();
  });

  it('answers nothing where a connection can’t be told for whom it is', async () => {
    const alone = await openDatabase(url);
    const client = await inWorkspace(owner, () => alone.pool.connect());
    // From now on PostgreSQL refuses the name.
    await client.query(`SELECT 1`);
    client.release();
    alone.pool.once('acquire', (taken) => {
      const query = (taken.query as (...all: unknown[]) => unknown).bind(taken);
      Object.assign(taken, {
        query: (text: string, ...rest: unknown[]) => {
          delete (taken as { query?: unknown }).query;
          return query(text.replace('graft.workspace', 'graft.1'), ...rest);
        },
      });
    });
    const asked = inWorkspace(stranger, () => alone.pool.query('SELECT id FROM workspace'));
    await expect(asked).rejects.toThrow('Connection terminated');
    const again = await inWorkspace(stranger, () => alone.pool.query<{ id: string }>('SELECT id FROM workspace'));
    expect(again.rows).toEqual([{ id: stranger }]);
    await alone.close();
  });

  it('carries along for whom work is, and lets no work go on as another’s', async () => {
    expect(currentScope()).toBeUndefined();
    await inWorkspace(owner, async () => {
      expect(currentScope()).toBe(owner);
      await asSystem(async () => {
        await turn();
        expect(currentScope()).toBe('system');
      });
      expect(currentScope()).toBe(owner);
    });
    // Prisma begins when somebody waits, not when it is called.
    const found = await asSystem(() => walled.prisma.workspace.findMany());
    expect(found).toHaveLength(2);
  });

  describe('with a database of one’s own', () => {
    let owned: Awaited<ReturnType<typeof ownedDatabase>>;
    beforeAll(async () => void (owned = await ownedDatabase()));
    afterAll(() => owned.drop());

    it('holds for an owner of the tables who is no superuser, too', async () => {
      expect(await migrate(owned.url)).not.toEqual([]);
      const opened = await openDatabase(owned.url);
      try {
        expect(await bypassesWall(opened)).toBeNull();
        await asSystem(() => opened.prisma.workspace.create({ data: { id: stranger, name: 'stranger' } }));
        expect(await inWorkspace(stranger, () => opened.prisma.workspace.findMany())).toHaveLength(1);
        expect(await opened.prisma.workspace.findMany()).toEqual([]);
        expect(await migrate(owned.url)).toEqual([]);
      } finally {
        await opened.close();
      }
    });

    it('holds for a superuser who comes to tables that the owner made or a dump brought without rights, or that another superuser adds to', async () => {
      // Graft on another database of the server has made the role.
      const spoil = [
        'SELECT 1',
        'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM graft_rows',
        'CREATE TABLE later (id int); REVOKE ALL ON later FROM graft_rows',
      ];
      for (const sql of spoil) {
        await query(owned.asSuperuser, sql);
        expect(await migrate(owned.asSuperuser)).toEqual([]);
        const opened = await openDatabase(owned.asSuperuser);
        try {
          expect(await bypassesWall(opened)).toBeNull();
          expect(await opened.prisma.workspace.findMany()).toEqual([]);
          expect(await asSystem(() => opened.prisma.workspace.findMany())).toHaveLength(2);
          if (sql.includes('later')) expect((await opened.pool.query('SELECT 1 FROM later')).rowCount).toBe(0);
        } finally {
          await opened.close();
        }
      }
      await query(owned.asSuperuser, 'DROP TABLE later');
    });

    it('says so where the role passes it by', async () => {
      await asOwner(database.pool, (client) => client.query(`ALTER ROLE ${owned.owner} BYPASSRLS`));
      const opened = await openDatabase(owned.url);
      expect(await bypassesWall(opened)).toBe(owned.owner);
      await opened.close();
      expect(await bypassesWall(database)).toBeNull();
    });
  });
});
