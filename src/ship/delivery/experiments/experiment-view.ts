import { meanSequence, rateSequence, type Moments } from '../../../prove/index.js';
import { make, toGlobalId } from '../../../kit/graphql/index.js';
import { own } from '../../../kernel/own.js';
import type { HealthCheck } from '../rollouts/rollout-types.js';
import { inUnits, type ArmContrast, type ExperimentMetric, type Verdict } from './conclude.js';
import { answersOf } from './count.js';
import {
  storedExperimentState,
  storedSettings,
  type ExperimentAction,
  type ExperimentDecisionRow,
  type ExperimentRow,
  type ExperimentSettings,
  type ExperimentState,
  type ExperimentStatus,
} from './experiment.js';
import {
  Experiment,
  type ArmComparison,
  type ArmFigure,
  type ArmResult,
  type ExperimentConclusion,
  type ExperimentDecision,
} from './experiment-types.js';
import { concluded, judgedSays, judgedUnevenly, ratioBroken, sampleRatioSays } from './look.js';
import { kindOf, type ExperimentMetricName, type Measure } from './metrics.js';
import { adjustmentOf, measuredOf, plainMoments } from './tally.js';
import { DAY_MS } from '../../../kernel/duration.js';

export function toExperiment(row: ExperimentRow): Experiment {
  const plan = storedSettings.decode(row.plan);
  const state = storedExperimentState.decode(row.state);
  return make(Experiment, {
    ...row,
    ...plan,
    id: toGlobalId('Experiment', row.id),
    status: row.status as ExperimentStatus,
    verdict: row.verdict as Verdict,
    before: state.before,
    arms: plan.arms.map((arm, index) => ({
      ...arm,
      isControl: index === 0,
      stopped: own(state.stopped, arm.name) ?? null,
    })),
    metrics: plan.metrics.map((metric) => ({
      ...metric,
      isRate: kindOf(metric) === 'RATE',
      adjustment: adjustmentOf(plan),
    })),
    health: healthOf(plan, state),
    answersCounted: answersOf(state),
    days: row.watchedMs / DAY_MS,
    row,
  });
}

function healthOf(plan: ExperimentSettings, state: ExperimentState): HealthCheck[] {
  const stopped = Object.values(state.stopped);
  const uneven = judgedUnevenly(plan, state);
  return [
    { name: 'sample ratio', healthy: !ratioBroken(state), message: sampleRatioSays(plan, state) },
    {
      name: 'judged',
      healthy: uneven.length === 0,
      message:
        uneven.length === 0
          ? 'Nothing shows that one arm’s answers are judged more often than another’s.'
          : judgedSays(uneven),
    },
    {
      name: 'arms',
      healthy: stopped.length === 0,
      message: stopped.length === 0 ? 'Every arm can answer.' : stopped.join(' '),
    },
    {
      name: 'units',
      healthy: true,
      message: plan.sticky
        ? 'Only questions that name a unit take part: others are answered as production.'
        : `${state.unitless} of ${answersOf(state)} answers named no unit, and count as units of their own.`,
    },
  ];
}

export function toResults(row: ExperimentRow): ArmResult[] {
  const plan = storedSettings.decode(row.plan);
  const state = storedExperimentState.decode(row.state);
  const moments = measuredOf(plan, state);
  return plan.arms.map(({ name }) => {
    const arm = state.arms[name];
    return {
      arm: name,
      answers: arm?.answers ?? 0,
      units: arm?.units ?? 0,
      figures: plan.metrics.map((metric) =>
        toFigure(metric, plainMoments(arm, metric.name), moments[name]?.[metric.name], plan.alpha),
      ),
    };
  });
}

function toFigure(measure: Measure, plain: Moments, adjusted: Moments | undefined, alpha: number): ArmFigure {
  const kind = kindOf(measure);
  const { n, mean } = inUnits(kind, plain);
  const used = adjusted ?? plain;
  const { low, high } =
    kind === 'RATE' ? rateSequence({ answers: n, good: Math.round(n * mean) }, alpha) : rangeOfMean(kind, used, alpha);
  const isEmpty = n === 0;
  return {
    metric: measure.name,
    n,
    mean: isEmpty ? null : mean,
    adjustedMean: isEmpty ? null : inUnits(kind, used).mean,
    low: isEmpty ? null : known(low),
    high: isEmpty ? null : known(high),
  };
}

function rangeOfMean(kind: ExperimentMetric['kind'], moments: Moments, alpha: number): { low: number; high: number } {
  const { low, high } = meanSequence(moments, alpha);
  return kind === 'GEOMETRIC' ? { low: Math.exp(low), high: Math.exp(high) } : { low, high };
}

const known = (value: number): number | null => (Number.isFinite(value) ? value : null);

export function toConclusion(row: ExperimentRow): ExperimentConclusion {
  const plan = storedSettings.decode(row.plan);
  const state = storedExperimentState.decode(row.state);
  const { verdict, arm, sentence, comparisons } = concluded(plan, state, row.final);
  return {
    verdict,
    arm,
    sentence,
    final: row.final,
    suggestion: suggestionOf(row, plan, arm),
    comparisons: comparisons.map(toComparison),
  };
}

const toComparison = ({ metric, low, high, ...rest }: ArmContrast): ArmComparison => ({
  ...rest,
  metric: metric as ExperimentMetricName,
  low: known(low),
  high: known(high),
});

/** What a person may do with a winner. Nothing is done by itself. */
function suggestionOf(row: ExperimentRow, { arms }: ExperimentSettings, winner: string | null): string | null {
  const arm = arms.find(({ name }) => name === winner);
  if (!arm) return null;
  if (arm === arms[0]) return `${arm.name} is the control: keep what production is.`;
  const end = row.finishedAt === null ? 'End the experiment, then ' : '';
  const suggestion = (text: string): string => (end === '' ? text[0]!.toUpperCase() + text.slice(1) : end + text);
  if (arm.adapter !== null)
    return suggestion(
      `let ${arm.adapter} pass the gate, and give it to users with startRollout, or propose it with proposePromotion and this experiment.`,
    );
  return suggestion(`configure ${arm.name} where questions are asked: ${changesOf(arm)}.`);
}

const changesOf = ({
  strategy,
  model,
  denseWeight,
  wording = null,
  generation,
}: ExperimentSettings['arms'][number]): string =>
  [
    ...(strategy === null ? [] : [`strategy ${strategy}`]),
    ...(model === null ? [] : [`model ${model}`]),
    ...(denseWeight === null ? [] : [`denseWeight ${denseWeight}`]),
    ...(wording === null ? [] : [`wording ${wording}`]),
    ...Object.entries(generation ?? {}).map(([name, value]) => `${name} ${value}`),
  ].join(', ') || 'it changes nothing';

export const toDecision = (row: ExperimentDecisionRow): ExperimentDecision => ({
  ...row,
  action: row.action as ExperimentAction,
});
