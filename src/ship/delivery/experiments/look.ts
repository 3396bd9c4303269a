/**
 * What follows from what an experiment has counted: warnings, findings, its end, and points of the plot. Nothing is read or written here.
 */
import { conditionalPower, FUTILE_BELOW, sampleRatioLogE, type Moments } from '../../../prove/index.js';
import { AT_THE_END, conclude, inUnits, type ArmContrast, type Conclusion, type Verdict } from './conclude.js';
import { answersOf, outcomesOf } from './count.js';
import {
  activeArms,
  planOf,
  primaryOf,
  type ExperimentSettings,
  type ExperimentState,
  type PointComparison,
} from './experiment.js';
import type { NewExperimentDecision } from './experiment-store.js';
import { LATE_METRICS, type ExperimentMetricName } from './metrics.js';
import { measuredOf } from './tally.js';
import { DAY_MS } from '../../../kernel/duration.js';

/** Units that fall into arms otherwise than drawn with a probability of so little are a fault, not chance. */
const SAMPLE_RATIO_ALPHA = 0.001;
/** Points of the plot lie so much further apart each time. */
const POINT_GROWTH = 1.08;
const LEAST_STEP = 20;

export const ratioBroken = ({ sampleRatioPeak }: Pick<ExperimentState, 'sampleRatioPeak'>): boolean =>
  sampleRatioPeak >= -Math.log(SAMPLE_RATIO_ALPHA);

/** What the figures say now, or said at the end. Arms whose units fell otherwise than drawn compare nothing. */
export function concluded(plan: ExperimentSettings, state: ExperimentState, final: boolean): Conclusion {
  const conclusion = conclude(planOf(plan, state, final), measuredOf(plan, state));
  if (!ratioBroken(state) || conclusion.verdict === 'INCONCLUSIVE') return conclusion;
  const sentence = `${UNTRUSTED} Without that: ${conclusion.sentence}`;
  return { ...conclusion, verdict: 'INCONCLUSIVE', arm: null, sentence };
}

const UNTRUSTED =
  'Inconclusive: units don’t fall into the arms as they were drawn, so something loses answers of one arm and the arms aren’t alike.';

interface ExperimentLook {
  decisions: NewExperimentDecision[];
  verdict: Verdict;
  winner: string | null;
  /** The planned end was reached. */
  final: boolean;
  /** Every unit is known by now, and the arms may differ. */
  begins: boolean;
  point: PointComparison[] | null;
}

/**
 * What follows from what was counted; changes what `state` has told.
 * @param watchedMs how long it ran
 * @param mayEnd whether the planned end may come: before it, only what holds at any time is looked at, however much has come in
 */
export function look(
  plan: ExperimentSettings,
  state: ExperimentState,
  watchedMs: number,
  { mayEnd = true }: { mayEnd?: boolean } = {},
): ExperimentLook {
  const decisions: NewExperimentDecision[] = [];
  const noteOnce = (key: string, action: NewExperimentDecision['action'], reason: () => string): void => {
    if (state.told.includes(key)) return;
    state.told.push(key);
    decisions.push({ action, reasons: [reason()] });
  };
  const answers = answersOf(state);
  if (ratioBroken(state)) noteOnce('sample ratio', 'WARN', () => sampleRatioSays(plan, state));
  const uneven = judgedUnevenly(plan, state);
  if (uneven.length > 0) noteOnce('judged', 'WARN', () => judgedSays(uneven));
  if (state.before) {
    const begins = answers >= plan.beforeAnswers;
    return { decisions, verdict: 'INCONCLUSIVE', winner: null, final: false, begins, point: null };
  }
  const { plannedSize, plannedDays } = plan;
  const outcomeCount = outcomesOf(state, primaryOf(plan).name);
  const final =
    mayEnd &&
    ((plannedSize !== null && outcomeCount >= plannedSize) ||
      (plannedDays !== null && watchedMs >= plannedDays * DAY_MS));
  const conclusion = concluded(plan, state, final);
  const { verdict, arm: winner } = conclusion;
  // Each thing that is found is told once: an interval that wavers at its bound would else fill the record.
  if (verdict !== 'INCONCLUSIVE') noteOnce(`${verdict} ${winner ?? ''}`, 'FIND', () => conclusion.sentence);
  const futile = futilityOf(plan, state);
  if (futile !== null && futile < FUTILE_BELOW && verdict === 'INCONCLUSIVE')
    noteOnce('futile', 'WARN', () => futileSays(plan, futile));
  let point: PointComparison[] | null = null;
  if (final || answers >= state.nextPoint) {
    point = conclusion.comparisons.map(pointOf);
    state.nextPoint = Math.ceil(Math.max(answers + LEAST_STEP, answers * POINT_GROWTH));
  }
  return { decisions, verdict, winner, final, begins: false, point };
}

