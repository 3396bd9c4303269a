import { z } from 'zod';
import type { TableEngine } from '../storage/duckdb.js';
import { taskOf, type TaskKind } from '../tasks/index.js';

export const splitCounts = z.object({
  train: z.number(),
  validation: z.number(),
  test: z.number(),
  quarantined: z.number(),
});
export type SplitCounts = z.infer<typeof splitCounts>;

const labelShare = z.object({ label: z.string(), train: z.number(), validation: z.number(), test: z.number() });
export type LabelShare = z.infer<typeof labelShare>;

/** Characters (UTF-16 units are not counted by DuckDB: these are code points). */
const lengthSummary = z.object({
  field: z.string(),
  mean: z.number(),
  median: z.number(),
  p95: z.number(),
  max: z.number(),
});
export type LengthSummary = z.infer<typeof lengthSummary>;

export const versionStatistics = z.object({
  labels: z.array(labelShare),
  entityTypes: z.array(z.object({ type: z.string(), count: z.number() })),
  languages: z.array(z.object({ language: z.string(), rows: z.number() })),
  lengths: z.array(lengthSummary),
  /** Rows that the step DEDUPLICATE removed. */
  deduplicated: z.number(),
});
export type VersionStatistics = z.infer<typeof versionStatistics>;

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
