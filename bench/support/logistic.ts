/** Value below which the share `q` of the values lies, 0..1. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
}

/** A row of a regression: features, whether it holds, and what it weighs. */
export interface WeightedRow {
  x: readonly number[];
  y: boolean;
  weight: number;
  /** What stands beside the weighed features, as log-odds. */
  offset?: number;
}

/** Rows that weigh 1 in the mean are drawn to 0 by so much. */
const RIDGE = 0.1;
const STEPS = 60;

/**
 * Logistic regression by Newton's method.
 * @returns the bias, then a weight a feature
 */
export function fitLogistic(rows: readonly WeightedRow[]): number[] {
  const mean = rows.reduce((sum, { weight }) => sum + weight, 0) / rows.length;
  const size = 1 + (rows[0]?.x.length ?? 0);
  let weights = new Array<number>(size).fill(0);
  for (let step = 0; step < STEPS; step += 1) {
    const gradient = weights.map((w) => -RIDGE * w);
    const hessian = weights.map((_, i) => weights.map((__, j) => (i === j ? RIDGE : 0)));
    for (const { x: features, y, weight, offset = 0 } of rows) {
      const x = [1, ...features];
      const p = 1 / (1 + Math.exp(-x.reduce((sum, v, i) => sum + v * weights[i]!, offset)));
      const share = weight / mean;
      for (let i = 0; i < size; i += 1) {
        gradient[i]! += share * (Number(y) - p) * x[i]!;
        for (let j = 0; j < size; j += 1) hessian[i]![j]! += share * p * (1 - p) * x[i]! * x[j]!;
      }
    }
    const change = solve(hessian, gradient);
    weights = weights.map((w, i) => w + change[i]!);
  }
  return weights;
}

/** Gauss-Jordan elimination with pivoting. */
function solve(matrix: number[][], right: number[]): number[] {
  const m = matrix.map((row, i) => [...row, right[i]!]);
  for (let i = 0; i < m.length; i += 1) {
    let pivot = i;
    for (let j = i; j < m.length; j += 1) if (Math.abs(m[j]![i]!) > Math.abs(m[pivot]![i]!)) pivot = j;
    [m[i], m[pivot]] = [m[pivot]!, m[i]!];
    for (let j = 0; j < m.length; j += 1) {
      if (j === i) continue;
      const factor = m[j]![i]! / m[i]![i]!;
      for (let k = i; k <= m.length; k += 1) m[j]![k]! -= factor * m[i]![k]!;
    }
  }
  return m.map((row, i) => row[m.length]! / row[i]!);
}
