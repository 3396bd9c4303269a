/**
 * What a rollout has seen, folded answer by answer in the order in which answers were recorded. E-values depend on that order, so it is
 * state, not a sum over rows: plain data of bounded size that goes into the run's checkpoint with the number of the last answer taken.
 */
import { mixtureLogE, observeRate, sampleRatioLogE, startTwoRates, type TwoRates } from '../../evaluation/index.js';
import { rolloutRanges } from '../assignment/index.js';
import type { ArmMeasure, RolloutPlan } from './plan.js';

/** An answer of either arm. Forced ones are never recorded. */
export interface ArmOutcome {
  /** Index of the step that drew it; one of a step that was left is not compared with those of the next. */
  step: number;
  arm: 'CANDIDATE' | 'CONTROL';
  /** ms since 1970. */
  at: number;
  /** Whether the unit is new in this step: only those tell whether the ratio of the arms is what was drawn. True by default. */
  newUnit?: boolean;
  /** Whether this answer made the unit one that both arms of this step have answered. */
  inBoth?: boolean;
  /** By name: whether it was good (RATE) or how much it took (MEAN); null or absent where the answer has no such outcome. */
  measures: Readonly<Record<string, boolean | number | null | undefined>>;
}

/** Sums of a mean (Welford): no catastrophic cancellation at a million answers. */
interface RunningMoments {
  n: number;
  mean: number;
  /** Sum of squared differences from the mean. */
  squares: number;
}

interface Rate {
  kind: 'RATE';
  worse: TwoRates;
  noWorse: TwoRates;
  candidate: { n: number; good: number };
  control: { n: number; good: number };
}

interface Mean {
  kind: 'MEAN';
  /** One a step that has answers. */
  stages: { step: number; candidate: RunningMoments; control: RunningMoments }[];
  worsePeak: number;
  noWorsePeak: number;
}

export interface Watch {
  step: number;
  /** In this step. */
  answers: { candidate: number; control: number };
  /** Of the candidate's. */
  lastAnswerAt: number | null;
  measures: Record<string, Rate | Mean>;
  /** In this step, and ln e of those before it. */
  units: { candidate: number; control: number; inBoth: number; logE: number };
}

export interface MeasureEvidence {
  kind: ArmMeasure['kind'];
  /** Largest ln e so far that the candidate is worse by more than the margin. */
  worse: number;
  /** Largest ln e so far that it is not. */
  noWorse: number;
  candidate: { answers: number; value: number };
  control: { answers: number; value: number };
}

export interface RolloutEvidence {
  /** In this step. */
  answers: { candidate: number; control: number };
  lastAnswerAt: number | null;
  measures: Record<string, MeasureEvidence>;
  /** ln e that the arms' units are not in the ratio that was drawn; shares of the candidate's. */
  sampleRatio: { logE: number; observed: number; expected: number };
  exposure: { units: number; inBoth: number };
}

/** Fewer answers an arm than this say nothing of a mean: its e-value is asymptotic. */
const LEAST_OF_A_MEAN = 20;

const noMoments = (): RunningMoments => ({ n: 0, mean: 0, squares: 0 });

export function startWatch({ guardrails, signals }: Pick<RolloutPlan, 'guardrails' | 'signals'>): Watch {
  const measures = [...guardrails, ...signals].map(({ name, kind }): [string, Rate | Mean] => [
    name,
    kind === 'MEAN'
      ? { kind, stages: [], worsePeak: 0, noWorsePeak: 0 }
      : {
          kind,
          worse: startTwoRates(),
          noWorse: startTwoRates(),
          candidate: { n: 0, good: 0 },
          control: { n: 0, good: 0 },
        },
  ]);
  return {
    step: 0,
    answers: { candidate: 0, control: 0 },
    lastAnswerAt: null,
    measures: Object.fromEntries(measures),
    units: { candidate: 0, control: 0, inBoth: 0, logE: 0 },
  };
}

/** Begins a step: its counts start anew, evidence is kept. */
export function enterStep(watch: Watch, plan: RolloutPlan, step: number): Watch {
  const { candidate, control, logE: before } = watch.units;
  const ratio = drawn(plan, watch.step);
  watch.units = {
    candidate: 0,
    control: 0,
    inBoth: 0,
    logE: before + (ratio === null ? 0 : sampleRatioLogE([candidate, control], [ratio, 1 - ratio])),
  };
  watch.step = step;
  watch.answers = { candidate: 0, control: 0 };
  return watch;
}

/**
 * Takes one answer; changes and returns `watch`. One of a step that was left, because it was under way meanwhile, is compared with those of
 * its own step, but counts for nothing in this one.
 */
export function record(watch: Watch, plan: RolloutPlan, outcome: ArmOutcome): Watch {
  const arm = outcome.arm === 'CANDIDATE' ? 'candidate' : 'control';
  if (arm === 'candidate') watch.lastAnswerAt = Math.max(watch.lastAnswerAt ?? 0, outcome.at);
  if (outcome.step === watch.step) {
    watch.answers[arm] += 1;
    if (outcome.newUnit !== false) watch.units[arm] += 1;
    if (outcome.inBoth) watch.units.inBoth += 1;
  }
  return recordLate(watch, plan, outcome);
}

