import { rm } from 'node:fs/promises';
import { GraftError } from '../../../../kernel/errors.js';
import { PreprocessingStep } from '../preprocessing/steps.js';
import { TableEngine } from '../storage/duckdb.js';
import { FLAG_COLUMNS, STAGED_COLUMNS } from '../rows/row-table.js';
import { quarantineRows } from '../validation/quarantine.js';
import { makeReport, type ValidationReport } from '../validation/report.js';
import type { TokenCounter, VersionFinding } from '../validation/rule.js';
import { TABLE_RULES } from '../validation/rules/index.js';
import { joinFeatures } from './join-features.js';
import type { VersionRecipe } from './recipe.js';
import { firstFreeOrdinal, restoreKeys, stageBase } from './stage-base.js';
import { stageFile, type Staging } from './stage-file.js';
import { countSplits, summarise, type SplitCounts, type VersionStatistics } from './statistics.js';
import { writeRowGroups, type RowGroup } from './write-row-groups.js';

/** A finished version whose row groups still lie in the working folder. */
export interface MadeVersion {
  rowGroups: (RowGroup & { path: string })[];
  counts: SplitCounts;
  statistics: VersionStatistics;
  report: ValidationReport;
}

export interface MakingOptions {
  /** Working folder of this run alone: emptied first, so that a run that was killed begins anew, and removed by the caller. */
  folder: string;
  signal: AbortSignal;
  countTokens: TokenCounter | null;
  /** Row groups of the version before, for drift; empty for the first. */
  parent: readonly string[];
  progress: (fraction: number, message: string) => Promise<void>;
}

/**
 * Makes a dataset version: read, carry over, deduplicate, join, validate, quarantine, write. Rows lie in a DuckDB file on
 * disk throughout; memory holds a batch and DuckDB's bounded cache.
 * @throws DATA_FILE_INVALID when a file can't be read or there is no row at all, PAYLOAD_TOO_LARGE
 */
export async function makeVersion(recipe: VersionRecipe, options: MakingOptions): Promise<MadeVersion> {
  const { folder, signal, progress } = options;
  await rm(folder, { recursive: true, force: true });
  const readable = [
    ...(recipe.base?.rowGroups ?? []),
    ...options.parent,
    ...(recipe.features ?? []).map((f) => f.path),
  ];
  const engine = await TableEngine.open({ folder, readable, file: `${folder}/rows.duckdb` });
  try {
    await stageRows(engine, recipe, options);
    await restoreKeys(engine, recipe.base);
    await makeKeysUnique(engine);
    const deduplicated = recipe.steps.includes(PreprocessingStep.DEDUPLICATE) ? await deduplicate(engine) : 0;
    if (recipe.features) await joinFeatures(engine, recipe.features);

    const findings: VersionFinding[] = [];
    const tables = {
      engine,
      settings: recipe.settings,
      splitRule: recipe.splitRule,
      countTokens: options.countTokens,
      parent: options.parent,
      signal,
    };
    for (const [i, rule] of TABLE_RULES.entries()) {
      signal.throwIfAborted();
      await progress(0.5 + (0.4 * i) / TABLE_RULES.length, `Checking: ${rule.rules.map((r) => r.id).join(', ')}`);
      findings.push(...(await rule.inspect(tables)));
    }
    await quarantineRows(engine);
    const report = await makeReport(engine, findings);

    await progress(0.9, 'Writing the rows');
    const rowGroups = await writeRowGroups(engine, folder, signal);
    const statistics = await summarise(engine, recipe.settings.task, deduplicated);
    return { rowGroups, counts: await countSplits(engine), statistics, report };
  } finally {
    engine.close();
  }
}

async function stageRows(
  engine: TableEngine,
  recipe: VersionRecipe,
  { folder, signal, progress }: MakingOptions,
): Promise<void> {
  const staging: Staging = {
    rows: await engine.createTable('rows', STAGED_COLUMNS),
    flags: await engine.createTable('flags', FLAG_COLUMNS),
    next: await firstFreeOrdinal(engine, recipe.base),
    characters: 0,
  };
  let reported = 0;
  for (const [index, { file }] of recipe.files.entries())
    await stageFile(recipe, index, `${folder}/reading`, staging, async (rows) => {
      signal.throwIfAborted();
      if (rows < reported + 20_000 && rows >= reported) return;
      reported = rows;
      await progress((0.5 * (index + 0.5)) / recipe.files.length, `Reading ${file.name}: ${rows} rows`);
    });
  staging.rows.close();
  if (recipe.base && recipe.base.rowGroups.length > 0)
    await stageBase(engine, recipe, recipe.base, recipe.files.length, staging);
  staging.flags.close();
  const [count] = await engine.rows<{ n: number }>('SELECT count(*) AS n FROM rows');
  if (count!.n === 0)
    throw new GraftError(
      'DATA_FILE_INVALID',
      `${recipe.files.map((f) => f.file.name).join(', ') || 'The new version'} has no rows.`,
    );
}

/**
 * Rows with the same input get a counter behind their hashed key; a given id that comes twice is an error of the later
 * row, unless each row with it has a given split of its own. Rows that had a counter before (`counted`) stay behind the others with their key,
 * so that a new row doesn't give way to the repetition of the one that it replaces.
 */
async function makeKeysUnique(engine: TableEngine): Promise<void> {
  await engine.run(`
    CREATE TABLE again AS SELECT ordinal, n FROM (
      SELECT ordinal, row_number() OVER (PARTITION BY key, scope ORDER BY behind, ordinal) AS n FROM (
        SELECT rows.ordinal, key, counted.ordinal IS NOT NULL AS behind,
          CASE WHEN bool_and(given_split IS NOT NULL) OVER (PARTITION BY key) THEN given_split END AS scope
        FROM rows LEFT JOIN counted ON counted.ordinal = rows.ordinal)) WHERE n > 1`);
  await engine.run(`
    INSERT INTO flags SELECT ordinal, 'duplicate-id', 'id ' || key, NULL FROM rows SEMI JOIN again USING (ordinal) WHERE key NOT LIKE '~%'`);
  await engine.run(`UPDATE rows SET key = key || '#' || again.n FROM again WHERE again.ordinal = rows.ordinal`);
}

/** Removes later copies of the same text with the same answer; of copies in several splits the one that is measured on stays. */
async function deduplicate(engine: TableEngine): Promise<number> {
  await engine.run(`
    CREATE TABLE copies AS SELECT ordinal FROM (
      SELECT ordinal, row_number() OVER (PARTITION BY scope_hash, exact_hash, output_hash
        ORDER BY CASE split WHEN 'TEST' THEN 0 WHEN 'VALIDATION' THEN 1 ELSE 2 END, ordinal) AS n
      FROM rows WHERE fault IS NULL AND trim(text) <> '') WHERE n > 1`);
  await engine.run('DELETE FROM rows WHERE ordinal IN (SELECT ordinal FROM copies)');
  await engine.run('DELETE FROM flags WHERE ordinal IN (SELECT ordinal FROM copies)');
  const [count] = await engine.rows<{ n: number }>('SELECT count(*) AS n FROM copies');
  return count!.n;
}
