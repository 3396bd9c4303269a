/**
 * What a rollout has seen, folded answer by answer in the order in which answers were recorded. E-values depend on that order, so it is
 * state, not a sum over rows: plain data of bounded size that goes into the run's checkpoint with the number of the last answer taken.
 */
import { observeRate, sampleRatioLogE, startTwoRates, type TwoRates } from '../../../prove/index.js';
import { rolloutRanges } from '../assignment/index.js';
import type { Guardrail, RolloutPlan } from './plan.js';

/** An answer of either arm. Forced ones are never recorded. */
interface ArmOutcome {
  /** Index of the step that drew it; one of a step that was left is not compared with those of the next. */
  step: number;
  arm: 'CANDIDATE' | 'CONTROL';
  /** ms since 1970. */
  at: number;
  /** Whether the unit is new in this step: only those tell whether the ratio of the arms is what was drawn. True by default. */
  newUnit?: boolean;
  /** By name: whether it was good; null or absent where the answer has no such outcome. */
  measures: Readonly<Record<string, boolean | null | undefined>>;
}

interface Rate {
  worse: TwoRates;
  candidate: { n: number; good: number };
  control: { n: number; good: number };
}

export interface Watch {
  step: number;
  /** In this step. */
  answers: { candidate: number; control: number };
  /** Of both arms, in all steps. */
  all: number;
  /** Of the candidate's. */
  lastAnswerAt: number | null;
  measures: Record<string, Rate>;
  /** Of each arm, whether its newest answers were given at all, `1` one that was: what tells an outage that befalls both. */
  newest: { candidate: string; control: string };
  /** Answers of the candidate that failed since one was last given, and what became of the controls between them. */
  failing: { answers: number; controls: { answers: number; given: number } };
  /** In this step, and ln e of those before it. */
  units: Split & { logE: number };
  /** Units of whose answers one was judged, of each step: most are judged when their step was left. */
  judged: Split[];
}

/** How many fell to each arm. */
interface Split {
  candidate: number;
  control: number;
}

export interface MeasureEvidence {
  /** Largest ln e so far that the candidate is worse by more than the margin. */
  worse: number;
  candidate: { answers: number; value: number };
  control: { answers: number; value: number };
}

export interface RolloutEvidence {
  /** In this step. */
  answers: { candidate: number; control: number };
  lastAnswerAt: number | null;
  measures: Record<string, MeasureEvidence>;
  /** Of the arms' units. */
  sampleRatio: Ratio;
  /** Of those that were judged: where one arm's are judged more often, `FEEDBACK` compares unlike answers. */
  judgedRatio: Ratio;
  /** Whether most of the newest answers of an arm failed, whoever asked. */
  down: { candidate: boolean; control: boolean };
  /** Whether all of the candidate's newest answers failed, whoever asked, while most of the controls' between them were given. */
  allFailed: boolean;
}

/** ln e that both arms are not in the ratio that was drawn; shares of the candidate's. */
interface Ratio {
  logE: number;
  observed: number;
  expected: number;
}

/** Answers of an arm that tell whether it is down, and the share of failures at which it is. */
const NEWEST = 10;
const DOWN = 0.5;
const isDown = (newest: string): boolean => newest.length === NEWEST && newest.split('0').length - 1 >= DOWN * NEWEST;

export function startWatch({ guardrails }: Pick<RolloutPlan, 'guardrails'>): Watch {
  const measures = guardrails.map(({ name }): [string, Rate] => [
    name,
    {
      worse: startTwoRates(),
      candidate: { n: 0, good: 0 },
      control: { n: 0, good: 0 },
    },
  ]);
  return {
    step: 0,
    answers: { candidate: 0, control: 0 },
    all: 0,
    lastAnswerAt: null,
    measures: Object.fromEntries(measures),
    units: { candidate: 0, control: 0, logE: 0 },
    judged: [],
    newest: { candidate: '', control: '' },
    failing: noneFailing(),
  };
}

/** Begins a step: its counts start anew, evidence is kept. */
export function enterStep(watch: Watch, plan: RolloutPlan, step: number): Watch {
  const logE = watch.units.logE + splitLogE(watch.units, drawn(plan, watch.step));
  watch.units = { candidate: 0, control: 0, logE };
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
  watch.all += 1;
  if (outcome.step === watch.step) {
    watch.answers[arm] += 1;
    if (outcome.newUnit !== false) watch.units[arm] += 1;
  }
  const { FAILURE: isAnswered } = outcome.measures;
  if (isAnswered !== null && isAnswered !== undefined) {
    watch.newest[arm] = (watch.newest[arm] + (isAnswered ? '1' : '0')).slice(-NEWEST);
    noteFailing(watch, arm, isAnswered);
  }
  return recordLate(watch, plan, outcome);
}

const noneFailing = (): Watch['failing'] => ({ answers: 0, controls: { answers: 0, given: 0 } });

