import type { Database, Transaction } from '../../../platform/database/index.js';
import type { Addition } from './facts.js';
import {
  COLUMNS,
  RESOLUTIONS,
  TOTAL,
  type Counted,
  type Dimension,
  type Resolution,
  type SeriesKey,
} from './metric.js';

/** Additions of the same bucket, added up. */
export interface Added extends Addition {
  workspaceId: string;
  resolution: Resolution;
  /** Beginning of the bucket: whole minutes, hours or days of UTC, in ms since 1970. */
  start: number;
  key: SeriesKey;
}

interface SeriesQuery {
  workspaceId: string;
  resolution: Resolution;
  metrics: readonly Counted[];
  from: Date;
  to: Date;
  by: readonly Dimension[];
  where: Partial<SeriesKey>;
  /** Whether the rows of a histogram are told apart. */
  binned: boolean;
}

export interface SeriesRow {
  metric: Counted;
  start: Date;
  bin: number;
  /** Values of `by`, in its order. */
  values: string[];
  count: number;
  sum: number;
}

/** A point as it is read: all its bins. */
type PointRow = Pick<SeriesRow, 'metric' | 'start' | 'values'> & Record<'bins' | 'counts' | 'sums', number[]>;

/** All SQL of `metric_series`, `metric_bucket` and `metric_retention`. */
export class SeriesStore {
  constructor(private readonly database: Database) {}

  /**
   * Adds to buckets; those that aren't there begin. One transaction at a time does this: see `tryLock`. Rows are written in the order in which
   * a chart reads them: the bins of a point then lie in few pages, where each would lie in one of its own in the order in which answers come.
   */
  async add(tx: Transaction, added: readonly Added[]): Promise<void> {
    if (added.length === 0) return;
    const rows = added.map(({ key, start, ...rest }) => ({ ...rest, ...key, start: new Date(start).toISOString() }));
    const json = JSON.stringify(rows);
    await tx.$executeRaw`
      INSERT INTO metric_series (workspace_id, model, adapter, strategy, collection, subject, arm)
      SELECT DISTINCT "workspaceId", model, adapter, strategy, collection, subject, arm
        FROM jsonb_to_recordset(${json}::jsonb) AS r("workspaceId" uuid, model text, adapter text, strategy text,
          collection text, subject text, arm text)
       WHERE NOT EXISTS (SELECT FROM metric_series s
         WHERE (s.workspace_id, s.model, s.adapter, s.strategy, s.collection, s.subject, s.arm) =
               (r."workspaceId", r.model, r.adapter, r.strategy, r.collection, r.subject, r.arm))
      ON CONFLICT DO NOTHING`;
    await tx.$executeRaw`
      INSERT INTO metric_bucket AS b (workspace_id, resolution, metric, start, series_id, bin, detail, count, sum)
      SELECT r."workspaceId", r.resolution, r.metric, r.start, s.id, r.bin, r.detail, r.count, r.sum
        FROM jsonb_to_recordset(${json}::jsonb) AS r("workspaceId" uuid, model text, adapter text, strategy text,
          collection text, subject text, arm text, resolution text, metric text, start timestamptz, bin int, detail text,
          count bigint, sum float8)
        JOIN metric_series s ON (s.workspace_id, s.model, s.adapter, s.strategy, s.collection, s.subject, s.arm) =
          (r."workspaceId", r.model, r.adapter, r.strategy, r.collection, r.subject, r.arm)
       ORDER BY r."workspaceId", r.resolution, r.metric, s.id, r.start, r.bin
      ON CONFLICT (workspace_id, resolution, metric, start, series_id, bin, detail)
      DO UPDATE SET count = b.count + EXCLUDED.count, sum = b.sum + EXCLUDED.sum`;
  }

  /**
   * Where nothing is told apart or left out, the totals; else the series that fit. One row of the answer holds all bins of a point, of which a
   * latency has some thirty: as JSON, which Node reads several times faster than the driver reads arrays. Of the totals each bin is a row
   * already (what has bins has no details), so that adding up would only take time.
   */
  async read({ workspaceId, resolution, metrics, from, to, by, where, binned }: SeriesQuery): Promise<SeriesRow[]> {
    const columns = by.flatMap((dimension) => COLUMNS[dimension] ?? []);
    const conditions = Object.entries(where);
    const total = columns.length === 0 && conditions.length === 0;
    const values = by.map((dimension) => columnOf(dimension));
    const addedUp = !(total && binned);
    const { rows } = await this.database.pool.query<PointRow>(
      `SELECT metric, start, values, to_json(array_agg(bin)) AS bins, to_json(array_agg(count)) AS counts,
              to_json(array_agg(sum)) AS sums FROM (
         SELECT b.metric, b.start, ${binned ? 'b.bin' : '0'} AS bin, ARRAY[${values.join(', ')}]::text[] AS values,
           ${addedUp ? 'sum(b.count)::float8 AS count, sum(b.sum) AS sum' : 'b.count, b.sum'}
           FROM metric_series s JOIN metric_bucket b ON b.series_id = s.id
          WHERE s.workspace_id = $1 AND s.model ${total ? '=' : '<>'} '${TOTAL.model}'
            AND b.workspace_id = $1 AND b.resolution = $2 AND b.metric = ANY($3) AND b.start >= $4 AND b.start < $5
            ${conditions.map(([column], i) => `AND s."${column}" = $${6 + i}`).join(' ')}
          ${addedUp ? `GROUP BY b.metric, b.start, ${['3', ...values].join(', ')}` : ''}) AS bucket
        GROUP BY metric, start, values`,
      [workspaceId, resolution, metrics, from, to, ...conditions.map(([, value]) => value)],
    );
    return rows.flatMap(({ metric, start, values: split, bins, counts, sums }) =>
      bins.map((bin, i) => ({ metric, start, values: split, bin, count: counts[i]!, sum: sums[i]! })),
    );
  }

  /**
   * Deletes buckets by age. What is deleted begins where the last time ended and is at most `stepHours` long: in normal use that is more
   * than has grown old meanwhile, and a clock that is ahead for an hour takes little.
   * @returns how many buckets went
   */
  async expire(now: Date, stepHours: number): Promise<number> {
    let deleted = 0;
    for (const [resolution, { keptDays }] of Object.entries(RESOLUTIONS)) {
      const [{ limit } = { limit: null }] = await this.database.prisma.$queryRaw<{ limit: Date | null }[]>`
        INSERT INTO metric_retention AS r (resolution, kept_from)
        SELECT ${resolution}, coalesce(min(start), ${now}) FROM metric_bucket WHERE resolution = ${resolution}
        ON CONFLICT (resolution) DO UPDATE SET kept_from = greatest(r.kept_from, least(
          r.kept_from + make_interval(hours => ${stepHours}), ${now}::timestamptz - make_interval(days => ${keptDays})))
        RETURNING kept_from AS "limit"`;
      if (limit === null) continue;
      deleted += await this.database.prisma.$executeRaw`
        DELETE FROM metric_bucket WHERE resolution = ${resolution} AND start < ${limit}
           AND start < ${now}::timestamptz - make_interval(days => ${keptDays})`;
    }
    return deleted;
  }
}

const columnOf = (dimension: Dimension): string => {
  const column = COLUMNS[dimension];
  return column === undefined ? 'b.detail' : `s.${column}`;
};
