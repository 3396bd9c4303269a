import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { normalCdf, normalQuantile, studentCdf, studentQuantile } from '../../src/kernel/statistics/distributions.js';
import { cuped, fixedDifference, type CovariateSums } from '../../src/kernel/statistics/fixed.js';
import type { DifferenceKind, Moments } from '../../src/kernel/statistics/moments.js';
import { meanDifferenceSequence } from '../../src/kernel/statistics/sequential/mean-sequence.js';
import { rateSequence } from '../../src/kernel/statistics/sequential/rate-sequence.js';
import { sampleRatioLogE } from '../../src/kernel/statistics/sequential/sample-ratio.js';
import { seededRandom } from '../../src/kernel/random.js';
import { betaCdf } from '../../src/kernel/statistics.js';

/** An arm as its sums, of which the packages and we each take our own moments. */
interface Sums {
  kind: 'RATE' | 'MEAN';
  n: number;
  sum: number;
  sumSquares: number;
}

export interface Cases {
  rates: { good: number; answers: number; alpha: number; tightestAt: number }[];
  sampleRatios: { data: number[][]; shares: number[]; concentration: number }[];
  differences: { kind: DifferenceKind; alpha: number; tightestAt: number; control: Sums; arm: Sums }[];
  cuped: { alpha: number; control: CovariateSums; arm: CovariateSums }[];
  distributions: { z: number; p: number; freedom: number }[];
}

interface Told {
  value: number;
  low: number;
  high: number;
  p: number;
}

export interface Results {
  rates: [low: number, high: number][];
  sampleRatios: { logE: number; p: number }[];
  differences: { fixed: Told; sequential: Told }[];
  cuped: (Told & { theta: number })[];
  distributions: {
    normal: number;
    normalQuantile: number;
    student: number;
    studentQuantile: number;
    beta: number;
  }[];
}

/** The script that asks the packages, and those it takes. */
export const PEERS = readFileSync(resolve('test/support/statistics-peers.py'), 'utf8');
export const PEER_PACKAGES = ['numpy==1.26.4', 'confseq==0.0.11', 'ssrm-test==0.1.5', 'gbstats==0.8.0'];

