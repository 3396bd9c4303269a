import { taskOf } from '../../tasks/index.js';
import { Severity, type TableRule } from '../rule.js';

const other = `CASE WHEN o.label IS NULL THEN 'other entities' ELSE 'labelled ' || o.label END`;

export const CONTRADICTION_RULES: TableRule = {
  rules: [
    {
      id: 'contradicting-label',
      severity: Severity.ERROR,
      spares: 'test',
      meaning: 'Another row has the same words and a different answer.',
      cure: 'Decide which is right; until then neither teaches anything.',
    },
    {
      id: 'near-contradiction',
      severity: Severity.WARNING,
      meaning: 'A near duplicate of the row has a different label.',
      cure: 'Look at both: one of the labels may be wrong.',
    },
  ],
  async inspect({ engine, settings }) {
    const { oneAnswer, stored } = taskOf(settings.task);
    // A text may have several good translations or replies.
    if (!oneAnswer) return [];
    // Two answers of a group are enough to name one that differs from any row's own: no row is paired with all others.
    await engine.run(`
      INSERT INTO flags
      WITH answers AS (
        SELECT scope_hash, words_hash, output_hash, min(ordinal) AS first, count(*) OVER same_words AS answers,
               row_number() OVER (same_words ORDER BY min(ordinal)) AS place
        FROM rows WHERE fault IS NULL AND trim(text) <> '' GROUP BY scope_hash, words_hash, output_hash
        WINDOW same_words AS (PARTITION BY scope_hash, words_hash)
        QUALIFY answers > 1 AND place <= 2)
      SELECT r.ordinal, 'contradicting-label', ${other}, o.ordinal
      FROM rows r JOIN answers a USING (scope_hash, words_hash) JOIN rows o ON o.ordinal = a.first
      WHERE r.fault IS NULL AND a.output_hash <> r.output_hash
      QUALIFY row_number() OVER (PARTITION BY r.ordinal ORDER BY o.ordinal) = 1`);
    if (stored.label === undefined) return [];
    await engine.run(`
      INSERT INTO flags
      SELECT r.ordinal, 'near-contradiction', ${other}, o.ordinal
      FROM (SELECT a, b, jaccard FROM near_pairs UNION ALL SELECT b, a, jaccard FROM near_pairs) p
      JOIN rows r ON r.ordinal = p.a JOIN rows o ON o.ordinal = p.b
      WHERE r.output_hash <> o.output_hash
      QUALIFY row_number() OVER (PARTITION BY r.ordinal ORDER BY jaccard DESC, o.ordinal) = 1`);
    return [];
  },
};
