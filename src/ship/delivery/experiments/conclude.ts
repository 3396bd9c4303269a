/**
 * What an experiment says, as a function of its plan and of what was measured: at any time by sequences, which may be read after every
 * answer, and once, at the planned end, by fixed intervals, which are tighter. It ships nothing: an arm that wins is named, no more.
 *
 * Each arm is compared with the control by each metric; alpha is shared by all comparisons of primary metrics, and again by all of
 * the others (Bonferroni), so that more arms or metrics don't make chance a winner. Only primary metrics decide:
 * - WINNER: an arm is shown better than the control by a primary metric and worse by none, or the control better than every arm. Of several such arms
 *   it is the one with the best figure: that it is better than the others isn't shown, and isn't said.
 * - NO_DIFFERENCE: every arm is shown to differ by no primary metric by more than its margin.
 * - INCONCLUSIVE: neither, yet or at the end.
 */
import { fixedDifference, meanDifferenceSequence, type Moments } from '../../../prove/index.js';
import type { AnswerMetric } from '../../../answer/ask/index.js';
import { choice } from '../../../kernel/record.js';

/** Which way a metric is better. */
export const Better = choice('ExperimentBetter', 'Which way a metric is better.', {
  HIGHER: 'More is better.',
  LOWER: 'Less is better.',
});
export type Better = keyof typeof Better;

export interface ExperimentMetric {
  name: string;
  /** How it is told, where its name doesn’t say all. */
  title?: string;
  kind: AnswerMetric<never>['kind'];
  better: Better;
  /** The largest difference that is none, in the metric's unit (of a rate: .02 = two points); 0 where no difference can be shown to be none. */
  margin: number;
  /** Decides; the others are only told. */
  primary: boolean;
}

export interface ExperimentPlan {
  arms: readonly string[];
  /** Index of the arm that the others are compared with. */
  control: number;
  /** Of all primary comparisons together; .05. */
  alpha: number;
  metrics: readonly ExperimentMetric[];
  /** Whether an end is planned at all: then alpha is shared with it. */
  ends: boolean;
  /** Whether the planned end was reached: fixed intervals instead of sequences. Set once, by the plan, never by what is seen. */
  final: boolean;
}

/** Of an arm's answers with an outcome, by metric: of a geometric mean those of the logarithms. */
export type ArmMoments = Readonly<Record<string, Readonly<Record<string, Moments>>>>;

export const Verdict = choice('ExperimentVerdict', 'What an experiment says.', {
  WINNER: 'An arm is better than the control by the primary metric, or the control than every arm.',
  NO_DIFFERENCE: 'Every arm differs from the control by less than the margin.',
  INCONCLUSIVE: 'Neither was shown, or its figures can’t be trusted.',
});
export type Verdict = keyof typeof Verdict;

export interface ArmContrast {
  arm: string;
  metric: string;
  primary: boolean;
  /** Arm less control, in the metric's unit. */
  value: number;
  low: number;
  high: number;
  control: Moments;
  measured: Moments;
  finding: Finding;
}

/** Of an arm against the control by a metric. */
export const Finding = choice('ExperimentFinding', 'What the interval of an arm’s difference says.', {
  BETTER: 'The arm is better than the control.',
  WORSE: 'It is worse.',
  WITHIN_MARGIN: 'It differs by less than the margin.',
  OPEN: 'None of these is shown.',
});
export type Finding = keyof typeof Finding;

export interface Conclusion {
  verdict: Verdict;
  /** That won; the control's name where it is better than every arm. */
  arm: string | null;
  sentence: string;
  comparisons: ArmContrast[];
}

const NOTHING: Moments = { n: 0, mean: 0, variance: 0 };

export function conclude(plan: ExperimentPlan, moments: ArmMoments): Conclusion {
  const comparisons = compared(plan, moments);
  const { verdict, arm } = verdictOf(plan, comparisons);
  return { verdict, arm, sentence: sentenceOf(plan, verdict, arm, comparisons), comparisons };
}

/** The verdict alone, without a sentence: cheap enough to look at after every answer. It is `conclude`'s. */
export const glance = (plan: ExperimentPlan, moments: ArmMoments): Pick<Conclusion, 'verdict' | 'arm'> =>
  verdictOf(plan, compared(plan, moments));

