import { Split, type SplitRule } from '../../importing/splits.js';
import { Severity, type TableRule, type Tables, type VersionFinding } from '../rule.js';

const EMPTY_SPLIT = 'empty-split';

export const SPLIT_RULES: TableRule = {
  rules: [
    {
      id: EMPTY_SPLIT,
      severity: Severity.WARNING,
      meaning:
        'A split that should have a share of the rows has none: they are of too few groups, which are never parted.',
      cure: 'Map GROUP to no column or to one with more values, give rows their split, or add rows.',
    },
  ],
  async inspect(tables) {
    const { shared, groups, filled } = await countParted(tables);
    if (shared === 0) return [];
    const empty = wantedSplits(tables.splitRule).filter((split) => !filled.includes(split));
    return empty.map((split): VersionFinding => ({
      rule: EMPTY_SPLIT,
      message: `${split} has no rows: those that were shared out (${shared}) are of ${groups} ${groups === 1 ? 'group' : 'groups'}.`,
      subject: split,
      value: groups,
    }));
  },
};

const wantedSplits = ({ validation, test }: SplitRule): Split[] => [
  Split.TRAIN,
  ...(validation > 0 ? [Split.VALIDATION] : []),
  ...(test > 0 ? [Split.TEST] : []),
];

/** Rows whose split was computed, their groups, and the splits that have any row. */
async function countParted({ engine }: Tables): Promise<{ shared: number; groups: number; filled: string[] }> {
  const computed = 'FILTER (given_split IS NULL)';
  const [counts] = await engine.rows<{ shared: number; groups: number }>(
    `SELECT count(*) ${computed} AS shared, count(DISTINCT group_key) ${computed} AS groups FROM rows WHERE fault IS NULL`,
  );
  const filled = await engine.rows<{ split: string }>('SELECT DISTINCT split FROM rows WHERE fault IS NULL');
  return { ...counts!, filled: filled.map(({ split }) => split) };
}
