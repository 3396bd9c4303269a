import { betaCdf, gammaQ } from '../statistics.js';

/** Probability below z under the standard normal distribution. */
export function normalCdf(z: number): number {
  const tail = gammaQ(0.5, (z * z) / 2) / 2;
  return z < 0 ? tail : 1 - tail;
}

/** The z below which so much probability lies: bisection of the distribution, exact to rounding. @param p above 0 and below 1 */
export const normalQuantile = (p: number): number => quantileOf(normalCdf, p, -40, 40);

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
