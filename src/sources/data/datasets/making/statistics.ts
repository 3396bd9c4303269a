import { z } from 'zod';
import { record, int, string, float } from '../../../../kernel/record.js';
import type { TableEngine } from '../storage/duckdb.js';
import { taskOf, type TaskKind } from '../tasks/index.js';

const bySplit = {
  train: int('Rows for training.'),
  validation: int('Rows for choosing between checkpoints.'),
  test: int('Rows for measuring.'),
};

export const splitCounts = record('SplitCounts', 'Number of usable rows by split, and of those kept out.', {
  ...bySplit,
  quarantined: int('Rows that are kept out because of errors.'),
});
export type SplitCounts = z.infer<typeof splitCounts>;

const labelShare = record('LabelCount', 'Number of usable rows with a label.', {
  label: string('The label.'),
  ...bySplit,
});
type LabelShare = z.infer<typeof labelShare>;

/** UTF-16 units are not counted by DuckDB: characters are code points. */
const lengthSummary = record('LengthStatistics', 'Lengths of a field over the usable rows, in characters.', {
  field: string('The field.'),
  mean: float('The mean.'),
  median: float('Half of the rows are shorter.'),
  p95: float('95 % of the rows are shorter.'),
  max: float('The longest.'),
});
type LengthSummary = z.infer<typeof lengthSummary>;

export const versionStatistics = z.object({
  labels: z.array(labelShare).describe('The labels, most frequent first; at most 1,000.'),
  entityTypes: z.array(z.object({ type: z.string(), count: z.number().int() })),
  languages: z.array(z.object({ language: z.string(), rows: z.number().int() })),
  lengths: z.array(lengthSummary).describe('Lengths of the text.'),
  deduplicated: int('Rows that the step DEDUPLICATE removed.'),
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
