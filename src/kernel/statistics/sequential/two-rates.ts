import { logSumExp } from '../../softmax.js';
import { normalCdf } from '../distributions.js';
/**
 * Whether one rate is worse than another by more than a margin, read after every answer: an exact e-process for two-by-two tables
 * (Turner, Ly & Grünwald 2021, "Generic E-variables for exact sequential k-sample tests that allow for optional stopping"; the margin:
 * Turner & Grünwald 2022, "Exact anytime-valid confidence intervals for contingency tables and beyond").
 *
 * Null hypothesis: at every answer the candidate's rate is at least the control's minus the margin. While it holds, the e-value
 * is above 1/alpha at any time with a probability of at most alpha, however often it is looked at, at 3 answers as at a million (Ville): the
 * candidate may be rolled back at the answer at which it crosses.
 *
 * The papers take blocks with so many answers of each arm. Here an answer is a block of its own, whose arm was drawn with a known
 * probability: it is worth p(arm, outcome; alternative) / p(arm, outcome; null), the null's rates being those that are nearest the
 * alternative's in Kullback-Leibler divergence, weighted by that probability. The joint densities of the null are a convex set, so the
 * projection onto it makes an e-variable at each answer, whatever both rates are at that moment: days, nights and outages that befall both
 * arms give no evidence. Blocks grow as fast on average, but an answer that waits for its block is compared with others of another hour:
 * under a cycle of day and night equal candidates went back in 91 % where blocks and the drawn shares were out of step.
 *
 * The alternative is chosen before the answer is seen: the control's rate as it was until then, the candidate lower by one of some
 * effects, whose e-processes are averaged (an average of e-processes is one). Learning the candidate's rate as well, as the first
 * paper does, costs a third more answers.
 *
 * Half of the capital bets from the first answer on, the rest begins later, a part at each answer: a candidate that was good for a thousand
 * answers has not bought itself credit. Parts that have not begun are worth what they were, so the sum stays an e-process.
 */

/** How far the alternatives lie from the control's rate; nearer than the margin they say nothing of it, and begin beyond it. */
const EFFECTS = [-0.02, -0.05, -0.1, -0.2, -0.4, -0.8] as const;
/** The part of the capital that bets from the first answer on. */
const AT_FIRST = 0.5;
/** Of the rest, (1 + n / SCALE) ** -TAIL has not begun after n answers: half of it begins within 1,500, a tenth after a million. */
const SCALE = 100;
const TAIL = 0.25;
/** Rates of alternatives keep away from 0 and 1 by this, so that no answer is impossible under one. */
const EDGE = 1e-4;
/** How far beyond the margin an alternative lies at least. */
const LEAST_EFFECT = 1e-3;
/** What is taken of the controls while there are none: nine in ten are good, worth two answers. */
const PRIOR = { good: 1.8, answers: 2 };
/** Outcomes as drawn that those of a selected measure are counted beside. */
const AS_DRAWN = 20;
/** Answers of the candidate without a control between them after which it stands alone. */
const ALONE_AFTER = 50;

export interface RateCounts {
  answers: number;
  good: number;
}

/** Plain data: goes into a checkpoint as it is. */
export interface TwoRates {
  /** ln of the capital that bets on each effect, of 1 for each; none before the first answer. */
  logs: number[];
  /**
   * The largest ln e that was reached since the candidate gave a bad answer: what decides, since crossing once is enough. Good answers of the control alone
   * could cross the bound as well, within its alpha, but nobody would see what the candidate did.
   */
  peak: number;
  candidate: RateCounts;
  control: RateCounts;
  /** Answers of the candidate since the last control. */
  alone: number;
  /** Answers of the candidate that were to be expected as they were drawn. */
  expected: number;
}

export interface TwoRatesOptions {
  /** By how much the candidate's rate may be lower, 0 to below 1. */
  margin: number;
  /** Probability with which an answer is the candidate's, as it was drawn, 0 to 1. */
  drawn: number;
  /**
   * Whether the outcome of an answer may be known more often of one arm, as judgements are: then the probability that it is the candidate's
   * is that of the outcomes so far. With the drawn one, an arm that is judged twice as often as the other is stopped in a quarter of
   * cases where days and nights differ by 50 points.
   */
  selected?: boolean;
  /** The least rate of a candidate that stands alone: where no controls come any more it is held against this; null: against nothing. */
  least?: number | null;
}

export const startTwoRates = (): TwoRates => ({
  logs: [],
  peak: 0,
  candidate: { answers: 0, good: 0 },
  control: { answers: 0, good: 0 },
  alone: 0,
  expected: 0,
});

/** ln of the e-value: what bets, and what has not begun. */
export function logE({ logs, candidate, control }: TwoRates): number {
  const waiting = 1 - capitalBegun(candidate.answers + control.answers);
  return logSumExp([...logs.map((log) => log - Math.log(logs.length)), Math.log(waiting)]);
}

/** Takes an answer in the order in which answers arrive; changes and returns `state`. */
export function observeRate(
  state: TwoRates,
  arm: 'candidate' | 'control',
  good: boolean,
  options: TwoRatesOptions,
): TwoRates {
  state.alone = arm === 'control' ? 0 : state.alone + 1;
  const n = state.candidate.answers + state.control.answers;
  const begins = Math.log(capitalBegun(n + 1) - capitalBegun(n));
  const expected = expectedOf(state, options.margin);
  const drawnAs = options.selected ? { ...options, drawn: knownShare(state, options.drawn) } : options;
  state.logs = EFFECTS.map((effect, i) => {
    const previousLog = state.logs[i];
    const bet = betOn(state.alone, effect, expected, drawnAs);
    return (previousLog === undefined ? begins : logAdd(previousLog, begins)) + (bet ? worth(bet, arm, good) : 0);
  });
  state.expected += options.drawn;
  state[arm].answers += 1;
  state[arm].good += Number(good);
  const { answers: candidates, good: goodOnes } = state.candidate;
  if (goodOnes < candidates) state.peak = Math.max(state.peak, logE(state));
  return state;
}