/**
 * The part of alpha that is for the planned end, where there is one; the rest is for all looks before it. Both together find a difference where there is
 * none with a probability of at most alpha. Sequences need far less of it than they are given, so the end, which sizes are planned for, gets the most.
 */
export const AT_THE_END = 0.8;

/** The part of alpha that one comparison has, at the end or at all times before it. */
export function alphaOfComparison({ arms, alpha, metrics, ends, final }: ExperimentPlan, primary: boolean): number {
  const alike = metrics.filter((metric) => metric.primary === primary).length;
  const part = final ? AT_THE_END : ends ? 1 - AT_THE_END : 1;
  return (part * alpha) / Math.max(1, (arms.length - 1) * alike);
}

/** Each arm against the control by each metric. */
function compared(plan: ExperimentPlan, moments: ArmMoments): ArmContrast[] {
  const { arms, metrics, control: index } = plan;
  const momentsOf = (arm: string, metric: string): Moments => moments[arm]?.[metric] ?? NOTHING;
  return arms
    .filter((_, i) => i !== index)
    .flatMap((arm) =>
      metrics.map((metric) =>
        contrastOf(plan, arm, metric, momentsOf(arms[index]!, metric.name), momentsOf(arm, metric.name)),
      ),
    );
}

function contrastOf(
  plan: ExperimentPlan,
  arm: string,
  metric: ExperimentMetric,
  controlMoments: Moments,
  armMoments: Moments,
): ArmContrast {
  const [control, treatment] = [inUnits(metric.kind, controlMoments), inUnits(metric.kind, armMoments)];
  const hasOutcomes = controlMoments.n > 0 && armMoments.n > 0;
  const value = hasOutcomes ? treatment.mean - control.mean : 0;
  const range = hasOutcomes ? rangeOf(plan, metric, controlMoments, armMoments) : { low: -Infinity, high: Infinity };
  const finding = findingOf(metric, value, range);
  return { arm, metric: metric.name, primary: metric.primary, control, measured: treatment, value, ...range, finding };
}

/** What the sequence or interval says, by asking only whether it holds 0 and the margins. */
function findingOf(
  { margin, better }: ExperimentMetric,
  value: number,
  { low, high }: { low: number; high: number },
): Finding {
  const isWithinMargin = margin > 0 && -margin < low && high < margin;
  if ((low > 0 || high < 0) && !isWithinMargin) return value > 0 === (better === 'HIGHER') ? 'BETTER' : 'WORSE';
  return isWithinMargin ? 'WITHIN_MARGIN' : 'OPEN';
}

/** The differences that are not left out, in the metric's unit. */
function rangeOf(
  plan: ExperimentPlan,
  { kind, primary }: ExperimentMetric,
  control: Moments,
  arm: Moments,
): { low: number; high: number } {
  const alpha = alphaOfComparison(plan, primary);
  const [a, b] = kind === 'RATE' ? [smoothed(control), smoothed(arm)] : [control, arm];
  const { low, high } = plan.final ? fixedDifference(a, b, alpha) : meanDifferenceSequence(a, b, alpha);
  if (kind === 'MEAN') return { low, high };
  if (kind === 'GEOMETRIC') {
    const typical = Math.exp(control.mean);
    return { low: typical * Math.expm1(low), high: typical * Math.expm1(high) };
  }
  const value = arm.mean - control.mean;
  return { low: Math.max(-1, Math.min(low, value)), high: Math.min(1, Math.max(high, value)) };
}

/**
 * A rate with a success and a failure more (Agresti & Caffo 2000): of a rare one, a small arm that has seen none would seem to have no
 * variance. At 1 % and arms of 90 and 10 % a third of equal arms had a winner without it.
 */
function smoothed({ n, mean, variance }: Moments): Moments {
  const share = (n * mean + 1) / (n + 2);
  const squares = variance * (n - 1) + n * (mean - share) ** 2 + share ** 2 + (1 - share) ** 2;
  return { n: n + 2, mean: share, variance: squares / (n + 2) };
}

/** Moments of a metric in its unit: those of logarithms as the geometric mean and its spread. */
export function inUnits(kind: ExperimentMetric['kind'], moments: Moments): Moments {
  if (kind !== 'GEOMETRIC' || moments.n === 0) return moments;
  const mean = Math.exp(moments.mean);
  return { n: moments.n, mean, variance: mean ** 2 * moments.variance };
}

