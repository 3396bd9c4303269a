import { z } from 'zod';
import { maskPii } from '../pii/find-pii.js';
import type { TableEngine } from '../storage/duckdb.js';
import { RULES } from './rules/index.js';
import { Severity, versionFinding, type VersionFinding } from './rule.js';
import { int, string, oneOf } from '../../../../kernel/record.js';

/** A row that a rule names, as it is kept: `file` is an index into the version's files. */
export const problemRow = z.object({
  ordinal: z.number().int(),
  file: z.number().int(),
  row: z.number().int(),
  line: int('Line of the file on which the row begins; null in JSON and Parquet.').nullable(),
  key: string('Key of the row: its id, or one made from its input.'),
  note: string('What is wrong with this row; personal data is masked.'),
  related: z.object({ ordinal: z.number().int(), file: z.number().int(), row: z.number().int() }).nullable(),
});
export type ProblemRow = z.infer<typeof problemRow>;

/** All that one rule found. */
export const problem = z.object({
  rule: string('Id of the rule, e.g. `near-duplicate`; `rows(filter: {problem: …})` lists its rows.'),
  severity: oneOf(Severity, 'How bad it is.'),
  meaning: string('What is wrong, in a sentence.'),
  cure: string('What you can do.'),
  count: int('Number of rows that it names; 0 when it concerns the version as a whole.'),
  quarantined: int('How many of them it keeps out of training.'),
  rows: z.array(problemRow),
  example: string('Beginning of the text of the first row; personal data is masked.').nullable(),
  findings: z.array(versionFinding).describe('What it found on the version as a whole.'),
});
export type Problem = z.infer<typeof problem>;

export const validationReport = z.object({
  rows: int('Number of rows that were looked at.'),
  usableRows: int('Number of rows without an error.'),
  quarantinedRows: int(
    'Number of rows that are kept out of training; list them with `rows(filter: {quarantined: true})`.',
  ),
  openErrors: int('Errors of the version as a whole, which no quarantine cures: it must not be trained on then.'),
  problems: z.array(problem),
});
export type ValidationReport = z.infer<typeof validationReport>;

const LISTED = 100;
const EXAMPLE = 160;

const SEVERITIES = [Severity.ERROR, Severity.WARNING, Severity.INFO];

interface Counted {
  rule: string;
  rows: number;
  quarantined: number;
}

/**
 * The report from `rows`, `flags` and `quarantine` (see quarantine.ts): errors first, within them the most frequent first.
 * All problems at once, so that one look at the source mends them all.
 */
export async function makeReport(engine: TableEngine, findings: readonly VersionFinding[]): Promise<ValidationReport> {
  const [totals] = await engine.rows<{ rows: number; quarantined: number }>(
    `SELECT (SELECT count(*) FROM rows) AS rows, (SELECT count(*) FROM quarantine) AS quarantined`,
  );
  const counts = await engine.rows<Counted>(`
    SELECT rule, count(DISTINCT ordinal) AS rows, count(DISTINCT ordinal) FILTER (keeps_out) AS quarantined
    FROM judged_flags GROUP BY rule`);
  const ruleIds = [...counts.map((c) => c.rule), ...findings.map((f) => f.rule)];
  const problems: Problem[] = [];
  for (const rule of new Set(ruleIds)) {
    const { severity, meaning, cure } = RULES.get(rule)!;
    const count = counts.find((c) => c.rule === rule);
    problems.push({
      rule,
      severity,
      meaning,
      cure,
      count: count?.rows ?? 0,
      quarantined: count?.quarantined ?? 0,
      rows: count ? await rowsOf(engine, rule) : [],
      example: count ? await exampleOf(engine, rule) : null,
      findings: findings.filter((f) => f.rule === rule),
    });
  }
  const order = (p: Problem) => SEVERITIES.indexOf(p.severity);
  problems.sort((a, b) => order(a) - order(b) || b.count - a.count || (a.rule < b.rule ? -1 : 1));
  const { rows, quarantined } = totals!;
  return {
    rows,
    usableRows: rows - quarantined,
    quarantinedRows: quarantined,
    openErrors:
      findings.filter((f) => RULES.get(f.rule)!.severity === Severity.ERROR).length + (rows === quarantined ? 1 : 0),
    problems,
  };
}

async function rowsOf(engine: TableEngine, rule: string): Promise<ProblemRow[]> {
  const rows = await engine.rows<
    ProblemRow & { related_ordinal: number | null; related_file: number; related_row: number }
  >(
    `SELECT f.ordinal, r.file, r.file_row AS row, r.line, r.key, f.note, f.related AS related_ordinal, o.file AS related_file, o.file_row AS related_row
     FROM flags f JOIN rows r USING (ordinal) LEFT JOIN rows o ON o.ordinal = f.related
     WHERE f.rule = ? QUALIFY row_number() OVER (PARTITION BY f.ordinal ORDER BY f.note) = 1 ORDER BY f.ordinal LIMIT ${LISTED}`,
    [rule],
  );
  return rows.map(({ related_ordinal, related_file, related_row, note, ...row }) => ({
    ...row,
    note: maskPii(note),
    related: related_ordinal === null ? null : { ordinal: related_ordinal, file: related_file, row: related_row },
  }));
}

async function exampleOf(engine: TableEngine, rule: string): Promise<string | null> {
  const [row] = await engine.rows<{ text: string }>(
    `SELECT text FROM rows WHERE ordinal = (SELECT min(ordinal) FROM flags WHERE rule = ?)`,
    [rule],
  );
  const text = maskPii((row?.text ?? '').slice(0, 4 * EXAMPLE)).replaceAll('\0', '\ufffd');
  return text.length > EXAMPLE ? `${text.slice(0, EXAMPLE).toWellFormed()}…` : text.toWellFormed();
}