const known = (value: number): number | null => (Number.isFinite(value) ? value : null);
const pointOf = ({ arm, metric, value, low, high }: ArmContrast): PointComparison => ({
  arm,
  metric: metric as PointComparison['metric'],
  value: known(value),
  low: known(low),
  high: known(high),
});

export function sampleRatioSays(plan: ExperimentSettings, state: ExperimentState): string {
  const arms = activeArms(plan, state).map(({ name, weight }) => ({ name, weight, has: state.arms[name]?.units ?? 0 }));
  const [units, totalWeight] = [
    arms.reduce((sum, { has }) => sum + has, 0),
    arms.reduce((sum, { weight }) => sum + weight, 0),
  ];
  const armTexts = arms.map(
    ({ name, weight, has }) => `${name} has ${has} where ${Math.round((weight / totalWeight) * units)} were due`,
  );
  return `Of ${units} units ${armTexts.join(', ')}. Look for answers that are lost in one arm before you believe any figure.`;
}

/** Metrics that people's judgement tells, by which arms' answers weren't judged as often as the arms were drawn. */
export function judgedUnevenly(
  plan: ExperimentSettings,
  state: Pick<ExperimentState, 'arms' | 'stopped'>,
): ExperimentMetricName[] {
  const active = activeArms(plan, state);
  const totalWeight = active.reduce((sum, { weight }) => sum + weight, 0);
  const isUneven = (metric: string): boolean =>
    sampleRatioLogE(
      active.map(({ name }) => state.arms[name]?.metrics[metric]?.all.n ?? 0),
      active.map(({ weight }) => weight / totalWeight),
    ) >= -Math.log(SAMPLE_RATIO_ALPHA);
  return plan.metrics.map(({ name }) => name).filter((name) => name in LATE_METRICS && isUneven(name));
}

export const judgedSays = (metrics: readonly string[]): string =>
  `One arm’s answers are judged more often than another’s: ${metrics.join(' and ')} compare unlike answers. Have answers of all arms reviewed at random.`;

const futileSays = ({ effect }: ExperimentSettings, power: number): string =>
  `The planned end would show a difference of ${effect} with a probability of ${(100 * power).toFixed(0)} % by now: going on is futile.`;

/**
 * The probability that the planned end shows the effect that would matter, given what was seen: of the arm with the best prospect.
 * @returns null where the plan has no size or names no effect, or nothing can be told yet
 */
export function futilityOf(plan: ExperimentSettings, state: ExperimentState): number | null {
  const { plannedSize, effect } = plan;
  if (plannedSize === null || effect === null) return null;
  const primary = primaryOf(plan);
  const settings = planOf(plan, state, false);
  const progress = outcomesOf(state, primary.name) / plannedSize;
  if (progress <= 0 || progress >= 1) return null;
  const moments = measuredOf(plan, state);
  const [control, ...challengers] = settings.arms;
  const kind = settings.metrics.find(({ primary: decides }) => decides)!.kind;
  const direction = primary.better === 'HIGHER' ? 1 : -1;
  const powers = challengers.flatMap((arm) => {
    const momentsOf = (name: string): Moments => inUnits(kind, moments[name]![primary.name]!);
    const [a, b] = [momentsOf(control!), momentsOf(arm)];
    const error = Math.sqrt(a.variance / a.n + b.variance / b.n);
    if (Math.min(a.n, b.n) < 20 || !(error > 0)) return [];
    const z = (direction * (b.mean - a.mean)) / error;
    // At the end the error is smaller by the root of what was done.
    const drift = effect / (error * Math.sqrt(progress));
    return [
      conditionalPower({
        z,
        done: progress,
        drift,
        alpha: (AT_THE_END * plan.alpha) / Math.max(1, challengers.length),
      }),
    ];
  });
  return powers.length === 0 ? null : Math.max(...powers);
}
