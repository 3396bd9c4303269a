import { quote, type TableEngine, type TableWriter } from '../storage/duckdb.js';
import { fromColumns, rowHashes, sameKey, STAGED_COLUMNS } from '../rows/row-table.js';
import type { RowNote } from '../importing/build-row.js';
import { DUPLICATE_ID } from '../validation/rules/schema.js';
import { PLACEMENT_RULES } from '../validation/rules/spans.js';
import { breathe } from '../validation/near-duplicates/find-pairs.js';
import { taskOf, type TaskRow } from '../tasks/index.js';
import type { VersionRecipe, RecipeBase, Revision } from './recipe.js';
import { stageFault, stageRow, type Staging } from './stage-file.js';

interface BaseRow {
  ordinal: number;
  key: string;
  split: string;
  given_split: string | null;
  group_key: string;
  subject: string | null;
  entity: string | null;
  event_time: number | null;
  file: number;
  file_row: number;
  line: number | null;
  text: string;
  label: string | null;
  body: string;
  features: string | null;
  fault: string | null;
  problems: string;
}

/** Rules that look at the record that a row is built of, which no version keeps: what they once found holds for the row as long as it is carried. */
const BUILDING_RULES = new Set(PLACEMENT_RULES.map(({ id }) => id));

/** Keys with a counter that `makeKeysUnique` put there: of repeated ids, and of rows of one input. An id may be given with such an end. */
const COUNTED = `problems LIKE '%"${DUPLICATE_ID.id}"%' OR regexp_matches(key, '^~([0-9a-f]{16}){1,2}#[0-9]+$')`;

/**
 * Carries the rows of the version before over, unless a new row has their key; with a revision, also unless it has their words, and under the labels
 * that theirs are now. They keep their places, keys, splits and
 * groups, and are judged anew: a quarantined row may be right now that the others have changed. New rows stand behind them.
 * `files` is the number of the new version's own files; the carried rows name theirs behind them.
 */
export async function stageBase(
  engine: TableEngine,
  recipe: VersionRecipe,
  base: RecipeBase,
  files: number,
  staging: Staging,
): Promise<void> {
  const from = rowsOf(base);
  const condition = base.without ? `NOT coalesce(${base.without.sql}, false)` : 'true';
  const rows = engine.stream<BaseRow>(
    // Not an anti join: DuckDB compares all pairs of rows when its condition has more than equalities.
    `SELECT * FROM (SELECT * FROM ${from} WHERE ${condition}) b
     WHERE NOT EXISTS (SELECT 1 FROM rows n WHERE ${sameKey('b', 'n')}) ORDER BY ordinal`,
    base.without?.values ?? [],
  );
  // Appending to `rows` while it is read would conflict: these go to a table of their own first.
  const revise = base.revision ? await reviser(engine, recipe, base.revision) : null;
  const writer: TableWriter = await engine.createTable('carried', STAGED_COLUMNS);
  const baseStaging: Staging = { ...staging, rows: writer };
  for await (const batch of rows) {
    for (const r of batch) {
      const position = { ordinal: r.ordinal, file: files + r.file, fileRow: r.file_row, line: r.line };
      if (r.fault) stageFault(baseStaging, position, { rule: r.fault, message: 'carried over' }, [r.text]);
      else {
        const meta = {
          ...position,
          key: r.key,
          split: r.split,
          givenSplit: r.given_split,
          group: r.group_key,
          subject: r.subject,
          entity: r.entity,
          eventTime: r.event_time,
          language: null,
        };
        const carried = fromColumns(recipe.settings.task, r);
        const row = revise ? revise(carried) : carried;
        if (!row) continue;
        const staged = { row, hashes: rowHashes(row), notes: notesOf(r), features: r.features };
        await stageRow(baseStaging, meta, staged, recipe);
      }
    }
    await breathe();
  }
  writer.close();
  await engine.run('INSERT INTO rows SELECT * FROM carried');
  await engine.run('DROP TABLE carried');
  staging.characters = baseStaging.characters;
}

const rowsOf = (base: RecipeBase): string => `read_parquet([${base.rowGroups.map(quote).join(', ')}])`;

const notesOf = ({ problems }: BaseRow): RowNote[] =>
  (JSON.parse(problems) as string[])
    .filter((rule) => BUILDING_RULES.has(rule))
    .map((rule) => ({ rule, note: 'carried over' }));

/** Gives carried rows the keys that they had before an earlier version counted equal ones, and lists them in the table `counted`. */
export async function restoreKeys(engine: TableEngine, base: RecipeBase | null): Promise<void> {
  await engine.run(`CREATE TABLE counted (ordinal BIGINT)`);
  if (!base || base.rowGroups.length === 0) return;
  await engine.run(`INSERT INTO counted SELECT ordinal FROM ${rowsOf(base)} WHERE fault IS NULL AND (${COUNTED})`);
  await engine.run(
    `UPDATE rows SET key = regexp_replace(key, '#[0-9]+$', '') WHERE ordinal IN (SELECT ordinal FROM counted)`,
  );
}

/** What becomes of a carried row; null: it is left out, as where a new row of its words has another answer. The new rows must be staged. */
async function reviser(
  engine: TableEngine,
  { settings }: VersionRecipe,
  { labels }: Revision,
): Promise<(row: TaskRow) => TaskRow | null> {
  const { oneAnswer, stored } = taskOf(settings.task);
  /** Answers of the new rows by their words. */
  const newer = new Map<string, Set<string>>();
  const answers = engine.stream<{ words: string; output: string }>(
    `SELECT DISTINCT scope_hash || words_hash AS words, output_hash AS output FROM rows WHERE fault IS NULL AND trim(text) <> ''`,
  );
  if (oneAnswer)
    for await (const batch of answers)
      for (const { words, output } of batch) newer.set(words, (newer.get(words) ?? new Set()).add(output));
  const meanings = new Map(labels.map(({ from, to }) => [from, to]));
  const relabel = (row: TaskRow): TaskRow | null => {
    if (stored.label === undefined) return row;
    const meaning = meanings.get((row as unknown as Record<string, string>)[stored.label]!);
    if (meaning === undefined) return row;
    return meaning === null ? null : { ...row, [stored.label]: meaning };
  };
  return (carried) => {
    const row = relabel(carried);
    if (row === null) return null;
    const { scope, words, output } = rowHashes(row);
    return newer.get(`${scope}${words}`)?.has(output) === false ? null : row;
  };
}

/** The ordinal that the first new row gets. */
export async function firstFreeOrdinal(engine: TableEngine, base: RecipeBase | null): Promise<number> {
  if (!base || base.rowGroups.length === 0) return 1;
  const [row] = await engine.rows<{ last: number }>(
    `SELECT coalesce(max(ordinal), 0)::BIGINT AS last FROM ${rowsOf(base)}`,
  );
  return row!.last + 1;
}
