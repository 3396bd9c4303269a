/** What a test can see, before it starts and while it runs. Normal approximations for two-sided tests that are read at the planned end. */
import { normalCdf, normalQuantile } from './distributions.js';

export interface Design {
  /** Of one value in the control: of a rate, rate * (1 - rate). */
  variance: number;
  /** Of one value in the arm; the control's by default. */
  armVariance?: number;
  /** Probability of a difference where there is none; with several comparisons, this one's part. */
  alpha: number;
  /** Units of an arm for each of the control's; 1 by default. */
  ratio?: number;
}

const varianceOfDifference = ({ variance, armVariance = variance, ratio = 1 }: Design, controls: number): number =>
  (variance + armVariance / ratio) / controls;

/** Probability with which a difference of this size is seen with so many units in the control, 0 to 1. */
export function powerOf(design: Design, effect: number, controls: number): number {
  const z = normalQuantile(1 - design.alpha / 2);
  const shift = Math.abs(effect) / Math.sqrt(varianceOfDifference(design, controls));
  return normalCdf(shift - z) + normalCdf(-shift - z);
}

/** The least difference that is seen with this power, in the metric's unit. */
export const leastEffect = (design: Design, power: number, controls: number): number =>
  (normalQuantile(1 - design.alpha / 2) + normalQuantile(power)) * Math.sqrt(varianceOfDifference(design, controls));

interface SamplePlan {
  control: number;
  arm: number;
  /** Days until the arms have so many, at the traffic that was told; null without any. */
  days: number | null;
}

/** Units that a test needs to see a difference of `effect` with this power. @param unitsPerDay of both arms together */
export function samplePlan(design: Design, effect: number, power: number, unitsPerDay: number): SamplePlan {
  const quantileSum = normalQuantile(1 - design.alpha / 2) + normalQuantile(power);
  const control = Math.ceil(varianceOfDifference(design, 1) * (quantileSum / effect) ** 2);
  const arm = Math.ceil(control * (design.ratio ?? 1));
  return { control, arm, days: daysLeft(control + arm, unitsPerDay) };
}

/** @returns days until so many units more have come, 0 if none are missing, null where none come */
export const daysLeft = (missing: number, unitsPerDay: number): number | null =>
  missing <= 0 ? 0 : unitsPerDay > 0 ? missing / unitsPerDay : null;

/**
 * Conditional power: the probability that the planned end will show a difference, given what was seen, if the true one is `effect`
 * (Lan & Wittes 1988, the B-value). Below a tenth, going on is futile. It may be read at any time: to stop for it shows nothing false.
 * @param z of the difference now @param done share of the planned units that were seen, 0 to 1
 * @param drift expected z at the planned end: effect over its standard error then
 */
export function conditionalPower({
  z,
  done,
  drift,
  alpha,
}: {
  z: number;
  done: number;
  drift: number;
  alpha: number;
}): number {
  const critical = normalQuantile(1 - alpha / 2);
  if (done >= 1) return Math.abs(z) > critical ? 1 : 0;
  const expected = z * Math.sqrt(done) + drift * (1 - done);
  const spread = Math.sqrt(1 - done);
  return normalCdf((expected - critical) / spread) + normalCdf((-expected - critical) / spread);
}

export const FUTILE_BELOW = 0.1;
