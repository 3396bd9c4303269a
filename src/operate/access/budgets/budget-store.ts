import type pg from 'pg';
import { GraftError } from '../../../kernel/errors.js';
import { isUuid, type WorkspaceId } from '../../../kernel/ids.js';
import type { Database } from '../../../platform/database/index.js';
import type { BudgetLimits, BudgetState, BudgetWindow } from './budget.js';
import { TRAININGS } from './kinds.js';

/** Whose budgets are meant: a workspace's and, where there is a key, its line's. */
export interface Payer {
  workspaceId: WorkspaceId;
  lineId: string | null;
}

interface StateRow {
  subject: string;
  window: BudgetWindow;
  resets: Date;
  requests: string | null;
  tokens: string | null;
  concurrent: number | null;
  minutes: number | null;
  requests_left: string | null;
  tokens_left: string | null;
  concurrent_left: number | null;
  minutes_left: number | null;
}

const numberOf = (value: string | number | null): number | null => (value === null ? null : Number(value));

const asState = (row: StateRow): BudgetState => ({
  subject: row.subject,
  window: row.window,
  resetsAt: row.resets,
  limits: {
    requests: numberOf(row.requests),
    tokens: numberOf(row.tokens),
    concurrent: row.concurrent,
    trainingMinutes: row.minutes,
  },
  left: {
    requests: numberOf(row.requests_left),
    tokens: numberOf(row.tokens_left),
    concurrent: numberOf(row.concurrent_left),
    trainingMinutes: row.minutes_left,
  },
});

/** Which rows of `budget` a payer's work counts on: $1 is the workspace, $2 the line. */
const OF_PAYER = `b.workspace_id = $1 AND b.subject_id IN ($1, $2)`;
const STARTED = `date_trunc(lower(b."window"), now(), 'UTC')`;

const TRAINING_KINDS = [...TRAININGS].map((kind) => `'${kind}'`).join(', ');

/** Minutes of training since a moment: from the runs themselves, so that those at work count and nothing need be added up. */
const TRAINED = `(
  SELECT coalesce(sum(extract(epoch FROM coalesce(t.finished_at, now()) - greatest(t.started_at, w.started))), 0) / 60
  FROM run t
  WHERE t.workspace_id = b.workspace_id AND (b.subject_id = b.workspace_id OR t.asked_by = b.subject_id)
    AND t.kind IN (${TRAINING_KINDS}) AND coalesce(t.finished_at, now()) > w.started)::float8`;

/** A reservation whose time is over has no place among those at work; its tokens count until it is swept, and then as spent. */
const STATES = `
  SELECT b.subject_id AS subject, b."window", w.started,
    (w.started AT TIME ZONE 'UTC' + ('1 ' || b."window")::interval) AT TIME ZONE 'UTC' AS resets,
    b.requests, b.tokens, b.concurrent, b.training_minutes AS minutes,
    b.requests - coalesce(s.requests, 0) AS requests_left,
    b.tokens - coalesce(s.tokens, 0) - r.tokens AS tokens_left,
    b.concurrent - r.held AS concurrent_left,
    CASE WHEN b.training_minutes IS NOT NULL THEN b.training_minutes - ${TRAINED} END AS minutes_left
  FROM budget b
  CROSS JOIN LATERAL (SELECT ${STARTED} AS started) w
  LEFT JOIN spending s ON s.workspace_id = b.workspace_id AND s.subject_id = b.subject_id
    AND s."window" = b."window" AND s.started_at = w.started
  CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE h.until >= clock_timestamp())::int AS held, coalesce(sum(h.tokens), 0) AS tokens FROM reservation h
    WHERE h.workspace_id = b.workspace_id AND (b.subject_id = b.workspace_id OR h.line_id = b.subject_id)) r
  WHERE ${OF_PAYER}
  ORDER BY b.subject_id = b.workspace_id, b."window"`;

/**
 * What is left and, unless that refuses the work, one request and a reservation on top: $3 is its id, $4 the line or null, $5 tokens, $6 seconds
 * and $7 whether it trains. The rule is `spentOne`'s. A statement of its own behind the lock: it sees what was committed while that was waited for.
 */