/** The share of the capital that bets on answer n, from 1, or did before. */
const capitalBegun = (n: number): number => (n === 0 ? 0 : 1 - (1 - AT_FIRST) * (1 + (n - 1) / SCALE) ** -TAIL);

/** The share of outcomes that are the candidate's where so many were drawn: by the odds of those so far, which begin as drawn. */
function knownShare({ candidate, control, expected }: TwoRates, drawnShare: number): number {
  const answers = candidate.answers + control.answers;
  if (answers === 0 || !(drawnShare > 0 && drawnShare < 1)) return drawnShare;
  const mean = expected / answers;
  const odds = (candidate.answers + AS_DRAWN * mean) / (control.answers + AS_DRAWN * (1 - mean)) / (mean / (1 - mean));
  return (drawnShare * odds) / (drawnShare * odds + 1 - drawnShare);
}

const expectedOf = ({ control }: Pick<TwoRates, 'control'>, margin: number): number =>
  inside((control.good + PRIOR.good) / (control.answers + PRIOR.answers), margin);

/** Rates of both arms under an alternative, and those of the null that are nearest. */
interface Bet {
  alternative: ArmRates;
  nearest: ArmRates;
}
type ArmRates = Record<'candidate' | 'control', number>;

/** @returns null where the effect says nothing: so near 0 or 1 that no rate lies beyond the margin, or of a candidate that stands alone for nothing */
function betOn(
  streak: number,
  effect: number,
  expected: number,
  { margin, drawn, least = null }: TwoRatesOptions,
): Bet | null {
  if (streak > ALONE_AFTER || !(drawn > 0 && drawn < 1)) {
    if (least === null) return null;
    const [control, nearest] = [expected, { candidate: least, control: expected }];
    return { alternative: { candidate: inside(least + effect), control }, nearest };
  }
  const candidate = inside(expected + Math.min(effect, -margin - LEAST_EFFECT));
  if (candidate >= expected - margin) return null;
  const nearest = nearestNull(candidate, expected, drawn, 1 - drawn, margin);
  return { alternative: { candidate, control: expected }, nearest };
}

/** ln of what an answer is worth. */
const worth = ({ alternative, nearest }: Bet, arm: 'candidate' | 'control', good: boolean): number =>
  good ? Math.log(alternative[arm] / nearest[arm]) : Math.log1p(-alternative[arm]) - Math.log1p(-nearest[arm]);

/** ln(exp(a) + exp(b)), finite where one of them is. */
const logAdd = (a: number, b: number): number => Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));

/** The rates on the null's edge (candidate = control - margin) that are nearest the alternative's. */
function nearestNull(
  candidate: number,
  control: number,
  candidates: number,
  controls: number,
  margin: number,
): { candidate: number; control: number } {
  if (margin === 0) {
    const commonRate = (candidates * candidate + controls * control) / (candidates + controls);
    return { candidate: commonRate, control: commonRate };
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

const inside = (rate: number, minimum = 0): number => Math.min(1 - EDGE, Math.max(minimum + EDGE, rate));

/**
 * Probability with which a candidate whose rate is lower by `loss` has been found by now, 0 to 1: that the evidence, a walk with a drift
 * whose mean and variance an answer are exact, has reached its bound within so many answers (the first passage of a Brownian motion:
 * the inverse Gaussian distribution). Of the effects that are bet on, the one that finds it soonest.
 * @param control the control's rate, 0 to 1 @param answers of both arms together @param alpha the test's
 */
export function powerOf(
  { drawn, margin }: Pick<TwoRatesOptions, 'drawn' | 'margin'>,
  { control, loss, answers, alpha }: { control: number; loss: number; answers: number; alpha: number },
): number {
  const expected = inside(control, margin);
  const rates = { candidate: inside(control - loss), control: expected };
  // An effect beside the nearest bets nearly as well: the two share what each would have to show alone.
  const bound = Math.log(EFFECTS.length / 2 / AT_FIRST / alpha);
  return EFFECTS.reduce((maximum, effect) => {
    const bet = betOn(0, effect, expected, { margin, drawn });
    if (bet === null || answers <= 0) return maximum;
    const parts = (['candidate', 'control'] as const).flatMap((arm) => {
      const weight = arm === 'candidate' ? drawn : 1 - drawn;
      return [
        { p: weight * rates[arm], log: worth(bet, arm, true) },
        { p: weight * (1 - rates[arm]), log: worth(bet, arm, false) },
      ];
    });
    const drift = parts.reduce((sum, { p, log }) => sum + p * log, 0);
    const variance = parts.reduce((sum, { p, log }) => sum + p * (log - drift) ** 2, 0);
    return Math.max(maximum, firstPassage(bound, drift, variance, answers));
  }, 0);
}

/** Probability that a Brownian motion has reached a bound above 0 by a time. */
function firstPassage(bound: number, drift: number, variance: number, time: number): number {
  if (!(variance > 0)) return 0;
  const spread = Math.sqrt(variance * time);
  const reflected = normalCdf((-bound - drift * time) / spread);
  return (
    normalCdf((drift * time - bound) / spread) +
    (reflected > 0 ? Math.exp((2 * drift * bound) / variance + Math.log(reflected)) : 0)
  );
}
