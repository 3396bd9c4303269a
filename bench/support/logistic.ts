/** Value below which the share `q` of the values lies, 0..1. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
}

const RIDGE = 1e-4;
const STEPS = 60;

/**
 * Logistic regression by Newton's method, both classes weighing the same whatever their sizes.
 * @returns weights: the bias, then one a feature; and the probability that they give to a row
 */
export function fitLogistic(
  yes: readonly number[][],
  no: readonly number[][],
): { weights: number[]; probability: (row: readonly number[]) => number } {
  const rows = [
    ...yes.map((x) => ({ x: [1, ...x], y: 1, share: 0.5 / yes.length })),
    ...no.map((x) => ({ x: [1, ...x], y: 0, share: 0.5 / no.length })),
  ];
  const size = rows[0]?.x.length ?? 1;
  let weights = new Array<number>(size).fill(0);
  const at = (x: readonly number[]): number => 1 / (1 + Math.exp(-x.reduce((sum, v, i) => sum + v * weights[i]!, 0)));
  for (let step = 0; step < STEPS; step += 1) {
    const gradient = weights.map((w) => -RIDGE * w);
    const hessian = weights.map((_, i) => weights.map((__, j) => (i === j ? RIDGE : 0)));
    for (const { x, y, share } of rows) {
      const p = at(x);
      for (let i = 0; i < size; i += 1) {
        gradient[i]! += share * (y - p) * x[i]!;
        for (let j = 0; j < size; j += 1) hessian[i]![j]! += share * p * (1 - p) * x[i]! * x[j]!;
      }
    }
    const change = solve(hessian, gradient);
    weights = weights.map((w, i) => w + change[i]!);
  }
  return { weights, probability: (row) => at([1, ...row]) };
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
