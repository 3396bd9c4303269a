import type pg from 'pg';
import { GraftError } from '../../kernel/errors.js';
import { isUuid, type WorkspaceId } from '../../kernel/ids.js';
import type { Database } from '../../platform/database/index.js';
import type { BudgetLimits, BudgetState, BudgetWindow } from './budget.js';

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

/** Which rows of `budget` a payer's work counts on. */
const OF_PAYER = `b.workspace_id = :workspace AND b.subject_id IN (:workspace, :line)`;
const STARTED = `date_trunc(lower(b."window"), now(), 'UTC')`;

/** Minutes of training since a moment: from the runs themselves, so that those at work count and nothing need be added up. */
const TRAINED = `(
  SELECT coalesce(sum(extract(epoch FROM coalesce(t.finished_at, now()) - greatest(t.started_at, w.started))), 0) / 60
  FROM run t
  WHERE t.workspace_id = b.workspace_id AND (b.subject_id = b.workspace_id OR t.asked_by = b.subject_id)
    AND t.kind IN ('TRAINING', 'LEARNING_RATE_SEARCH') AND coalesce(t.finished_at, now()) > w.started)::float8`;

const STATES = `
  SELECT b.subject_id AS subject, b."window",
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
    SELECT count(*)::int AS held, coalesce(sum(h.tokens), 0) AS tokens FROM reservation h
    WHERE h.workspace_id = b.workspace_id AND (b.subject_id = b.workspace_id OR h.line_id = b.subject_id)) r
  WHERE ${OF_PAYER}
  ORDER BY b.subject_id = b.workspace_id, b."window"`;

/** Adds to the windows of now. */
const CHARGE = `
  INSERT INTO spending AS s (workspace_id, subject_id, "window", started_at, requests, tokens)
  SELECT b.workspace_id, b.subject_id, b."window", ${STARTED}, :requests, :tokens FROM budget b WHERE ${OF_PAYER}
  ORDER BY b.subject_id, b."window"
  ON CONFLICT (workspace_id, subject_id, "window", started_at)
  DO UPDATE SET requests = s.requests + excluded.requests, tokens = s.tokens + excluded.tokens`;

/** What reservations came to is added to the windows in which they were made. */
const SETTLED = (gone: string): string => `
  WITH gone AS (DELETE FROM reservation h WHERE ${gone} RETURNING h.*)
  UPDATE spending s SET tokens = s.tokens + t.tokens FROM (
    SELECT b.workspace_id, b.subject_id, b."window", b.started_at, sum(coalesce(:came_to, g.tokens)) AS tokens
    FROM spending b JOIN gone g ON g.workspace_id = b.workspace_id AND b.subject_id IN (g.workspace_id, g.line_id)
      AND b.started_at = date_trunc(lower(b."window"), g.created_at, 'UTC')
    GROUP BY 1, 2, 3, 4) t
  WHERE (s.workspace_id, s.subject_id, s."window", s.started_at) = (t.workspace_id, t.subject_id, t."window", t.started_at)`;

/** SQL with values in place: ids that were checked to be such, and whole numbers, so that there is nothing to escape. */
function filled(sql: string, values: Record<string, string | number | null>): string {
  return sql.replace(/(?<!:):([a-z_]+)\b/g, (all, name: string) => {
    if (!(name in values)) return all;
    const value = values[name]!;
    if (value === null) return 'NULL::bigint';
    if (typeof value === 'number') return `${Math.round(value)}::bigint`;
    if (!isUuid(value)) throw new Error(`${name} is no id`);
    return `'${value}'::uuid`;
  });
}

const idsOf = ({ workspaceId, lineId }: Payer) => ({ workspace: workspaceId, line: lineId ?? workspaceId });

/** PostgreSQL’s code for a lock that was not to be had in time. */
const LOCKED = '55P03';
const LOCK_TIMEOUT = '2s';

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
    const { rows } = await this.database.pool.query<StateRow>(filled(STATES, idsOf(payer)));
    return rows.map(asState);
  }

  /**
   * Reserves one request, so many tokens and a place among those at work, unless `refuses` what is left. The rows of the budgets are
   * locked meanwhile: of those who ask at once, through whichever gateway, each sees what the others reserved. One trip to the
   * database where it is refused, two where it isn't.
   * @returns what was left before it
   * @throws OVERLOADED when the rows stay locked by others for two seconds
   */
  async reserve(
    payer: Payer,
    { id, tokens, seconds }: { id: string; tokens: number; seconds: number },
    refuses: (states: readonly BudgetState[]) => void,
  ): Promise<BudgetState[]> {
    const ids = idsOf(payer);
    const client = await this.database.pool.connect();
    let failed: Error | undefined;
    const lost = (error: Error) => (failed = error);
    // A client that is taken from the pool has nobody else who listens, and what nobody listens to ends the process.
    client.on('error', lost);
    try {
      // Statements of their own in one message: each sees what was committed while the lock was waited for.
      const results = (await client.query(
        filled(
          `BEGIN; SELECT set_config('lock_timeout', '${LOCK_TIMEOUT}', true);
           SELECT 1 FROM budget b WHERE ${OF_PAYER} ORDER BY b.subject_id, b."window" FOR UPDATE;
           ${SETTLED('h.workspace_id = :workspace AND h.until < clock_timestamp()')};
           ${STATES}`,
          { ...ids, came_to: null },
        ),
      )) as unknown as pg.QueryResult<StateRow>[];
      const states = results.at(-1)!.rows.map(asState);
      refuses(states);
      await client.query(
        filled(
          `${CHARGE};
           INSERT INTO reservation (id, workspace_id, line_id, tokens, created_at, until)
           SELECT :id, :workspace, ${payer.lineId === null ? 'NULL' : ':line'}, :held, now(),
             clock_timestamp() + make_interval(secs => :seconds) WHERE ${states.length > 0};
           COMMIT`,
          { ...ids, id, held: tokens, seconds, requests: 1, tokens: 0 },
        ),
      );
      return states;
    } catch (error) {
      await client.query('ROLLBACK').catch(lost);
      if ((error as { code?: string }).code !== LOCKED) throw error;
      throw new GraftError('OVERLOADED', 'The budget is being changed by others.', {
        hint: 'Try again.',
        cause: error,
      });
    } finally {
      client.off('error', lost);
      client.release(failed);
    }
  }

  /** Adds what a reservation came to and lets go of it; a second call does nothing. */
  async settle(id: string, tokens: number): Promise<void> {
    await this.database.pool.query(filled(SETTLED('h.id = :id'), { id, came_to: tokens }));
  }

  /** Adds tokens of work that has no reservation, such as a run's. */
  async charge(payer: Payer, tokens: number): Promise<void> {
    await this.database.pool.query(filled(CHARGE, { ...idsOf(payer), requests: 0, tokens }));
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
        ...[workspaceId, subject, window, limits.requests, limits.tokens],
        ...[limits.concurrent, limits.trainingMinutes, changedBy],
      ],
    );
  }
}
