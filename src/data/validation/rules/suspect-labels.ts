import { TaskKind } from '../../tasks/task-kinds.js';
import { flagRows } from '../flags.js';
import { findSuspects } from '../label-noise/suspects.js';
import { breathe } from '../near-duplicates/find-pairs.js';
import { Severity, type TableRule, type Tables } from '../rule.js';

const SUSPECT_LABEL = 'suspect-label';

/** More rows, or more rows times classes, than this are judged by a sample: about 20 s on one core. */
const MAX_ROWS = 40_000;
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
    if (tables.settings.task !== TaskKind.CLASSIFICATION) return [];
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

async function sample({
  engine,
}: Tables): Promise<{ rows: { ordinal: number; text: string; label: string }[]; labels: string[] }> {
  const labels = await engine.rows<{ label: string }>(
    `SELECT label FROM rows WHERE fault IS NULL AND trim(label) <> '' GROUP BY label HAVING count(*) >= ${MIN_PER_CLASS} ORDER BY label`,
  );
  // A hash, not a random number: the report of the same version is the same.
  const rows = await engine.rows<{ ordinal: number; text: string; label: string }>(
    `SELECT ordinal, text, label FROM rows SEMI JOIN
       (SELECT label FROM rows WHERE fault IS NULL AND trim(label) <> '' GROUP BY label HAVING count(*) >= ${MIN_PER_CLASS}) usual USING (label)
     WHERE fault IS NULL AND trim(text) <> ''
     QUALIFY row_number() OVER (ORDER BY digest, ordinal) <= ${MAX_ROWS} ORDER BY ordinal`,
  );
  return { rows, labels: labels.map((l) => l.label) };
}

async function* batches<T>(items: readonly T[]): AsyncGenerator<T[]> {
  for (let at = 0; at < items.length; at += 1000) yield items.slice(at, at + 1000);
}
