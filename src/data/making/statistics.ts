import type { TableEngine } from '../storage/duckdb.js';
import { taskOf, type TaskKind } from '../tasks/index.js';

export interface SplitCounts {
  train: number;
  validation: number;
  test: number;
  quarantined: number;
}

export interface LabelShare {
  label: string;
  train: number;
  validation: number;
  test: number;
}

/** Characters (UTF-16 units are not counted by DuckDB: these are code points). */
export interface LengthSummary {
  field: string;
  mean: number;
  median: number;
  p95: number;
  max: number;
}

export interface VersionStatistics {
  labels: LabelShare[];
  entityTypes: { type: string; count: number }[];
  languages: { language: string; rows: number }[];
  lengths: LengthSummary[];
  /** Rows that the step DEDUPLICATE removed. */
  deduplicated: number;
}

const MAX_LABELS = 1000;

/** Rows that training and measuring may use, by split. */
export async function countSplits(engine: TableEngine): Promise<SplitCounts> {
  const [counts] = await engine.rows<SplitCounts>(`
    SELECT count(*) FILTER (split = 'TRAIN') AS train, count(*) FILTER (split = 'VALIDATION') AS validation,
           count(*) FILTER (split = 'TEST') AS test, (SELECT count(*) FROM quarantine) AS quarantined
    FROM rows ANTI JOIN quarantine USING (ordinal)`);
  return counts!;
}

/** Distributions over the usable rows. */
export async function summarise(engine: TableEngine, task: TaskKind, deduplicated: number): Promise<VersionStatistics> {
  await engine.run(`CREATE OR REPLACE VIEW usable AS SELECT * FROM rows ANTI JOIN quarantine USING (ordinal)`);
  const labels = await engine.rows<LabelShare>(`
    SELECT label, count(*) FILTER (split = 'TRAIN') AS train, count(*) FILTER (split = 'VALIDATION') AS validation, count(*) FILTER (split = 'TEST') AS test
    FROM usable WHERE label IS NOT NULL GROUP BY label ORDER BY count(*) DESC, label LIMIT ${MAX_LABELS}`);
  const { typesPath } = taskOf(task);
  const entityTypes =
    typesPath !== null
      ? await engine.rows<{ type: string; count: number }>(`
          SELECT type, count(*) AS count FROM (SELECT unnest(json_extract_string(body, '${typesPath}')) AS type FROM usable)
          GROUP BY type ORDER BY count DESC, type LIMIT ${MAX_LABELS}`)
      : [];
  const languages = await engine.rows<{ language: string; rows: number }>(
    `SELECT language, count(*) AS rows FROM usable WHERE language IS NOT NULL GROUP BY language ORDER BY rows DESC, language LIMIT 50`,
  );
  const lengths = await engine.rows<LengthSummary>(`
    SELECT 'text' AS field, avg(length(text)) AS mean, median(length(text)) AS median, quantile_cont(length(text), 0.95) AS p95, max(length(text)) AS max
    FROM usable HAVING count(*) > 0`);
  return { labels, entityTypes, languages, lengths, deduplicated };
}
