/**
 * What an experiment has counted: sums, so that a look costs the same after a million answers as after ten, and so that feedback which is
 * taken back can be. Intervals follow from the sums alone, and may be read after every answer.
 */
import { cupedArms, type CovariateSums, type Moments } from '../../../prove/index.js';
import type { ArmMoments } from './conclude.js';
import {
  activeArms,
  type ArmTally,
  type ExperimentSettings,
  type ExperimentState,
  type MetricSums,
  type Tally,
} from './experiment.js';
import type { Adjustment } from './metrics.js';

const emptySums = (): MetricSums => ({ n: 0, sum: 0, sumSquares: 0 });
const emptyTally = (): Tally => ({
  all: emptySums(),
  known: { ...emptySums(), covariateSum: 0, covariateSumSquares: 0, sumProducts: 0 },
});

export const emptyArms = ({ arms, metrics }: ExperimentSettings): Record<string, ArmTally> =>
  Object.fromEntries(
    arms.map(({ name }) => [
      name,
      { answers: 0, units: 0, metrics: Object.fromEntries(metrics.map((metric) => [metric.name, emptyTally()])) },
    ]),
  );

/** What an experiment has counted before its first answer. */
export const emptyState = (plan: ExperimentSettings, { before }: Pick<ExperimentState, 'before'>): ExperimentState => ({
  before,
  arms: emptyArms(plan),
  units: 0,
  unitless: 0,
  sampleRatioPeak: 0,
  stopped: {},
  told: [],
  nextPoint: 0,
});

/** The part that decides was fixed before the start, never by what is seen. */
export const adjustmentOf = ({ beforeAnswers }: Pick<ExperimentSettings, 'beforeAnswers'>): Adjustment =>
  beforeAnswers > 0 ? 'CUPED' : 'NONE';

/** @param sign -1 takes the value out again @param covariate the unit's mean before; null where it wasn't known */
export function addValue(
  tally: Tally,
  value: number,
  { sign = 1, covariate = null }: { sign?: 1 | -1; covariate?: number | null },
): void {
  addTo(tally.all, value, sign);
  if (covariate === null) return;
  addTo(tally.known, value, sign);
  tally.known.covariateSum += sign * covariate;
  tally.known.covariateSumSquares += sign * covariate ** 2;
  tally.known.sumProducts += sign * value * covariate;
}

function addTo(sums: MetricSums, value: number, sign: number): void {
  sums.n += sign;
  sums.sum += sign * value;
  sums.sumSquares += sign * value ** 2;
}

const momentsOfSums = ({ n, sum, sumSquares }: MetricSums): Moments => ({
  n,
  mean: n === 0 ? 0 : sum / n,
  variance: n > 1 ? Math.max(0, (sumSquares - sum ** 2 / n) / (n - 1)) : 0,
});

/** As they were counted. */
export const plainMoments = (arm: ArmTally | undefined, metric: string): Moments =>
  momentsOfSums(arm?.metrics[metric]?.all ?? emptySums());

/** What each arm's answers say, adjusted as the plan has it. */
export function measuredOf(plan: ExperimentSettings, state: Pick<ExperimentState, 'arms' | 'stopped'>): ArmMoments {
  const names = activeArms(plan, state).map(({ name }) => name);
  const momentsByArm: Record<string, Record<string, Moments>> = Object.fromEntries(names.map((name) => [name, {}]));
  for (const metric of plan.metrics) {
    const tallies = names.map((name) => state.arms[name]?.metrics[metric.name] ?? emptyTally());
    const moments = adjusted(adjustmentOf(plan), tallies);
    names.forEach((name, i) => (momentsByArm[name]![metric.name] = moments[i]!));
  }
  return momentsByArm;
}

function adjusted(adjustment: Adjustment, tallies: readonly Tally[]): Moments[] {
  const plain = tallies.map(({ all }) => momentsOfSums(all));
  if (adjustment === 'CUPED') {
    const [knownCount, covariates] = tallies.reduce(
      ([n, sum], { known: sums }) => [n + sums.n, sum + sums.covariateSum],
      [0, 0],
    );
    return knownCount === 0 ? plain : cupedArms(tallies.map((tally) => withMean(tally, covariates / knownCount)));
  }
  return plain;
}

/** Units of which nothing was known before count with the mean of the others: that explains nothing of them. */
function withMean({ all, known }: Tally, mean: number): CovariateSums {
  const unknown = all.n - known.n;
  return {
    n: all.n,
    sum: all.sum,
    sumSquares: all.sumSquares,
    covariateSum: known.covariateSum + unknown * mean,
    covariateSumSquares: known.covariateSumSquares + unknown * mean ** 2,
    sumProducts: known.sumProducts + mean * (all.sum - known.sum),
  };
}
