import { quote, type TableEngine } from '../storage/duckdb.js';
import { RULES } from './rules/index.js';
import { Severity } from './rule.js';

/**
 * Decides which rows are kept out of training: makes the view `judged_flags` (flags with `keeps_out`) and the table
 * `quarantine(ordinal)`. An error keeps its rows out, except that a rule on quality spares the test split.
 */
export async function quarantineRows(engine: TableEngine): Promise<void> {
  const errors = [...RULES.values()].filter((rule) => rule.severity === Severity.ERROR);
  const list = (rules: typeof errors) => rules.map((rule) => quote(rule.id)).join(', ') || `''`;
  const always = list(errors.filter((rule) => !rule.spares));
  const spared = list(errors.filter((rule) => rule.spares));
  await engine.run(`
    CREATE OR REPLACE VIEW judged_flags AS
    SELECT f.*, f.rule IN (${always}) OR (f.rule IN (${spared}) AND r.split <> 'TEST') AS keeps_out
    FROM flags f JOIN rows r USING (ordinal)`);
  await engine.run(`CREATE OR REPLACE TABLE quarantine AS SELECT DISTINCT ordinal FROM judged_flags WHERE keeps_out`);
}
