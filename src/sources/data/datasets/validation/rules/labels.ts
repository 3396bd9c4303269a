import { taskOf } from '../../tasks/index.js';
import { editDistance } from '../edit-distance.js';
import { noteOf } from '../flags.js';
import { Severity, type TableRule, type Tables, type VersionFinding } from '../rule.js';

const LABEL_VARIANT = 'label-variant';
const LABEL_TYPO = 'label-typo';
const UNKNOWN_LABEL = 'unknown-label';
const RARE_LABEL = 'rare-label';
const SINGLE_CLASS = 'single-class';
const IMBALANCE = 'imbalance';

/** How much rarer a label must be than the one that it resembles before it counts as its misspelling. */
const TYPO_RATIO = 10;
/** Largest class against smallest, beyond which most learners neglect the small one. */
const IMBALANCE_RATIO = 20;

interface LabelCount {
  label: string;
  rows: number;
  training: number;
}

/** A hyphen within a name; between two digits (`1-2`) it means something. */
const INNER_HYPHEN = /(?<=\p{L})-(?=[\p{L}\p{N}])|(?<=\p{N})-(?=\p{L})/gu;
/** Blanks and `_`; between two digits they part numbers. */
const GAP = /(?<!\p{N})[\s_]+|[\s_]+(?!\p{N})/gu;

/**
 * The label without case, blanks, hyphens within it and the mark at its end: labels that agree in this were meant to be one. Signs and
 * symbols stay, since `-1` is not `1` and `C++` not `C`.
 */
const labelCore = (label: string): string =>
  label
    .normalize('NFKC')
    .toLowerCase()
    .trim()
    .replace(/[.,:;]+$/u, '')
    .replace(INNER_HYPHEN, '')
    .replace(GAP, '');

/** Labels of marks alone have no core, and are nobody's variant. */
const isVariant = (label: string, base: string): boolean =>
  labelCore(label) !== '' && labelCore(label) === labelCore(base);

interface LabelProblem {
  label: string;
  rule: string;
  note: string;
}

/** What is wrong with labels, from their counts alone. Each label has at most one problem. */
function labelProblems(counts: readonly LabelCount[], declared: readonly string[], minRows: number): LabelProblem[] {
  const frequentFirst = [...counts].sort((a, b) => b.rows - a.rows || (a.label < b.label ? -1 : 1));
  return frequentFirst.flatMap((entry, index): LabelProblem[] => {
    if (declared.includes(entry.label)) return entry.training < minRows ? [rare(entry, minRows)] : [];
    const betters =
      declared.length > 0 ? declared.map((label) => ({ label, rows: Infinity })) : frequentFirst.slice(0, index);
    const variant = betters.find((better) => isVariant(entry.label, better.label));
    if (variant)
      return [{ label: entry.label, rule: LABEL_VARIANT, note: `${entry.label} instead of ${variant.label}` }];
    const original = betters.find(
      (better) => better.rows >= entry.rows * TYPO_RATIO && resemble(better.label, entry.label),
    );
    if (original)
      return [{ label: entry.label, rule: LABEL_TYPO, note: `${entry.label} instead of ${original.label}?` }];
    if (declared.length > 0)
      return [{ label: entry.label, rule: UNKNOWN_LABEL, note: `${entry.label} is not declared` }];
    return entry.training < minRows ? [rare(entry, minRows)] : [];
  });
}

const rare = ({ label, training }: LabelCount, minRows: number): LabelProblem => ({
  label,
  rule: RARE_LABEL,
  note: `${label} has ${training} rows for training, at least ${minRows} are advised`,
});

/** One slip of the keyboard in a label of four letters, two in one of eight. */
function resemble(a: string, b: string): boolean {
  const [x, y] = [labelCore(a), labelCore(b)];
  const allowed = Math.min(x.length, y.length) >= 8 ? 2 : 1;
  // Labels that differ in a number, sign or symbol ("level1", "level2") are no misspellings.
  if (Math.min(x.length, y.length) < 4 || lettersOf(x) === lettersOf(y)) return false;
  return editDistance(x, y, allowed) <= allowed;
}

const lettersOf = (text: string): string => text.replace(/[^\p{L}\p{M}]+/gu, '');

export const LABEL_RULES: TableRule = {
  rules: [
    {
      id: LABEL_VARIANT,
      severity: Severity.ERROR,
      meaning: 'The label differs from a commoner one in case, blanks, hyphens or the mark at its end only.',
      cure: 'Write both the same way.',
    },
    {
      id: LABEL_TYPO,
      severity: Severity.ERROR,
      meaning: 'The label looks like a misspelling of a much commoner one.',
      cure: 'Correct it, or declare the labels of the dataset if both are meant.',
    },
    {
      id: UNKNOWN_LABEL,
      severity: Severity.ERROR,
      meaning: 'The label is none of those that the dataset declares.',
      cure: 'Correct it or declare it.',
    },
    {
      id: RARE_LABEL,
      severity: Severity.WARNING,
      meaning: 'The label has too few rows for training to be learned.',
      cure: 'Add rows, merge it with another label, or leave it out.',
    },
    {
      id: SINGLE_CLASS,
      severity: Severity.ERROR,
      meaning: 'All rows have the same label: there is nothing to learn.',
      cure: 'Add rows of other labels.',
    },
    {
      id: IMBALANCE,
      severity: Severity.WARNING,
      meaning: 'One label has very many more rows than another.',
      cure: 'Add rows of the small class or sample the large one.',
    },
  ],
  async inspect(tables) {
    if (taskOf(tables.settings.task).stored.label === undefined) return [];
    const counts = await countLabels(tables);
    const problems = labelProblems(counts, tables.settings.labels, tables.settings.minRowsPerLabel);
    for (const { label, rule, note } of problems)
      await tables.engine.run(
        `INSERT INTO flags SELECT ordinal, ?, ?, NULL FROM rows WHERE fault IS NULL AND label = ?`,
        [rule, noteOf(note), label],
      );
    const wrong = new Set(problems.filter((p) => p.rule !== RARE_LABEL).map((p) => p.label));
    return classFindings(counts.filter((c) => !wrong.has(c.label)));
  },
};

const countLabels = ({ engine }: Tables): Promise<LabelCount[]> =>
  engine.rows<LabelCount>(
    `SELECT label, count(*) AS rows, count(*) FILTER (split = 'TRAIN') AS training
     FROM rows WHERE fault IS NULL AND trim(label) <> '' GROUP BY label ORDER BY rows DESC, label LIMIT 100000`,
  );

/** Findings on the classes as a whole; misspelt ones don't count as classes. */
function classFindings(counts: readonly LabelCount[]): VersionFinding[] {
  const trained = counts.filter((c) => c.training > 0);
  if (counts.length === 1)
    return [
      {
        rule: SINGLE_CLASS,
        message: `All rows have the label ${JSON.stringify(counts[0]!.label)}.`,
        subject: counts[0]!.label,
        value: 1,
      },
    ];
  if (trained.length < 2) return [];
  const [largest, smallest] = [
    trained.reduce((a, b) => (b.training > a.training ? b : a)),
    trained.reduce((a, b) => (b.training < a.training ? b : a)),
  ];
  const ratio = largest.training / smallest.training;
  if (ratio < IMBALANCE_RATIO) return [];
  return [
    {
      rule: IMBALANCE,
      message: `${JSON.stringify(largest.label)} has ${largest.training} rows for training, ${JSON.stringify(smallest.label)} has ${smallest.training}.`,
      subject: smallest.label,
      value: ratio,
    },
  ];
}