function noteFailing(watch: Watch, arm: 'candidate' | 'control', isAnswered: boolean): void {
  const { failing } = watch;
  if (arm === 'candidate' && isAnswered) watch.failing = noneFailing();
  else if (arm === 'candidate') failing.answers += 1;
  else if (failing.answers > 0) {
    failing.controls.answers += 1;
    failing.controls.given += Number(isAnswered);
  }
}

/**
 * Whether the candidate fails alone. The controls are those of the same time: when an outage of both arms ends, the more frequent controls are given
 * again before the candidate is asked once more, and one equal candidate in five went back.
 */
const failsAlone = ({ failing: { answers, controls }, newest }: Watch): boolean =>
  answers >= NEWEST &&
  controls.given > DOWN * controls.answers &&
  newest.control.length === NEWEST &&
  !isDown(newest.control);

/**
 * Takes what became known of an answer that was recorded before: feedback, a label. An outcome that changes can't be taken back. One outcome a unit and
 * step is compared, since answers to one user are no independent draws: with 20 to 500 users who come back and differ, equal candidates went back in 14
 * to 27 % where every answer counted.
 */
export function recordLate(
  watch: Watch,
  plan: RolloutPlan,
  { step, arm, newUnit, measures }: Pick<ArmOutcome, 'step' | 'arm' | 'newUnit' | 'measures'>,
): Watch {
  const ratio = drawn(plan, step);
  if (ratio === null || newUnit === false) return watch;
  if (typeof measures.FEEDBACK === 'boolean') {
    for (let index = watch.judged.length; index <= step; index++) watch.judged.push({ candidate: 0, control: 0 });
    watch.judged[step]![arm === 'CANDIDATE' ? 'candidate' : 'control'] += 1;
  }
  for (const guardrail of plan.guardrails) {
    const good = measures[guardrail.name];
    const measure = watch.measures[guardrail.name];
    if (good === null || good === undefined || !measure) continue;
    take(measure, arm === 'CANDIDATE' ? 'candidate' : 'control', good, { wanted: guardrail, drawn: ratio });
  }
  return watch;
}

interface Taken {
  wanted: Guardrail;
  /** Share of the candidate's among both arms' units, as the step drew them. */
  drawn: number;
}

function take(measure: Rate, arm: 'candidate' | 'control', good: boolean, { wanted, drawn }: Taken): void {
  measure[arm].n += 1;
  if (good) measure[arm].good += 1;
  const { name, margin, least = null } = wanted;
  observeRate(measure.worse, arm, good, { margin, drawn, least, selected: name === 'FEEDBACK' });
}

/** What `decide` looks at. */
export function evidenceOf(watch: Watch, plan: RolloutPlan): RolloutEvidence {
  const expected = drawn(plan, watch.step);
  const down = { candidate: isDown(watch.newest.candidate), control: isDown(watch.newest.control) };
  return {
    answers: { ...watch.answers },
    lastAnswerAt: watch.lastAnswerAt,
    measures: Object.fromEntries(
      plan.guardrails.flatMap((guardrail): [string, MeasureEvidence][] => {
        const measure = watch.measures[guardrail.name];
        return measure ? [[guardrail.name, evidenceOfMeasure(measure)]] : [];
      }),
    ),
    sampleRatio: {
      logE: watch.units.logE + splitLogE(watch.units, expected),
      observed: shareIn(watch.units),
      expected: expected ?? 1,
    },
    judgedRatio: judgedRatioOf(watch, plan),
    down,
    allFailed: failsAlone(watch),
  };
}

/** @param expected the candidate's share; null where nothing is drawn for controls */
const splitLogE = ({ candidate, control }: Split, expected: number | null): number =>
  expected === null ? 0 : sampleRatioLogE([candidate, control], [expected, 1 - expected]);

const shareIn = ({ candidate, control }: Split): number =>
  candidate + control === 0 ? 0 : candidate / (candidate + control);

/** Over all steps: e-values of independent draws multiply. */
function judgedRatioOf({ judged }: Watch, plan: RolloutPlan): Ratio {
  const totals = { candidate: 0, control: 0 };
  let [logE, due] = [0, 0];
  judged.forEach((split, step) => {
    const expected = drawn(plan, step);
    if (expected === null) return;
    totals.candidate += split.candidate;
    totals.control += split.control;
    logE += splitLogE(split, expected);
    due += expected * (split.candidate + split.control);
  });
  return { logE, observed: shareIn(totals), expected: due / Math.max(1, totals.candidate + totals.control) };
}

function evidenceOfMeasure({ worse, candidate, control }: Rate): MeasureEvidence {
  const shareOf = ({ n, good }: { n: number; good: number }) => ({ answers: n, value: n === 0 ? 0 : good / n });
  return { worse: worse.peak, candidate: shareOf(candidate), control: shareOf(control) };
}

/** The candidate's share of both arms' units, as a step draws them; null where it has no controls. */
export function drawn({ steps }: RolloutPlan, index: number): number | null {
  const step = steps[index];
  if (!step) return null;
  const { controls } = rolloutRanges(step.share, step.controls);
  return controls > 0 ? 1 / (1 + controls) : null;
}
