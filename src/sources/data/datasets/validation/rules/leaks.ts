import { Severity, type TableRule } from '../rule.js';

const rank = (row: string) => `CASE ${row}.split WHEN 'TEST' THEN 2 WHEN 'VALIDATION' THEN 1 ELSE 0 END`;

/**
 * The same example in two splits: a measurement on it would praise memory. The copy in the split that is used earlier is
 * flagged (training before validation before test), so that a public test set stays whole.
 */
export const LEAK_RULES: TableRule = {
  rules: [
    {
      id: 'split-leak',
      severity: Severity.ERROR,
      meaning: 'The same words stand in a split that the model will be measured on.',
      cure: 'Nothing: this copy is kept out of training; measure on the other one.',
    },
    {
      id: 'near-split-leak',
      severity: Severity.ERROR,
      meaning: 'Nearly the same text stands in a split that the model will be measured on.',
      cure: 'Nothing: this copy is kept out of training; measure on the other one.',
    },
  ],
  async inspect({ engine }) {
    await engine.run(`
      INSERT INTO flags
      SELECT r.ordinal, 'split-leak', 'also in ' || o.split, o.ordinal
      FROM rows r JOIN word_groups g USING (ordinal) JOIN rows o ON o.ordinal = g.first
      WHERE ${rank('r')} < ${rank('o')}`);
    // Group members stand for their first row in near_pairs, whose split is the latest of the group.
    await engine.run(`
      INSERT INTO flags
      SELECT r.ordinal, 'near-split-leak', printf('%d %% alike, in %s', round(jaccard * 100)::INTEGER, o.split), o.ordinal
      FROM (SELECT a, b, jaccard FROM near_pairs UNION ALL SELECT b, a, jaccard FROM near_pairs) p
      JOIN word_groups g ON g.first = p.a JOIN rows r ON r.ordinal = g.ordinal JOIN rows o ON o.ordinal = p.b
      WHERE ${rank('r')} < ${rank('o')}
        AND r.ordinal NOT IN (SELECT ordinal FROM flags WHERE rule = 'split-leak')
      QUALIFY row_number() OVER (PARTITION BY r.ordinal ORDER BY jaccard DESC, o.ordinal) = 1`);
    return [];
  },
};
