/** How answers, and what is said of them, are counted: each once, of the phase and of arms that can answer. */
import { sampleRatioLogE } from '../../../prove/index.js';
import type { StandingFeedback } from '../late-feedback.js';
import { activeArms, isStopped, type ExperimentSettings, type ExperimentState, type Tally } from './experiment.js';
import { LATE_METRICS, valueOf, type ExperimentMetricName, type ExperimentOutcome } from './metrics.js';
import { addValue } from './tally.js';

/** A unit as its row keeps it while the experiment runs. */
export interface Unit {
  phase: number;
  /** Metrics that count it in this phase. */
  taken: Set<string>;
  /** What was seen of it before the arms differed: how many values, and their sum. */
  before: Map<string, { n: number; sum: number }>;
}

/** What was counted of the feedback on an answer. */
export interface CountedFeedback {
  opinion: boolean | null;
  expected: boolean | null;
}

/** What the batch touches, by hash and by answer. Both are changed. */
export interface BatchEffects {
  units: Map<string, Unit>;
  feedback: Map<string, CountedFeedback>;
}

interface Batch {
  outcomes: readonly ExperimentOutcome[];
  said: readonly StandingFeedback[];
}

/** Counts answers, in the order of their numbers, and what was said of answers since. Changes `state` and `touched`. */
export function count(
  plan: ExperimentSettings,
  state: ExperimentState,
  phase: number,
  { outcomes, said }: Batch,
  touched: BatchEffects,
): void {
  for (const outcome of outcomes) if (outcome.stage === phase) countOutcome(plan, state, phase, outcome, touched);
  for (const statement of said) if (statement.stage === phase) countSaid(state, phase, statement, touched);
}

function countOutcome(
  plan: ExperimentSettings,
  state: ExperimentState,
  phase: number,
  outcome: ExperimentOutcome,
  { units }: BatchEffects,
): void {
  const tally = state.arms[outcome.arm];
  // An answer that was begun before its arm was stopped.
  if (!tally || isStopped(state, outcome.arm)) return;
  tally.answers += 1;
  const { unit, isNew } = unitOf(units, outcome, phase);
  if (unit === null) state.unitless += 1;
  if (isNew) {
    tally.units += 1;
    state.units += 1;
    noteSampleRatio(plan, state);
  }
  for (const metric of plan.metrics) {
    const { name } = metric;
    const value = valueOf(metric, outcome);
    if (value === null) continue;
    if (state.before) noteBefore(unit, name, value);
    else if (mayCount(unit, name)) addValue(tally.metrics[name]!, value, { covariate: meanBefore(unit, name) });
  }
}

/** The unit of an answer, made where this phase hasn’t seen it; a request that named none is a new one each time. */
function unitOf(
  units: Map<string, Unit>,
  { unitHash }: Pick<ExperimentOutcome, 'unitHash'>,
  phase: number,
): { unit: Unit | null; isNew: boolean } {
  if (unitHash === null) return { unit: null, isNew: true };
  const knownUnit = units.get(unitHash);
  if (knownUnit?.phase === phase) return { unit: knownUnit, isNew: false };
  const unit: Unit = {
    phase,
    taken: new Set(),
    before: knownUnit?.before ?? new Map<string, { n: number; sum: number }>(),
  };
  units.set(unitHash, unit);
  return { unit, isNew: true };
}

/** Whether a unit’s value may count: the first of each metric. Units that ask often and differ would else count as many. */
function mayCount(unit: Unit | null, metric: string): boolean {
  if (unit === null) return true;
  if (unit.taken.has(metric)) return false;
  unit.taken.add(metric);
  return true;
}

/** @param sign -1 takes the value out again */
function noteBefore(unit: Unit | null, metric: string, value: number, sign: 1 | -1 = 1): void {
  const { n, sum } = unit?.before.get(metric) ?? { n: 0, sum: 0 };
  unit?.before.set(metric, { n: n + sign, sum: sum + sign * value });
}

/** How a unit was before the arms differed; null where nothing tells. */
function meanBefore(unit: Unit | null, metric: string): number | null {
  const { n, sum } = unit?.before.get(metric) ?? { n: 0, sum: 0 };
  return n > 0 ? sum / n : null;
}

/** Looked at with every unit: crossing once is enough. */
function noteSampleRatio(plan: ExperimentSettings, state: ExperimentState): void {
  const active = activeArms(plan, state);
  const totalWeight = active.reduce((sum, { weight }) => sum + weight, 0);
  const logE = sampleRatioLogE(
    active.map(({ name }) => state.arms[name]!.units),
    active.map(({ weight }) => weight / totalWeight),
  );
  state.sampleRatioPeak = Math.max(state.sampleRatioPeak, Math.min(logE, 1e6));
}

function countSaid(
  state: ExperimentState,
  phase: number,
  statement: StandingFeedback,
  { units, feedback }: BatchEffects,
): void {
  const tally = state.arms[statement.arm];
  if (!tally || isStopped(state, statement.arm)) return;
  const entry = feedback.get(statement.answerId) ?? { opinion: null, expected: null };
  for (const [metric, side] of Object.entries(LATE_METRICS)) {
    const metricTally: Tally | undefined = tally.metrics[metric];
    if (!metricTally) continue;
    const [oldValue, now] = [entry[side], statement[side]];
    if (oldValue === now) continue;
    const { unit } = unitOf(units, statement, phase);
    if (state.before) {
      if (oldValue !== null) noteBefore(unit, metric, Number(oldValue), -1);
      if (now !== null) noteBefore(unit, metric, Number(now));
      entry[side] = now;
      continue;
    }
    const covariate = meanBefore(unit, metric);
    if (oldValue !== null) {
      addValue(metricTally, Number(oldValue), { sign: -1, covariate });
      unit?.taken.delete(metric);
      entry[side] = null;
    }
    if (now !== null && mayCount(unit, metric)) {
      addValue(metricTally, Number(now), { covariate });
      entry[side] = now;
    }
  }
  feedback.set(statement.answerId, entry);
}

/** Units whose rows a batch needs. */
export const unitsOf = ({ outcomes, said }: Batch): string[] => [
  ...new Set([...outcomes, ...said].flatMap(({ unitHash }) => unitHash ?? [])),
];

/** Outcomes of a metric in all arms that can still answer. */
export const outcomesOf = (state: ExperimentState, metric: ExperimentMetricName): number =>
  Object.entries(state.arms).reduce(
    (sum, [name, arm]) => (isStopped(state, name) ? sum : sum + (arm.metrics[metric]?.all.n ?? 0)),
    0,
  );

/** Answers that were counted in this phase. */
export const answersOf = ({ arms }: ExperimentState): number =>
  Object.values(arms).reduce((sum, { answers }) => sum + answers, 0);