/** Cases of every kind, some at the edges, the same for the same seed. */
export function makeCases(seed: number): Cases {
  const random = seededRandom(seed);
  const upTo = (most: number): number => Math.floor(random() * (most + 1));
  const pick = <T>(items: readonly T[]): T => items[upTo(items.length - 1)]!;
  const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));
  const alpha = (): number => pick([0.05, 0.0125, 0.1, 0.01]);
  const sums = (kind: Sums['kind'], n: number, mean: number): Sums => {
    const values = times(n, () => (kind === 'RATE' ? Number(random() < mean) : mean * (0.2 + 1.6 * random())));
    return { kind, n, sum: total(values), sumSquares: total(values.map((value) => value ** 2)) };
  };
  const withCovariate = (n: number, shift: number): CovariateSums => {
    const before = times(n, () => 10 + 6 * random());
    const after = before.map((value) => shift + 0.7 * value + 3 * random());
    return {
      n,
      sum: total(after),
      sumSquares: total(after.map((value) => value ** 2)),
      covariateSum: total(before),
      covariateSumSquares: total(before.map((value) => value ** 2)),
      sumProducts: total(after.map((value, i) => value * before[i]!)),
    };
  };
  return {
    rates: times(40, (i) => {
      const answers = i < 4 ? i + 1 : 1 + upTo(3_000);
      const good = i % 10 === 0 ? 0 : i % 10 === 1 ? answers : upTo(answers);
      return { good, answers, alpha: alpha(), tightestAt: pick([100, 500, 1_000]) };
    }),
    sampleRatios: times(20, (i) => {
      const shares = pick([
        [0.5, 0.5],
        [0.1, 0.9],
        [0.2, 0.3, 0.5],
      ]);
      const data = times(1 + upTo(60), () =>
        shares.map((share) => upTo(Math.round(40 * share * (i % 3 === 0 ? 1.3 : 1)))),
      );
      return { data, shares, concentration: pick([100, 1_000, 10_000]) };
    }),
    differences: times(30, (i) => {
      const kind = pick(['RATE', 'MEAN'] as const);
      const mean = kind === 'RATE' ? 0.3 + random() / 2 : 100 * random() + 5;
      return {
        kind: i % 2 ? ('ABSOLUTE' as const) : ('RELATIVE' as const),
        alpha: alpha(),
        tightestAt: pick([500, 1_000, 5_000]),
        control: sums(kind, 30 + upTo(600), mean),
        arm: sums(kind, 30 + upTo(600), mean * (1 + (random() - 0.5) / 5)),
      };
    }),
    cuped: times(10, () => ({
      alpha: alpha(),
      control: withCovariate(30 + upTo(300), 2),
      arm: withCovariate(30 + upTo(300), 2 + random()),
    })),
    distributions: times(20, () => ({ z: 8 * random() - 4, p: 0.001 + 0.998 * random(), freedom: 2 + 300 * random() })),
  };
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** What Graft says of the same cases. */
export function ourResults(cases: Cases): Results {
  return {
    rates: cases.rates.map(({ good, answers, alpha, tightestAt }) => {
      const { low, high } = rateSequence({ good, answers }, alpha, tightestAt);
      return [low, high];
    }),
    sampleRatios: cases.sampleRatios.map(({ data, shares, concentration }) => {
      const counts = shares.map(() => 0);
      let [logE, peak] = [0, 0];
      for (const row of data) {
        row.forEach((count, i) => (counts[i]! += count));
        logE = sampleRatioLogE(counts, shares, concentration);
        peak = Math.max(peak, logE);
      }
      return { logE, p: Math.min(1, Math.exp(-peak)) };
    }),
    differences: cases.differences.map(({ kind, alpha, tightestAt, control, arm }) => {
      const [a, b] = [momentsOfSums(control), momentsOfSums(arm)];
      return {
        fixed: fixedDifference(a, b, alpha, kind),
        sequential: meanDifferenceSequence(a, b, alpha, { kind, tightestAt }),
      };
    }),
    cuped: cases.cuped.map(({ alpha, control, arm }) => {
      const { theta, ...adjusted } = cuped(control, arm);
      return { theta, ...fixedDifference(adjusted.control, adjusted.arm, alpha) };
    }),
    distributions: cases.distributions.map(({ z, p, freedom }) => ({
      normal: normalCdf(z),
      normalQuantile: normalQuantile(p),
      student: studentCdf(z, freedom),
      studentQuantile: studentQuantile(p, freedom),
      beta: betaCdf(p, freedom, 2.5),
    })),
  };
}

function momentsOfSums({ kind, n, sum, sumSquares }: Sums): Moments {
  const mean = sum / n;
  return { n, mean, variance: kind === 'RATE' ? mean * (1 - mean) : (sumSquares - sum ** 2 / n) / (n - 1) };
}

export interface Disagreement {
  most: number;
  /** Figures that were compared. */
  figures: number;
}

/** The largest difference between two results of the same form, relative where figures are above 1. */
export function disagreement(ours: unknown, theirs: unknown): Disagreement {
  if (typeof theirs === 'number' && typeof ours === 'number')
    return { most: Math.abs(ours - theirs) / Math.max(1, Math.abs(theirs)), figures: 1 };
  const all = Object.keys(theirs as object).map((key) =>
    disagreement((ours as Record<string, unknown>)[key], (theirs as Record<string, unknown>)[key]),
  );
  return {
    // Figures that aren't there or aren't numbers disagree, too.
    most: all.reduce((most, each) => (each.most <= most ? most : each.most), 0),
    figures: all.reduce((sum, { figures }) => sum + figures, 0),
  };
}