const RESERVE = `
  WITH state AS MATERIALIZED (${STATES}),
  answer AS (SELECT NOT EXISTS (SELECT FROM state WHERE requests_left <= 0 OR tokens_left <= 0 OR concurrent_left <= 0
    OR ($7 AND minutes_left <= 0)) AS admitted),
  charged AS (
    INSERT INTO spending AS s (workspace_id, subject_id, "window", started_at, requests, tokens)
    SELECT $1, subject, "window", started, 1, 0 FROM state, answer WHERE admitted ORDER BY subject, "window"
    ON CONFLICT (workspace_id, subject_id, "window", started_at) DO UPDATE SET requests = s.requests + 1),
  held AS (
    INSERT INTO reservation (id, workspace_id, line_id, tokens, created_at, until)
    SELECT $3, $1, $4, $5, now(), clock_timestamp() + make_interval(secs => $6) FROM answer
    WHERE admitted AND EXISTS (SELECT FROM state))
  SELECT * FROM state, answer ORDER BY subject = $1, "window"`;

/** Adds $3 requests and $4 tokens to the windows of now. */
const CHARGE = `
  INSERT INTO spending AS s (workspace_id, subject_id, "window", started_at, requests, tokens)
  SELECT b.workspace_id, b.subject_id, b."window", ${STARTED}, $3, $4 FROM budget b WHERE ${OF_PAYER}
  ORDER BY b.subject_id, b."window"
  ON CONFLICT (workspace_id, subject_id, "window", started_at)
  DO UPDATE SET requests = s.requests + excluded.requests, tokens = s.tokens + excluded.tokens`;

/**
 * What reservations came to is added to the windows in which they were made. Windows are locked in the order in which `CHARGE` takes them:
 * in any other, the two could wait for each other.
 */
const settled = (condition: string, cameTo: string): string => `
  WITH gone AS (DELETE FROM reservation h WHERE ${condition} RETURNING h.*),
  due AS (
    SELECT b.workspace_id, b.subject_id, b."window", b.started_at, sum(${cameTo}) AS tokens
    FROM spending b JOIN gone g ON g.workspace_id = b.workspace_id AND b.subject_id IN (g.workspace_id, g.line_id)
      AND b.started_at = date_trunc(lower(b."window"), g.created_at, 'UTC')
    GROUP BY 1, 2, 3, 4),
  held AS (
    SELECT s.workspace_id, s.subject_id, s."window", s.started_at, d.tokens FROM spending s JOIN due d
      USING (workspace_id, subject_id, "window", started_at) ORDER BY s.subject_id, s."window" FOR UPDATE OF s)
  UPDATE spending s SET tokens = s.tokens + h.tokens FROM held h
  WHERE (s.workspace_id, s.subject_id, s."window", s.started_at) = (h.workspace_id, h.subject_id, h."window", h.started_at)`;

/** Statements that every question with a budget waits for: parsed once a connection, so that only their values are sent. */
const PREPARED = {
  lock: `(uuid, uuid) AS SELECT 1 FROM budget b WHERE ${OF_PAYER} ORDER BY b.subject_id, b."window" FOR UPDATE`,
  reserve: `(uuid, uuid, uuid, uuid, bigint, bigint, boolean) AS ${RESERVE}`,
  settle: `(uuid, bigint) AS ${settled('h.id = $1', '$2')}`,
} as const;

/** Connections on which all of `PREPARED` are. */
const prepared = new WeakSet<pg.PoolClient>();

type Value = string | number | boolean | null;

/** A prepared statement with values in place: ids that were checked to be such, whole numbers and truths, so that there is nothing to escape. */
function execute(statement: keyof typeof PREPARED, ...values: readonly Value[]): string {
  const literals = values.map((value) => {
    if (value === null) return 'NULL';
    if (typeof value === 'number') return String(Math.round(value));
    if (typeof value === 'boolean') return String(value);
    if (!isUuid(value)) throw new Error(`A value of ${statement} is no id`);
    return `'${value}'`;
  });
  return `EXECUTE graft_budget_${statement}(${literals.join(', ')})`;
}

const idsOf = ({ workspaceId, lineId }: Payer): [string, string] => [workspaceId, lineId ?? workspaceId];

/** PostgreSQL’s code for a lock that was not to be had in time. */
const LOCKED = '55P03';
const LOCK_TIMEOUT = '2s';
/**
 * What begins a message, which is one transaction. It is committed without waiting for the disk: a PostgreSQL that loses power forgets what was
 * spent in its last moments, which costs less than the wait.
 */
const FIRST = `SET LOCAL synchronous_commit = off; SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`;

/** All queries of the tables `budget`, `spending` and `reservation`. Time is the database's. */
export class BudgetStore {
  constructor(private readonly database: Database) {}

  /** Whoever has a budget in a workspace: lines of keys, and the workspace itself. */
  async subjects(workspaceId: WorkspaceId): Promise<string[]> {
    const { rows } = await this.database.pool.query<{ id: string }>(
      'SELECT DISTINCT subject_id AS id FROM budget WHERE workspace_id = $1',
      [workspaceId],
    );
    return rows.map(({ id }) => id);
  }

