import { taskOf } from '../../tasks/index.js';
import { flagRows } from '../flags.js';
import { findSuspects } from '../label-noise/suspects.js';
import { breathe } from '../near-duplicates/find-pairs.js';
import { Severity, type TableRule, type Tables } from '../rule.js';

const SUSPECT_LABEL = 'suspect-label';

/** More rows than this are judged by a sample. */
const MAX_ROWS = 40_000;
/** Multiplications that the classifier may take: about 6 s on one core. */
const MAX_WORK = 1.5e9;
const MAX_CLASSES = 500;
/** A class with fewer rows can't be learned well enough to doubt anything. */
const MIN_PER_CLASS = 10;

export const SUSPECT_LABEL_RULE: TableRule = {
  rules: [
    {
      id: SUSPECT_LABEL,
      severity: Severity.WARNING,
      meaning: 'Rows like this one have another label (judged by a classifier that did not see the row).',
      cure: 'Look at the likeliest ones first; a hint may be wrong where labels overlap.',
    },
  ],
  async inspect(tables) {
    if (taskOf(tables.settings.task).stored.label === undefined) return [];
    const { rows, labels } = await sample(tables);
    if (labels.length < 2 || labels.length > MAX_CLASSES) return [];
    const indexes = new Map(labels.map((label, i) => [label, i]));
    const suspects = await findSuspects(
      rows.map((r) => r.text),
      rows.map((r) => indexes.get(r.label)!),
      labels.length,
      async () => {
        tables.signal.throwIfAborted();
        await breathe();
      },
    );
    await flagRows(tables.engine, batches(suspects), (batch) =>
      batch.map(({ index, better, probability }) => ({
        ordinal: rows[index]!.ordinal,
        rule: SUSPECT_LABEL,
        note: `${labels[better]} (${Math.round(probability * 100)} %) instead of ${rows[index]!.label}`,
        related: null,
      })),
    );
    return [];
  },
};

const usual = `SELECT label FROM rows WHERE fault IS NULL AND trim(label) <> '' GROUP BY label HAVING count(*) >= ${MIN_PER_CLASS}`;

interface LabelledText {
  ordinal: number;
  text: string;
  label: string;
}

async function sample({ engine }: Tables): Promise<{ rows: LabelledText[]; labels: string[] }> {
  const labels = (await engine.rows<{ label: string }>(`${usual} ORDER BY label`)).map((row) => row.label);
  const [mean] = await engine.rows<{ characters: number | null }>(
    'SELECT avg(least(length(text), 400)) AS characters FROM rows WHERE fault IS NULL',
  );
  // A word has about six characters and makes two or three terms; each is touched twice in six passes over the rows.
  const workPerRow = ((mean?.characters ?? 0) / 6) * 2.5 * labels.length * 12;
  const limit = Math.round(Math.min(MAX_ROWS, MAX_WORK / Math.max(1, workPerRow)));
  // By digest, not at random: the report of the same version is the same.
  const rows = await engine.rows<LabelledText>(`
    SELECT ordinal, text, label FROM rows SEMI JOIN (
      SELECT ordinal FROM rows SEMI JOIN (${usual}) usual USING (label)
      WHERE fault IS NULL AND trim(text) <> '' ORDER BY digest, ordinal LIMIT ${limit}) chosen USING (ordinal)
    ORDER BY ordinal`);
  return { rows, labels };
}

async function* batches<T>(items: readonly T[]): AsyncGenerator<T[]> {
  for (let start = 0; start < items.length; start += 1000) yield items.slice(start, start + 1000);
}