function verdictOf(
  { arms, control, metrics }: ExperimentPlan,
  comparisons: readonly Pick<ArmContrast, 'arm' | 'metric' | 'primary' | 'finding' | 'value'>[],
): { verdict: Verdict; arm: string | null } {
  const primary = comparisons.filter((comparison) => comparison.primary);
  const findingsOf = (arm: string): Finding[] =>
    primary.filter((comparison) => comparison.arm === arm).map(({ finding }) => finding);
  const challengers = arms.filter((_, index) => index !== control);
  if (primary.length === 0) return { verdict: 'INCONCLUSIVE', arm: null };
  const better = challengers.filter((arm) => findingsOf(arm).includes('BETTER') && !findingsOf(arm).includes('WORSE'));
  if (better.length > 0) {
    const decisive = metrics.find((metric) => metric.primary)!;
    const gain = (arm: string): number =>
      (decisive.better === 'HIGHER' ? 1 : -1) *
      primary.find((comparison) => comparison.arm === arm && comparison.metric === decisive.name)!.value;
    return { verdict: 'WINNER', arm: better.reduce((best, arm) => (gain(arm) > gain(best) ? arm : best)) };
  }
  if (challengers.every((arm) => findingsOf(arm).includes('WORSE') && !findingsOf(arm).includes('BETTER')))
    return { verdict: 'WINNER', arm: arms[control]! };
  if (primary.every(({ finding }) => finding === 'WITHIN_MARGIN')) return { verdict: 'NO_DIFFERENCE', arm: null };
  return { verdict: 'INCONCLUSIVE', arm: null };
}

function sentenceOf(
  { arms, control, final, metrics }: ExperimentPlan,
  verdict: Verdict,
  winner: string | null,
  comparisons: readonly ArmContrast[],
): string {
  const controlName = arms[control]!;
  const metricOf = (metric: string) => metrics.find(({ name }) => name === metric)!;
  const describe = (comparison: ArmContrast): string => {
    const { kind, title = comparison.metric } = metricOf(comparison.metric);
    if (comparison.control.n === 0 || comparison.measured.n === 0)
      return `${title} of ${comparison.arm}: no outcomes in both arms yet`;
    const [value, unit] = inUnit(kind);
    const interval = Number.isFinite(comparison.low)
      ? `, ${value(comparison.low)} to ${value(comparison.high)}`
      : ', too few for an interval';
    return (
      `${title}: ${value(comparison.measured.mean)}${unit} of ${comparison.measured.n} answers of ${comparison.arm} against ` +
      `${value(comparison.control.mean)}${unit} of ${comparison.control.n} of ${controlName} (difference ${value(comparison.value)}${interval})`
    );
  };
  const primary = comparisons.filter((comparison) => comparison.primary);
  const decided = (finding: Finding, arm?: string): string =>
    primary
      .filter((comparison) => comparison.finding === finding && (arm === undefined || comparison.arm === arm))
      .map(describe)
      .join('; ');
  const timing = final ? 'at the planned end' : 'read at any time';
  if (verdict === 'WINNER' && winner !== controlName) {
    const better = primary.filter(({ finding, arm }) => finding === 'BETTER' && arm !== winner);
    const rivals = [...new Set(better.map(({ arm }) => arm))];
    const verb = rivals.length === 1 ? 'is' : 'are';
    const also = rivals.length === 0 ? '' : ` So ${verb} ${rivals.join(' and ')}: which is the best isn’t shown.`;
    return `${winner} is better than ${controlName}, ${timing}: ${decided('BETTER', winner!)}.${also}`;
  }
  if (verdict === 'WINNER') return `${controlName} is better than every other arm, ${timing}: ${decided('WORSE')}.`;
  if (verdict === 'NO_DIFFERENCE')
    return `No arm differs from ${controlName} by more than the margin, ${timing}: ${decided('WITHIN_MARGIN')}.`;
  return `Inconclusive against ${controlName}${final ? ' at the planned end' : ' so far'}: ${primary.map(describe).join('; ')}.`;
}

/** Rates are told in percent. */
const inUnit = (kind: ExperimentMetric['kind']): [(value: number) => string, string] =>
  kind === 'RATE'
    ? [(value) => `${Number((100 * value).toFixed(1))}`, ' %']
    : [(value) => `${Number(value.toPrecision(4))}`, ''];
