import { fromColumns, type ContentColumns } from '../../rows/row-table.js';
import { taskOf } from '../../tasks/index.js';
import { flagRows, type Flag } from '../flags.js';
import { languageOf } from '../language.js';
import { Severity, type TableRule, type Tables } from '../rule.js';

const LANGUAGE_MIX = 'language-mix';
const WRONG_LANGUAGE = 'wrong-language';

/** Languages that a detector takes for one another on short texts: not worth a warning. */
const ALIKE: readonly (readonly string[])[] = [
  ['da', 'no', 'nb', 'nn', 'sv'],
  ['es', 'gl', 'pt', 'ca'],
  ['cs', 'sk'],
  ['hr', 'bs', 'sr', 'sl'],
  ['id', 'ms'],
  ['nl', 'af'],
  ['be', 'uk', 'ru'],
];
const areAlike = (a: string, b: string): boolean =>
  a === b || ALIKE.some((group) => group.includes(a) && group.includes(b));

/**
 * Which languages are at home in a dataset: the declared one, or those of at least a tenth of the rows whose language is
 * known; a dataset in two languages is meant to be so.
 */
function homeLanguages(counts: readonly { language: string; rows: number }[], declared: string | null): string[] {
  if (declared !== null) return [declared];
  const total = counts.reduce((sum, c) => sum + c.rows, 0);
  return counts.filter((c) => c.rows >= total / 10).map((c) => c.language);
}

export const LANGUAGE_RULES: TableRule = {
  rules: [
    {
      id: LANGUAGE_MIX,
      severity: Severity.WARNING,
      meaning: 'The text is in another language than the rest.',
      cure: 'Remove it, translate it, or leave it in if the model shall understand it.',
    },
    {
      id: WRONG_LANGUAGE,
      severity: Severity.WARNING,
      meaning: 'A side of the translation is not in the language that it is declared to be in.',
      cure: 'Swap the sides or correct the language.',
    },
  ],
  async inspect(tables) {
    if (taskOf(tables.settings.task).twoLanguages) await checkSides(tables);
    else await checkMix(tables);
    return [];
  },
};

async function checkMix({ engine, settings }: Tables): Promise<void> {
  const counts = await engine.rows<{ language: string; rows: number }>(
    `SELECT language, count(*) AS rows FROM rows WHERE fault IS NULL AND language IS NOT NULL GROUP BY language ORDER BY rows DESC`,
  );
  const home = homeLanguages(counts, settings.language);
  if (home.length === 0) return;
  for (const { language } of counts.filter((c) => !home.some((h) => areAlike(h, c.language))))
    await engine.run(
      `INSERT INTO flags SELECT ordinal, '${LANGUAGE_MIX}', ?, NULL FROM rows WHERE fault IS NULL AND language = ?`,
      [`looks like ${language}, most rows are ${home.join(', ')}`, language],
    );
}

async function checkSides({ engine, settings }: Tables): Promise<void> {
  const rows = engine.stream<ContentColumns & { ordinal: number }>(
    'SELECT ordinal, text, label, body FROM rows WHERE fault IS NULL',
  );
  await flagRows(engine, rows, async (batch) => {
    const flags: Flag[] = [];
    for (const columns of batch) {
      const sides = taskOf(settings.task).languages(fromColumns(settings.task, columns));
      for (const [side, { text, language }] of Object.entries(sides ?? {})) {
        const guess = await languageOf(text);
        if (!guess || language === 'und' || areAlike(guess, language.slice(0, 2).toLowerCase())) continue;
        const note = `${side} looks like ${guess}, not ${language}`;
        flags.push({ ordinal: columns.ordinal, rule: WRONG_LANGUAGE, note, related: null });
        break;
      }
    }
    return flags;
  });
}
