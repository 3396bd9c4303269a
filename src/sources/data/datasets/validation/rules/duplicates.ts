import { findNearDuplicates } from '../near-duplicates/find-pairs.js';
import { Severity, type TableRule } from '../rule.js';

/** How similar, for notes: "82 % alike". */
const alike = `printf('%d %% alike', round(jaccard * 100)::INTEGER)`;

/**
 * Copies within a split. Across splits they are leaks, which is worse and told apart. Must run before the rules on leaks
 * and contradictions: it makes the tables of near duplicates that they read.
 */
export const DUPLICATE_RULES: TableRule = {
  rules: [
    {
      id: 'exact-duplicate',
      severity: Severity.WARNING,
      meaning: 'Another row before it in the same split has the same text and the same answer.',
      cure: 'Declare the step DEDUPLICATE.',
    },
    {
      id: 'near-duplicate',
      severity: Severity.WARNING,
      meaning:
        'Another row in the same split has nearly the same text (Jaccard similarity of five-character pieces at least 0.7).',
      cure: 'Keep one of them if they teach the same.',
    },
  ],
  async inspect({ engine, signal }) {
    await findNearDuplicates(engine, signal);
    await engine.run(`
      INSERT INTO flags
      SELECT ordinal, 'exact-duplicate', 'same text and answer', first FROM (
        SELECT ordinal, min(ordinal) OVER (PARTITION BY split, scope_hash, exact_hash, output_hash) AS first
        FROM rows WHERE fault IS NULL AND trim(text) <> '') WHERE ordinal > first`);
    // Same words in another spelling, and pairs that share most pieces; the later row is flagged, once.
    await engine.run(`
      INSERT INTO flags
      SELECT b, 'near-duplicate', note, a FROM (
        SELECT r.ordinal AS b, f.ordinal AS a, 'same words' AS note, 1.0 AS score
        FROM rows r JOIN word_groups g USING (ordinal) JOIN rows f ON f.ordinal = g.first
        WHERE r.ordinal <> f.ordinal AND r.split = f.split AND r.exact_hash <> f.exact_hash
        UNION ALL
        SELECT rb.ordinal, ra.ordinal, ${alike}, jaccard
        FROM near_pairs p JOIN rows ra ON ra.ordinal = p.a JOIN rows rb ON rb.ordinal = p.b WHERE ra.split = rb.split)
      QUALIFY row_number() OVER (PARTITION BY b ORDER BY score DESC, a) = 1`);
    return [];
  },
};
