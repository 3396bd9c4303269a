import { chiSquared, populationStabilityIndex } from '../../../../../kernel/statistics.js';
import { quote } from '../../storage/duckdb.js';
import { Severity, type TableRule, type Tables, type VersionFinding } from '../rule.js';

const FIELD_DRIFT = 'field-drift';
const LABEL_DRIFT = 'label-drift';

/** By custom a PSI above 0.2 is a shift (Siddiqi, Credit Risk Scorecards). */
const PSI_LIMIT = 0.2;
/** Large samples make any difference significant: it must be visible too (Cohen's small effect). */
const P_LIMIT = 0.01;
const EFFECT_LIMIT = 0.1;
const BINS = 10;

/** What is compared besides labels, as SQL over the stored columns. */
const FIELDS = { 'text length': 'length(text)', 'rest length': 'length(body)' } as const;

export const DRIFT_RULES: TableRule = {
  rules: [
    {
      id: FIELD_DRIFT,
      severity: Severity.WARNING,
      meaning: 'A field is distributed otherwise than in the version before (population stability index above 0.2).',
      cure: 'See whether the source changed; evaluate before you promote what is trained on it.',
    },
    {
      id: LABEL_DRIFT,
      severity: Severity.WARNING,
      meaning: 'The labels have other shares than in the version before (chi-squared test, p below 0.01).',
      cure: 'See whether the change is meant.',
    },
  ],
  async inspect(tables) {
    const { parent, engine } = tables;
    if (!parent || parent.length === 0) return [];
    await engine.run(
      `CREATE OR REPLACE VIEW parent_rows AS SELECT * FROM read_parquet([${parent.map(quote).join(', ')}])`,
    );
    const findings: VersionFinding[] = [];
    for (const [name, sql] of Object.entries(FIELDS)) findings.push(...(await numberDrift(tables, name, sql)));
    findings.push(...(await categoryDrift(tables, 'language', 'language')));
    findings.push(...(await labelDrift(tables)));
    return findings;
  },
};

const finding = (psi: number, name: string): VersionFinding[] =>
  psi > PSI_LIMIT
    ? [
        {
          rule: FIELD_DRIFT,
          message: `${name} has shifted: population stability index ${psi.toFixed(2)}.`,
          subject: name,
          value: psi,
        },
      ]
    : [];

/** PSI over the deciles of the parent. */
async function numberDrift({ engine }: Tables, name: string, sql: string): Promise<VersionFinding[]> {
  const shares = Array.from({ length: BINS - 1 }, (_, i) => (i + 1) / BINS);
  const [row] = await engine.rows<{ edges: { items: number[] } | number[] }>(
    `SELECT quantile_cont(${sql}, [${shares.join(', ')}])::DOUBLE[] AS edges FROM parent_rows`,
  );
  const edges = [...new Set((row?.edges as number[] | null) ?? [])];
  if (edges.length < 2) return [];
  const bin = edges.map((edge) => `(${sql} > ${edge})::INTEGER`).join(' + ');
  const count = async (from: string): Promise<number[]> => {
    const rows = await engine.rows<{ bin: number; n: number }>(
      `SELECT ${bin} AS bin, count(*) AS n FROM ${from} GROUP BY 1`,
    );
    const bins = new Array<number>(edges.length + 1).fill(0);
    for (const { bin: index, n } of rows) bins[index] = n;
    return bins;
  };
  return finding(populationStabilityIndex(await count('parent_rows'), await count('rows WHERE fault IS NULL')), name);
}

async function pairedCounts({ engine }: Tables, column: string): Promise<{ before: number[]; now: number[] }> {
  const rows = await engine.rows<{ before: number; now: number }>(`
    SELECT coalesce(p.n, 0)::BIGINT AS before, coalesce(r.n, 0)::BIGINT AS now
    FROM (SELECT ${column} AS value, count(*) AS n FROM parent_rows WHERE ${column} IS NOT NULL GROUP BY 1) p
    FULL JOIN (SELECT ${column} AS value, count(*) AS n FROM rows WHERE fault IS NULL AND ${column} IS NOT NULL GROUP BY 1) r USING (value)`);
  return { before: rows.map((r) => r.before), now: rows.map((r) => r.now) };
}

async function categoryDrift(tables: Tables, name: string, column: string): Promise<VersionFinding[]> {
  const { before, now } = await pairedCounts(tables, column);
  return before.length > 1 ? finding(populationStabilityIndex(before, now), name) : [];
}

async function labelDrift(tables: Tables): Promise<VersionFinding[]> {
  const { before, now } = await pairedCounts(tables, 'label');
  const test = chiSquared(before, now);
  if (test.p > P_LIMIT || test.cramersV < EFFECT_LIMIT) return [];
  return [
    {
      rule: LABEL_DRIFT,
      message: `The labels have other shares than before: chi-squared ${test.statistic.toFixed(1)} at ${test.degreesOfFreedom} degrees of freedom, p ${test.p.toExponential(1)}, Cramér’s V ${test.cramersV.toFixed(2)}.`,
      subject: 'label',
      value: test.cramersV,
    },
  ];
}
