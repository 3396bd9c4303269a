import pg from 'pg';
import { isUuid } from '../../kernel/ids.js';
import { currentScope, type Scope } from './scope.js';
import { WALLED_ROLE } from './walled-role.js';

/** A superuser passes every policy by, so it lays that down for the session, once the database has policies. */
const LAY_DOWN = `SELECT set_config('role', walled.rolname, false) FROM pg_roles me, pg_roles walled
  WHERE me.rolname = current_user AND me.rolsuper AND walled.rolname = '${WALLED_ROLE}'
    AND EXISTS (SELECT 1 FROM pg_policy WHERE polname = 'of_workspace')`;

type ConnectCallback = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  done: (release?: unknown) => void,
) => void;

const UNDER_WAY: ReadonlySet<string | null> = new Set(['T', 'E']);

/** What the session setting is to say. */
function settingOf(scope: Scope): string {
  if (scope === 'nobody') return '';
  if (scope !== 'system' && !isUuid(scope)) throw new Error('A workspace’s id is no id.');
  return scope;
}

/**
 * A pool whose connections tell PostgreSQL for whom they are used (`graft.workspace`) as they are handed out. A connection that was last
 * used for the same isn't told again. Where it is, that leaves together with the first statement, so that nobody waits for it. A transaction
 * is for whoever began it.
 */
export class WalledPool extends pg.Pool {
  /** The setting of each connection. */
  readonly #told = new WeakMap<pg.PoolClient, string>();

  /** @param unsaid for whom it is where nobody has said */
  constructor(
    options: pg.PoolConfig,
    private readonly unsaid: Scope,
  ) {
    super({ ...options, pipeline: true });
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(taken: ConnectCallback): void;
  override connect(callback?: ConnectCallback): Promise<pg.PoolClient> | void {
    // Now: a connection that is waited for comes in the context of whoever lets go of it.
    const setting = settingOf(currentScope() ?? this.unsaid);
    if (!callback) return super.connect().then((client) => this.#tell(client, setting));
    super.connect((error, client, release) => callback(error, client && this.#tell(client, setting), release));
  }

  #tell(client: pg.PoolClient, setting: string): pg.PoolClient {
    const previous = this.#told.get(client);
    if (previous === setting) return client;
    // Where a transaction is not known to be over, its end may undo what is said now. Of a new connection nothing is known yet (null).
    if (UNDER_WAY.has(client.getTransactionStatus())) this.#told.delete(client);
    else this.#told.set(client, setting);
    const set = `SET graft.workspace TO '${setting}'`;
    client.query(previous === undefined ? `${LAY_DOWN}; ${set}` : set, (error: Error | undefined) => {
      if (error instanceof pg.DatabaseError) cut(client, error);
    });
    return client;
  }
}

/** What was sent behind a setting that was refused must not be answered: it was asked for somebody else. */
function cut(client: pg.PoolClient, cause: Error): void {
  const { connection } = client as unknown as pg.Client;
  connection.emit('error', new Error('Connection terminated: it could not be told for whom it is.', { cause }));
}