/** Takes what became known of an answer that was recorded before: feedback, a label. An outcome that changes can't be taken back. */
export function recordLate(
  watch: Watch,
  plan: RolloutPlan,
  { step, arm, newUnit, measures }: Pick<ArmOutcome, 'step' | 'arm' | 'newUnit' | 'measures'>,
): Watch {
  const drawnBy = plan.steps[step];
  if (!drawnBy || (plan.counting === 'FIRST_OF_UNIT' && newUnit === false)) return watch;
  const { controls } = rolloutRanges(drawnBy.share, drawnBy.controls);
  const stratum = { step, arm: arm === 'CANDIDATE' ? 'candidate' : 'control', controls } as const;
  for (const wanted of [...plan.guardrails, ...plan.signals]) {
    const value = measures[wanted.name];
    const measure = watch.measures[wanted.name];
    if (value === null || value === undefined || !measure) continue;
    if (measure.kind === 'RATE') takeRate(measure, stratum, Boolean(value), wanted.margin);
    else takeMean(measure, stratum, Number(value), wanted);
  }
  return watch;
}

/** Where an outcome belongs: a step that drew answers is a stratum, and they are compared within it. */
interface StratumArm {
  step: number;
  arm: 'candidate' | 'control';
  controls: number;
}

function takeRate(measure: Rate, { step, arm, controls }: StratumArm, good: boolean, margin: number): void {
  measure[arm].n += 1;
  if (good) measure[arm].good += 1;
  observeRate(measure.worse, arm, good, { question: 'WORSE', margin, controls, stage: step });
  observeRate(measure.noWorse, arm, good, { question: 'NO_WORSE', margin, controls, stage: step });
}

function takeMean(measure: Mean, { step, arm }: StratumArm, value: number, wanted: ArmMeasure): void {
  // A latency of 0 has no logarithm: a microsecond is as good.
  const taken = wanted.logarithm ? Math.log(Math.max(value, 1e-3)) : value;
  if (!Number.isFinite(taken)) return;
  let stage = measure.stages.find((each) => each.step === step);
  if (!stage) {
    stage = { step, candidate: noMoments(), control: noMoments() };
    measure.stages.push(stage);
  }
  const moments = stage[arm];
  moments.n += 1;
  const from = taken - moments.mean;
  moments.mean += from / moments.n;
  moments.squares += from * (taken - moments.mean);
  const { better = 'LOWER', margin, logarithm } = wanted;
  const compared = stratified(measure);
  if (compared === null) return;
  // Positive: the candidate is worse.
  const harm = better === 'LOWER' ? compared.difference : -compared.difference;
  const allowed = logarithm ? Math.log1p(margin) : margin;
  const z = (harm - allowed) / Math.sqrt(compared.variance);
  measure.worsePeak = Math.max(measure.worsePeak, mixtureLogE(z, compared.answers));
  measure.noWorsePeak = Math.max(measure.noWorsePeak, mixtureLogE(-z, compared.answers));
}

/** Candidate less control, stages weighted by their precision; null while no stage has enough answers. */
function stratified({ stages }: Mean): { difference: number; variance: number; answers: number } | null {
  let [precision, weighted, answers] = [0, 0, 0];
  for (const { candidate, control } of stages) {
    if (candidate.n < LEAST_OF_A_MEAN || control.n < LEAST_OF_A_MEAN) continue;
    const variance = varianceOfMean(candidate) + varianceOfMean(control);
    if (!(variance > 0)) continue;
    precision += 1 / variance;
    weighted += (candidate.mean - control.mean) / variance;
    answers += candidate.n + control.n;
  }
  return precision === 0 ? null : { difference: weighted / precision, variance: 1 / precision, answers };
}

const varianceOfMean = ({ n, squares }: RunningMoments): number => squares / (n - 1) / n;

/** What `decide` looks at. */
export function evidenceOf(watch: Watch, plan: RolloutPlan): RolloutEvidence {
  const { candidate, control, inBoth, logE: before } = watch.units;
  const expected = drawn(plan, watch.step);
  return {
    answers: { ...watch.answers },
    lastAnswerAt: watch.lastAnswerAt,
    measures: Object.fromEntries(
      [...plan.guardrails, ...plan.signals].flatMap((wanted): [string, MeasureEvidence][] => {
        const measure = watch.measures[wanted.name];
        return measure ? [[wanted.name, evidenceOfMeasure(measure, wanted)]] : [];
      }),
    ),
    sampleRatio: {
      logE: before + (expected === null ? 0 : sampleRatioLogE([candidate, control], [expected, 1 - expected])),
      observed: candidate + control === 0 ? 0 : candidate / (candidate + control),
      expected: expected ?? 1,
    },
    exposure: { units: candidate + control, inBoth },
  };
}

function evidenceOfMeasure(measure: Rate | Mean, { logarithm }: ArmMeasure): MeasureEvidence {
  if (measure.kind === 'RATE') {
    const told = ({ n, good }: { n: number; good: number }) => ({ answers: n, value: n === 0 ? 0 : good / n });
    return {
      kind: 'RATE',
      worse: measure.worse.peak,
      noWorse: measure.noWorse.peak,
      candidate: told(measure.candidate),
      control: told(measure.control),
    };
  }
  const told = (arm: 'candidate' | 'control') => {
    const answers = measure.stages.reduce((sum, stage) => sum + stage[arm].n, 0);
    const mean = measure.stages.reduce((sum, stage) => sum + stage[arm].n * stage[arm].mean, 0) / Math.max(1, answers);
    return { answers, value: logarithm && answers > 0 ? Math.exp(mean) : mean };
  };
  return {
    kind: 'MEAN',
    worse: measure.worsePeak,
    noWorse: measure.noWorsePeak,
    candidate: told('candidate'),
    control: told('control'),
  };
}

/** The candidate's share of both arms' units, as a step draws them; null where it has no controls. */
function drawn({ steps }: RolloutPlan, index: number): number | null {
  const step = steps[index];
  if (!step) return null;
  const { controls } = rolloutRanges(step.share, step.controls);
  return controls > 0 ? 1 / (1 + controls) : null;
}
