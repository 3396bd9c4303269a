import { minimize } from '../../kernel/minimize.js';
import { normalQuantile, shareOfLook } from '../statistics/distributions.js';
import { momentsOf } from '../statistics/moments.js';

/** A question that a router chose a place for, by chance in part, and what became of it. */
export interface LoggedChoice {
  /** Key of the place that answered. */
  chosen: string;
  /** With which probability it was chosen: above 0 to 1. */
  propensity: number;
  /** Places that could have been chosen instead. */
  eligible: ReadonlySet<string>;
  /** How probable the router held each place to be, by key; only those that were calibrated. */
  places: ReadonlyMap<string, number>;
  /** 0 to 1: whether people call the answer right. */
  reward: number;
}

/** Which place a router would choose. */
export type Policy<L extends LoggedChoice = LoggedChoice> = (logged: L) => string;

export interface ValueInterval {
  value: number;
  low: number;
  high: number;
}

/** What a policy would have been worth, in shares of right answers. */
export interface PolicyValue {
  /** By inverse propensity alone. */
  ips: ValueInterval;
  /** Doubly robust: a model of rewards, and what it is wrong by where the policy's choice was made. */
  dr: ValueInterval;
  /** Answers that tell its choices from the other policy’s, by Kish: (Σw)² / Σw² where the two differ; 0 where none is of its choice. */
  effective: number;
  /**
   * Of the questions in which the two policies differ, the share whose choice could not have been made: nothing but the model speaks of these.
   * Where both choose the same, nothing is to be told apart.
   */
  unsupported: number;
}

export interface PolicyComparison {
  questions: number;
  present: PolicyValue;
  candidate: PolicyValue;
  /** Candidate minus present, doubly robust, of the same questions. */
  difference: ValueInterval;
}

/** Pull of a reward model towards even odds, in rows' worth of evidence. */
const PRIOR_ROWS = 2;

/**
 * What two policies are worth, from choices of a third whose probabilities were kept. Intervals hold at 95 % for all comparisons together, however many.
 * The reward model of each half is fitted on the other, so
 * that both estimates are unbiased whatever it is worth. Intervals are those of the mean's normal approximation.
 * Sources: D. G. Horvitz, D. J. Thompson, “A Generalization of Sampling Without Replacement From a Finite Universe”, 1952; M. Dudík, J. Langford,
 * L. Li, “Doubly Robust Policy Evaluation and Learning”, 2011.
 */
export function comparePolicies<L extends LoggedChoice>(
  logged: readonly L[],
  present: Policy<L>,
  candidate: Policy<L>,
  looks = 1,
): PolicyComparison {
  const z = normalQuantile(1 - 0.025 * shareOfLook(looks));
  const halves = [0, 1].map((rest) => rewardModel(logged.filter((_, i) => i % 2 !== rest)));
  const expect = (i: number, place: string): number => halves[i % 2]!(place, logged[i]!.places.get(place) ?? null);
  const differs = logged.map((each) => present(each) !== candidate(each));
  const [now, then] = [present, candidate].map((policy) => judge(logged, policy, expect, differs, z)) as [
    Judged,
    Judged,
  ];
  return {
    questions: logged.length,
    present: now.value,
    candidate: then.value,
    difference: intervalOf(
      then.robust.map((value, i) => value - now.robust[i]!),
      z,
    ),
  };
}

interface Judged {
  value: PolicyValue;
  robust: number[];
}

function judge<L extends LoggedChoice>(
  logged: readonly L[],
  policy: Policy<L>,
  expect: (i: number, place: string) => number,
  differs: readonly boolean[],
  z: number,
): Judged {
  const wanted = logged.map((each) => policy(each));
  const weights = logged.map(({ chosen, propensity }, i) => (chosen === wanted[i] ? 1 / propensity : 0));
  const robust = logged.map(({ reward }, i) => {
    const expected = expect(i, wanted[i]!);
    return expected + weights[i]! * (reward - expected);
  });
  // Where both choose the same, any number of answers says nothing of which is better.
  const telling = weights.filter((_, i) => differs[i]);
  const sum = telling.reduce((all, weight) => all + weight, 0);
  const squares = telling.reduce((all, weight) => all + weight ** 2, 0);
  const unsupported = logged.filter(({ eligible }, i) => differs[i] && !eligible.has(wanted[i]!)).length;
  return {
    robust,
    value: {
      ips: intervalOf(
        logged.map(({ reward }, i) => weights[i]! * reward),
        z,
      ),
      dr: intervalOf(robust, z),
      effective: squares > 0 ? sum ** 2 / squares : 0,
      unsupported: unsupported / Math.max(1, telling.length),
    },
  };
}

function intervalOf(values: readonly number[], z: number): ValueInterval {
  const { n, mean, variance } = momentsOf(values);
  const reach = z * Math.sqrt(variance / Math.max(1, n));
  return { value: mean, low: mean - reach, high: mean + reach };
}

/** The probability of a reward, by place and how probable that was held: a logistic regression each. */
function rewardModel(logged: readonly LoggedChoice[]): (place: string, probability: number | null) => number {
  const models = new Map<string, [bias: number, slope: number]>();
  for (const place of new Set(logged.map(({ chosen }) => chosen))) {
    const own = logged.filter(({ chosen }) => chosen === place);
    const rows = own.map(({ reward, places }) => ({ reward, x: logit(places.get(place) ?? null) }));
    const [bias, slope] = minimize((at, gradient) => {
      const [level, rise] = [at[0]!, at[1]!];
      let loss = PRIOR_ROWS * (level ** 2 + rise ** 2);
      gradient.set([2 * PRIOR_ROWS * level, 2 * PRIOR_ROWS * rise]);
      for (const { reward, x } of rows) {
        const score = level + rise * x;
        const p = 1 / (1 + Math.exp(-score));
        loss += Math.log1p(Math.exp(-Math.abs(score))) + Math.max(score, 0) - reward * score;
        gradient[0]! += p - reward;
        gradient[1]! += (p - reward) * x;
      }
      for (let i = 0; i < 2; i++) gradient[i]! /= rows.length;
      return loss / rows.length;
    }, new Float64Array(2));
    models.set(place, [bias!, slope!]);
  }
  return (place, probability) => {
    const [bias, slope] = models.get(place) ?? [0, 0];
    return 1 / (1 + Math.exp(-(bias + slope * logit(probability))));
  };
}

/** Of a probability that is neither 0 nor 1; 0 where there is none. */
function logit(probability: number | null): number {
  if (probability === null) return 0;
  const p = Math.min(0.999, Math.max(0.001, probability));
  return Math.log(p / (1 - p));
}