  /** The key's first, then the workspace's. */
  async states(payer: Payer): Promise<BudgetState[]> {
    const { rows } = await this.database.pool.query<StateRow>(STATES, idsOf(payer));
    return rows.map(asState);
  }

  /**
   * Reserves one request, so many tokens and a place among those at work, unless nothing of one of them is left. The rows of the budgets
   * are locked meanwhile: of those who ask at once, through whichever gateway, each sees what the others reserved. One trip to the database.
   * @returns what was left before it, and whether it was let in; refused, it spent nothing
   * @throws OVERLOADED when the rows stay locked by others for two seconds
   */
  async reserve(
    payer: Payer,
    { id, tokens, seconds, training }: { id: string; tokens: number; seconds: number; training: boolean },
  ): Promise<{ states: BudgetState[]; admitted: boolean }> {
    const subjectIds = idsOf(payer);
    const reserve = execute('reserve', ...subjectIds, id, payer.lineId, tokens, seconds, training);
    const results = await this.#withClient(
      (client) =>
        client.query(`${FIRST}; ${execute('lock', ...subjectIds)}; ${reserve}`) as Promise<unknown> as Promise<
          pg.QueryResult<StateRow & { admitted: boolean }>[]
        >,
    );
    const { rows } = results.at(-1)!;
    return { states: rows.map(asState), admitted: rows.every(({ admitted }) => admitted) };
  }

  /**
   * Adds what a reservation came to and lets go of it; a second call does nothing.
   * @throws OVERLOADED when others hold what was spent locked for two seconds
   */
  async settle(id: string, tokens: number): Promise<void> {
    await this.#withClient((client) => client.query(`${FIRST}; ${execute('settle', id, tokens)}`));
  }

  /** Adds tokens of work that has no reservation, such as a run's. */
  async charge(payer: Payer, tokens: number): Promise<void> {
    await this.database.pool.query(CHARGE, [...idsOf(payer), 0, Math.round(tokens)]);
  }

  /** What a gateway that is gone had reserved counts as spent. @throws OVERLOADED as `settle` does */
  async sweep(): Promise<void> {
    await this.#withClient((client) => client.query(`${FIRST}; ${settled('h.until < clock_timestamp()', 'g.tokens')}`));
  }

  /** A connection on which the statements are prepared. */
  async #withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.database.pool.connect();
    let failed: Error | undefined;
    const noteFailure = (error: Error) => (failed = error);
    // A client that is taken from the pool has nobody else who listens, and what nobody listens to ends the process.
    client.on('error', noteFailure);
    try {
      if (!prepared.has(client)) {
        const statements = Object.entries(PREPARED).map(([name, as]) => `PREPARE graft_budget_${name} ${as}`);
        // If only some come to be prepared, they can't be taken back: the connection is closed.
        failed = new Error('The statements of budgets are not prepared.');
        await client.query(statements.join('; '));
        failed = undefined;
        prepared.add(client);
      }
      return await work(client);
    } catch (error) {
      // There is nothing to undo: it shows whether the connection is still one.
      await client.query('SELECT').catch(noteFailure);
      if ((error as { code?: string }).code !== LOCKED) throw error;
      throw new GraftError('OVERLOADED', 'The budget is being changed by others.', {
        hint: 'Try again.',
        cause: error,
      });
    } finally {
      client.off('error', noteFailure);
      client.release(failed);
    }
  }

  /** Sets the limits of a window, or removes them where all are null. What was spent stays. */
  async set(
    workspaceId: WorkspaceId,
    subject: string,
    window: BudgetWindow,
    limits: BudgetLimits,
    changedBy: string,
  ): Promise<void> {
    if (Object.values(limits).every((limit) => limit === null)) {
      const where = { workspaceId, subjectId: subject, window };
      await this.database.prisma.budget.deleteMany({ where });
      return;
    }
    await this.database.pool.query(
      `INSERT INTO budget (workspace_id, subject_id, "window", requests, tokens, concurrent, training_minutes, changed_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
       ON CONFLICT (workspace_id, subject_id, "window") DO UPDATE SET requests = excluded.requests, tokens = excluded.tokens,
         concurrent = excluded.concurrent, training_minutes = excluded.training_minutes,
         changed_by = excluded.changed_by, changed_at = now()`,
      [
        workspaceId,
        subject,
        window,
        limits.requests,
        limits.tokens,
        limits.concurrent,
        limits.trainingMinutes,
        changedBy,
      ],
    );
  }
}
