import { gammaQ, logGamma } from '../../kernel/statistics.js';

/** Probability below z under the standard normal distribution. */
export function normalCdf(z: number): number {
  const tail = gammaQ(0.5, (z * z) / 2) / 2;
  return z < 0 ? tail : 1 - tail;
}

/** The z below which so much probability lies: bisection of the distribution, exact to rounding. @param p above 0 and below 1 */
export const normalQuantile = (p: number): number => quantileOf(normalCdf, p, -40, 40);

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

/** Probability below t under Student's distribution. */
export function studentCdf(t: number, degreesOfFreedom: number): number {
  const tail = betaCdf(degreesOfFreedom / (degreesOfFreedom + t * t), degreesOfFreedom / 2, 0.5) / 2;
  return t < 0 ? tail : 1 - tail;
}

export const studentQuantile = (p: number, degreesOfFreedom: number): number =>
  quantileOf((t) => studentCdf(t, degreesOfFreedom), p, -1e6, 1e6);

/** Where a distribution reaches `p`, by bisection down to neighbouring numbers. */
function quantileOf(cdf: (x: number) => number, p: number, low: number, high: number): number {
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return middle;
    if (cdf(middle) < p) low = middle;
    else high = middle;
  }
}

/** What the k-th look, from 1, may spend of the chance to be wrong. Each may decide, and none knows how many follow: all together spend the whole. */
export const shareOfLook = (k: number): number => 6 / (Math.PI * k) ** 2;
