/** Lanczos approximation of ln Γ(x) for x > 0 (Numerical Recipes, 3rd ed., 6.1; relative error below 1e-13). */
export function logGamma(x: number): number {
  const c = [
    57.1562356658629235, -59.5979603554754912, 14.1360979747417471, -0.491913816097620199, 0.339946499848118887e-4,
    0.465236289270485756e-4, -0.983744753048795646e-4, 0.158088703224912494e-3, -0.210264441724104883e-3,
    0.217439618115212643e-3, -0.16431810653676389e-3, 0.844182239838527433e-4, -0.261908384015814087e-4,
    0.368991826595316234e-5,
  ];
  const t = x + 5.2421875;
  const sum = c.reduce((total, coefficient, i) => total + coefficient / (x + 1 + i), 0.999999999999997092);
  return (x + 0.5) * Math.log(t) - t + Math.log((2.5066282746310005 * sum) / x);
}

/** Upper regularised incomplete gamma function Q(a, x): series below a + 1, continued fraction above (Numerical Recipes 6.2). */
export function gammaQ(a: number, x: number): number {
  if (x <= 0) return 1;
  const front = Math.exp(-x + a * Math.log(x) - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = a + 1; Math.abs(term) > Math.abs(sum) * 1e-15; n++) sum += term *= x / n;
    return Math.max(0, 1 - sum * front);
  }
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let h = d;
  for (let i = 1; i < 10_000; i++) {
    const an = -i * (i - a);
    b += 2;
    d = 1 / (an * d + b || 1e-300);
    c = b + an / c || 1e-300;
    h *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return front * h;
}

/** Regularised incomplete beta function I_x(a, b) by its continued fraction (Lentz; Numerical Recipes, 3rd ed., 6.4). */
export function betaCdf(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast below the mean; the other half is its mirror.
  if (x > (a + 1) / (a + b + 2)) return 1 - betaCdf(1 - x, b, a);
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) - logBeta(a, b)) / a;
  const tiny = 1e-300;
  let [c, d] = [1, 1 / (1 - ((a + b) * x) / (a + 1) || tiny)];
  let fraction = d;
  for (let m = 1; m < 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / (1 + even * d || tiny);
    c = 1 + even / c || tiny;
    fraction *= c * d;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + odd * d || tiny);
    c = 1 + odd / c || tiny;
    fraction *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return front * fraction;
}

export const logBeta = (a: number, b: number): number => logGamma(a) + logGamma(b) - logGamma(a + b);

/** Probability of at most `successes` among `trials` of probability `p` each, summed term by term. */
export function binomialCdf(successes: number, trials: number, p: number): number {
  if (successes >= trials || p <= 0) return 1;
  if (p >= 1) return 0;
  let logTerm = trials * Math.log1p(-p);
  let sum = Math.exp(logTerm);
  for (let k = 1; k <= successes; k++) {
    logTerm += Math.log((trials - k + 1) / k) + Math.log(p) - Math.log1p(-p);
    sum += Math.exp(logTerm);
  }
  return Math.min(1, sum);
}

interface ChiSquared {
  statistic: number;
  degreesOfFreedom: number;
  /** Probability of a statistic at least this large if both samples came from one distribution. */
  p: number;
  /** Effect size 0..1; unlike `p` it doesn't shrink to nothing just because the samples are large. */
  cramersV: number;
}

/** Pearson's test of homogeneity of two samples of counts over the same categories. Empty categories are left out. */
export function chiSquared(a: readonly number[], b: readonly number[]): ChiSquared {
  const totalA = a.reduce((s, n) => s + n, 0);
  const totalB = b.reduce((s, n) => s + n, 0);
  const total = totalA + totalB;
  let statistic = 0;
  let categories = 0;
  a.forEach((inA, i) => {
    const inB = b[i] ?? 0;
    if (inA + inB === 0) return;
    categories++;
    const expectedA = ((inA + inB) * totalA) / total;
    const expectedB = ((inA + inB) * totalB) / total;
    if (expectedA > 0) statistic += (inA - expectedA) ** 2 / expectedA;
    if (expectedB > 0) statistic += (inB - expectedB) ** 2 / expectedB;
  });
  const degreesOfFreedom = Math.max(0, categories - 1);
  const comparable = degreesOfFreedom > 0 && totalA > 0 && totalB > 0;
  return {
    statistic,
    degreesOfFreedom,
    p: comparable ? gammaQ(degreesOfFreedom / 2, statistic / 2) : 1,
    cramersV: comparable ? Math.min(1, Math.sqrt(statistic / total)) : 0,
  };
}

/**
 * Population stability index of `actual` against `expected` counts over the same bins. By custom below 0.1 is stable,
 * above 0.2 has shifted. Half a count is added to each bin so that an empty one doesn't make it infinite.
 */
export function populationStabilityIndex(expected: readonly number[], actual: readonly number[]): number {
  const bins = Math.max(expected.length, actual.length);
  const smoothed = (counts: readonly number[]) => {
    const total = counts.reduce((s, n) => s + n, 0) + bins / 2;
    return Array.from({ length: bins }, (_, i) => ((counts[i] ?? 0) + 0.5) / total);
  };
  const e = smoothed(expected);
  const a = smoothed(actual);
  return e.reduce((sum, share, i) => sum + (a[i]! - share) * Math.log(a[i]! / share), 0);
}

/** The `p` quantile (0..1) of ascending values, interpolated linearly; NaN of an empty list. */
export function quantile(ascending: readonly number[], p: number): number {
  if (ascending.length === 0) return Number.NaN;
  const position = (ascending.length - 1) * p;
  const low = ascending[Math.floor(position)]!;
  return low + (ascending[Math.ceil(position)]! - low) * (position - Math.floor(position));
}
