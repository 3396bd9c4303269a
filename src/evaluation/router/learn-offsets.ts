import { softmax } from '../../kernel/softmax.js';
import { minimize } from '../../kernel/minimize.js';
import type { Offsets } from '../../ask/index.js';
import type { LoggedChoice } from './off-policy.js';

/** Pull of an offset towards 0, in rows' worth of evidence. */
const PRIOR_ROWS = 10;
/** More than this would let a place win that was held to be a seventh as probable: so far words alone don't carry it. */
const MOST = 2;

/**
 * What is to be added to each place's score so that those places are the most probable whose answers people call right: softmax regression on the right
 * answers, each weighted by the inverse of the probability with which it was chosen, so that what is chosen seldom counts as much as it would have
 * happened (reward-weighted regression; A. Swaminathan, T. Joachims, “Counterfactual Risk Minimization”, 2015, without their variance penalty).
 * @returns by key of the place, each from -2 to 2
 */
export function learnOffsets(logged: readonly LoggedChoice[]): Record<string, number> {
  const keys = [...new Set(logged.flatMap(({ places }) => [...places.keys()]))].sort();
  const rows = logged
    .filter(({ reward, chosen, places }) => reward > 0 && places.has(chosen))
    .map(({ chosen, places, reward, propensity }) => ({
      of: [...places].map(([key, probability]) => ({
        at: keys.indexOf(key),
        score: Math.log(Math.max(probability, 1e-6)),
      })),
      chosen: keys.indexOf(chosen),
      weight: reward / propensity,
    }));
  const total = rows.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return Object.fromEntries(keys.map((key) => [key, 0]));
  const found = minimize((at, gradient) => {
    gradient.fill(0);
    let loss = 0;
    for (const { of, chosen, weight } of rows) {
      const shares = softmax(of.map((place) => place.score + at[place.at]!));
      of.forEach((place, i) => {
        const is = place.at === chosen ? 1 : 0;
        gradient[place.at]! += (weight * (shares[i]! - is)) / total;
        if (is) loss -= (weight * Math.log(Math.max(shares[i]!, 1e-12))) / total;
      });
    }
    const pull = PRIOR_ROWS / Math.max(PRIOR_ROWS, logged.length);
    for (let i = 0; i < at.length; i++) {
      loss += 0.5 * pull * at[i]! ** 2;
      gradient[i]! += pull * at[i]!;
    }
    return loss;
  }, new Float64Array(keys.length));
  return Object.fromEntries(keys.map((key, i) => [key, within(found[i]!)]));
}

const within = (offset: number): number => Math.max(-MOST, Math.min(MOST, offset));

/**
 * What was learned, on top of what was approved before: together, too, words carry no place further than -2 to 2.
 * @returns `whole`, the sums within these bounds, and `step`, what that really adds to each place
 */
export function addOffsets(
  before: Offsets,
  more: Offsets,
): { whole: Record<string, number>; step: Record<string, number> } {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(more)])];
  const whole = Object.fromEntries(keys.map((key) => [key, within((before[key] ?? 0) + (more[key] ?? 0))]));
  return { whole, step: Object.fromEntries(keys.map((key) => [key, whole[key]! - (before[key] ?? 0)])) };
}
