/** What is known of a sample; the values of a rate are 0 and 1. */
export interface Moments {
  n: number;
  mean: number;
  /** Of a value, with n - 1 below the line. */
  variance: number;
}

export const momentsOf = (values: readonly number[]): Moments => {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, n);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { n, mean, variance: n > 1 ? squares / (n - 1) : 0 };
};

/** How a difference of two means is told: in their unit, or as a share of the control's mean. */
export type DifferenceKind = 'ABSOLUTE' | 'RELATIVE';

/** The difference `arm` - `control` and the variance of its estimate; of a relative one by the delta method. */
export function differenceOf(
  control: Moments,
  arm: Moments,
  kind: DifferenceKind,
): { value: number; variance: number } {
  const value = arm.mean - control.mean;
  if (kind === 'ABSOLUTE') return { value, variance: arm.variance / arm.n + control.variance / control.n };
  return {
    value: value / control.mean,
    variance:
      arm.variance / (control.mean ** 2 * arm.n) + (control.variance * arm.mean ** 2) / (control.mean ** 4 * control.n),
  };
}
