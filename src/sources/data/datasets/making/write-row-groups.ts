import { stat } from 'node:fs/promises';
import { quote, type TableEngine } from '../storage/duckdb.js';
import { STORED_COLUMNS } from '../rows/row-table.js';
import { hashFile } from '../../../../kernel/hash-file.js';

/** A Parquet file with a part of a version's rows, in order. */
export interface RowGroup {
  sha256: string;
  bytes: number;
  rows: number;
  /** Whether its rows are kept out of training. */
  quarantined: boolean;
}

/** Rows of a group: places 1..50,000, 50,001..100,000 and so on, so that versions share the groups that did not change. */
const GROUP_ROWS = 50_000;

/** Writes the rows as Parquet files into `folder`, usable ones and quarantined ones apart, and returns them with their paths. */
export async function writeRowGroups(
  engine: TableEngine,
  folder: string,
  signal: AbortSignal,
): Promise<(RowGroup & { path: string })[]> {
  await engine.run(`
    CREATE OR REPLACE TABLE row_problems AS
    SELECT ordinal, to_json(list_sort(list_distinct(list(rule))))::VARCHAR AS problems FROM flags GROUP BY ordinal`);
  const [extent] = await engine.rows<{ last: number | null }>(`SELECT max(ordinal) AS last FROM rows`);
  const groups: (RowGroup & { path: string })[] = [];
  for (const quarantined of [false, true])
    for (let from = 1; from <= (extent!.last ?? 0); from += GROUP_ROWS) {
      signal.throwIfAborted();
      const path = `${folder}/${quarantined ? 'quarantine' : 'rows'}-${from}.parquet`;
      const rows = await writeGroup(engine, path, from, quarantined);
      if (rows > 0) groups.push({ path, rows, quarantined, ...(await identify(path)) });
    }
  return groups;
}

async function writeGroup(engine: TableEngine, path: string, from: number, quarantined: boolean): Promise<number> {
  const columns = Object.keys(STORED_COLUMNS).map((name) => `r.${name}`);
  const select = `
    SELECT ${columns.join(', ')}, coalesce(p.problems, '[]') AS problems
    FROM (SELECT * FROM rows WHERE ordinal BETWEEN ${from} AND ${from + GROUP_ROWS - 1}) r
    ${quarantined ? 'SEMI' : 'ANTI'} JOIN quarantine USING (ordinal) LEFT JOIN row_problems p USING (ordinal)
    ORDER BY ordinal`;
  const [count] = await engine.rows<{ Count: number }>(
    `COPY (${select}) TO ${quote(path)} (FORMAT parquet, COMPRESSION zstd)`,
  );
  return count!.Count;
}

const identify = async (path: string): Promise<{ sha256: string; bytes: number }> => ({
  sha256: await hashFile(path),
  bytes: (await stat(path)).size,
});
