import { logSumExp } from '../../../kernel/softmax.js';
/**
 * Whether one rate is worse than another by more than a margin, read after every answer: an exact e-process for two-by-two tables
 * (Turner, Ly & Grünwald 2021, "Generic E-variables for exact sequential k-sample tests that allow for optional stopping"; the margin:
 * Turner & Grünwald 2022, "Exact anytime-valid confidence intervals for contingency tables and beyond").
 *
 * Null hypothesis of `WORSE`: in every block the candidate's rate is at least the control's minus the margin. While it holds, the e-value
 * is above 1/alpha at any time with a probability of at most alpha, however often it is looked at, at 3 answers as at a million (Ville): the
 * candidate may be rolled back at the answer at which it crosses. Rates may drift, and differ between a rollout's stages: blocks
 * are made of concurrent answers of one stage, and their e-values multiply.
 *
 * A block of a candidate's and m controls' answers is worth p(block; alternative) / p(block; null), the null's rates being those that
 * are nearest the alternative's in Kullback-Leibler divergence (weighted 1 : m). That is an e-variable: its expectation is a product of
 * powers of functions linear in the rates, so its logarithm is concave in them, and the condition of the projection says that it has its
 * maximum over the convex null at the projection, where it is 1.
 *
 * The alternative is chosen before the block is seen: the control's rate as it was until then, the candidate lower by one of four
 * effects, whose e-processes are averaged (an average of e-processes is one). Learning the candidate's rate as well, as the first
 * paper does, costs a third more answers: 68 for .80 -> .60 and 250 for .80 -> .70 where this takes 53 and 200 (nine controls, 1/alpha = 80).
 *
 * `NO_WORSE` asks the other way round: its null is a candidate that is worse by the margin or more, and evidence against it shows that
 * the candidate is not inferior.
 */

/** How far the alternatives lie from the control's rate; nearer than the margin they say nothing of it, and begin beyond it. */
const EFFECTS = { WORSE: [-0.05, -0.1, -0.2, -0.3], NO_WORSE: [-0.01, 0, 0.02, 0.05] } as const;
/** Rates of alternatives keep away from 0 and 1 by this, so that no answer is impossible under one. */
const EDGE = 1e-4;
/** How far beyond the margin an alternative lies at least. */
const LEAST_EFFECT = 1e-3;
/** What is taken of an arm's answers while there are none: nine in ten are good, worth two answers. */
const PRIOR = { good: 1.8, answers: 2 };
/** Answers of an arm and stage that wait for their block; beyond, the oldest are left out, whatever they were. */
const MOST_WAITING = 1_000;

export interface RateCounts {
  answers: number;
  good: number;
}

/** Plain data: goes into a checkpoint as it is. */
export interface TwoRates {
  /** ln of the e-value under each effect. */
  logs: number[];
  /** The largest ln e that was reached: what decides, since crossing once is enough. */
  peak: number;
  /** In complete blocks. */
  candidate: RateCounts;
  control: RateCounts;
  /** By stage, outcomes in order of their arrival that no block holds yet, `1` a good one. */
  waiting: Record<number, { candidate: string; control: string }>;
}

export interface TwoRatesOptions {
  question: 'WORSE' | 'NO_WORSE';
  /** By how much the candidate's rate may be lower, 0 to below 1. */
  margin: number;
  /** Controls a candidate's answer, as they are drawn: blocks hold about as many. 0: there are none, and nothing is learned. */
  controls: number;
  /** Only answers of one stage are compared with each other. */
  stage: number;
}

export const startTwoRates = (): TwoRates => ({
  logs: EFFECTS.WORSE.map(() => 0),
  peak: 0,
  candidate: { answers: 0, good: 0 },
  control: { answers: 0, good: 0 },
  waiting: {},
});

/** ln of the e-value, at most 0 where there is no evidence against the null. */
export const logE = ({ logs }: TwoRates): number => logSumExp(logs) - Math.log(logs.length);

