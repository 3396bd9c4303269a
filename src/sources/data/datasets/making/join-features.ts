import { quote, type TableEngine } from '../storage/duckdb.js';

/** A feature view's history as the gateway hands it over: one JSON object a line, times in ms since 1970 UTC. */
export interface FeatureHistory {
  view: string;
  /** JSON lines of `{entity, event, created, data}`. */
  path: string;
  /** How long a value holds after its event time, in ms; null: until the next. */
  ttlMs: number | null;
}

/**
 * Joins each view point-in-time into `rows.features`: for each row the values with the latest event time (of those the
 * latest created) at or before the row's own time, not older than the time to live, and created at or before it too:
 * what a reader at that moment would have seen. Rows without entity or time, and views without such a value, get nothing.
 */
export async function joinFeatures(engine: TableEngine, histories: readonly FeatureHistory[]): Promise<void> {
  // Rows that were carried over have features of their old version: all are joined anew.
  await engine.run('UPDATE rows SET features = NULL WHERE features IS NOT NULL');
  for (const { view, path, ttlMs } of histories) {
    await engine.run(`
      CREATE OR REPLACE TABLE joined AS
      SELECT r.ordinal, arg_max(f.data, (f.event, f.created)) AS found
      FROM rows r
      JOIN read_json(${quote(path)}, format = 'newline_delimited',
                     columns = {entity: 'VARCHAR', event: 'BIGINT', created: 'BIGINT', data: 'JSON'}) f
        ON f.entity = r.entity AND f.event <= r.event_time AND f.created <= r.event_time
       ${ttlMs === null ? '' : `AND f.event >= r.event_time - ${ttlMs}`}
      GROUP BY r.ordinal`);
    // Text, not json_merge_patch: that drops values that are null.
    await engine.run(`
      UPDATE rows SET features = coalesce(rows.features[:-2] || ',', '{') || to_json(${quote(view)})::VARCHAR || ':' || joined.found::VARCHAR || '}'
      FROM joined WHERE joined.ordinal = rows.ordinal`);
  }
}