/** Probability of as much evidence at any time while the null holds: 1 over the largest e-value, at most 1. */
export const anytimeP = ({ peak }: Pick<TwoRates, 'peak'>): number => Math.min(1, Math.exp(-peak));

/** Takes an answer in the order in which answers arrive; changes and returns `state`. */
export function observeRate(
  state: TwoRates,
  arm: 'candidate' | 'control',
  good: boolean,
  options: TwoRatesOptions,
): TwoRates {
  if (!(options.controls > 0)) return state;
  const waiting = (state.waiting[options.stage] ??= { candidate: '', control: '' });
  waiting[arm] = (waiting[arm] + (good ? '1' : '0')).slice(-MOST_WAITING);
  const size = blockSize(options.controls);
  while (waiting.candidate.length >= size.candidate && waiting.control.length >= size.control) {
    const candidate = countsOf(waiting.candidate.slice(0, size.candidate));
    const control = countsOf(waiting.control.slice(0, size.control));
    waiting.candidate = waiting.candidate.slice(size.candidate);
    waiting.control = waiting.control.slice(size.control);
    takeBlock(state, candidate, control, options);
  }
  return state;
}

/** One candidate and so many controls, or the other way round where the candidate has most of the answers. */
const blockSize = (controls: number): { candidate: number; control: number } =>
  controls >= 1 ? { candidate: 1, control: Math.round(controls) } : { candidate: Math.round(1 / controls), control: 1 };

const countsOf = (outcomes: string): RateCounts => ({
  answers: outcomes.length,
  good: outcomes.split('1').length - 1,
});

function takeBlock(
  state: TwoRates,
  candidate: RateCounts,
  control: RateCounts,
  { question, margin }: TwoRatesOptions,
): void {
  const expected = inside((state.control.good + PRIOR.good) / (state.control.answers + PRIOR.answers), margin);
  EFFECTS[question].forEach((effect, i) => {
    const beyond =
      question === 'WORSE' ? Math.min(effect, -margin - LEAST_EFFECT) : Math.max(effect, -margin + LEAST_EFFECT);
    const alternative = inside(expected + beyond);
    // So near 0 or 1 no rate lies beyond the margin: that effect says nothing.
    if (question === 'WORSE' ? alternative >= expected - margin : alternative <= expected - margin) return;
    const nearest = nearestNull(alternative, expected, candidate.answers, control.answers, margin);
    state.logs[i]! +=
      logLikelihood(candidate, alternative) -
      logLikelihood(candidate, nearest.candidate) +
      (logLikelihood(control, expected) - logLikelihood(control, nearest.control));
  });
  for (const [total, block] of [
    [state.candidate, candidate],
    [state.control, control],
  ] as const) {
    total.answers += block.answers;
    total.good += block.good;
  }
  state.peak = Math.max(state.peak, logE(state));
}

/** The rates on the null's edge (candidate = control - margin) that are nearest the alternative's. */
function nearestNull(
  candidate: number,
  control: number,
  candidates: number,
  controls: number,
  margin: number,
): { candidate: number; control: number } {
  if (margin === 0) {
    const both = (candidates * candidate + controls * control) / (candidates + controls);
    return { candidate: both, control: both };
  }
  // The divergence's slope along the edge rises from below 0 to above it between the two.
  const slope = (rate: number): number =>
    candidates * ((1 - candidate) / (1 - rate + margin) - candidate / (rate - margin)) +
    controls * ((1 - control) / (1 - rate) - control / rate);
  let [low, high] = [Math.min(control, candidate + margin), Math.min(1, Math.max(control, candidate + margin))];
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (slope(middle) > 0) high = middle;
    else low = middle;
  }
  // Rounding to either side of the root would leave the null: the slack is a billionth of an answer's evidence.
  const rate = (low + high) / 2;
  return { candidate: rate - margin, control: rate };
}

const logLikelihood = ({ good, answers }: RateCounts, rate: number): number =>
  good * Math.log(rate) + (answers - good) * Math.log1p(-rate);

const inside = (rate: number, least = 0): number => Math.min(1 - EDGE, Math.max(least + EDGE, rate));
