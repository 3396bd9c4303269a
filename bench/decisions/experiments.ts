import { glance, type ExperimentPlan } from '../../src/ship/delivery/index.js';
import { cupedArms, momentsOf } from '../../src/prove/index.js';
import { seededRandom } from '../../src/kernel/random.js';
import { rateOf } from '../support/rate.js';
import { shareOf, type Topic } from './line.js';
import { isRight, JUDGED, questions, TRAFFIC, type Traffic } from './traffic.js';

const PLAN: Omit<ExperimentPlan, 'metrics' | 'final'> = {
  arms: ['production', 'new'],
  control: 0,
  alpha: 0.05,
  ends: false,
};
const MOST = 2_000;

/** Whether equal arms have a winner at any look, of the first judged answer of each unit. */
function namesWinner(traffic: Traffic, seed: number, { weight, judged }: { weight: number; judged: number }): boolean {
  const random = seededRandom(seed + 1);
  const metrics = [{ name: 'right', kind: 'RATE', better: 'HIGHER', margin: 0, primary: true } as const];
  const values = { production: { n: 0, good: 0 }, new: { n: 0, good: 0 } };
  const seen = new Set<string>();
  let number = 0;
  for (const question of questions(traffic, { seed, judged, users: MOST })) {
    if (++number > MOST) return false;
    if (!question.judged || seen.has(question.unit)) continue;
    seen.add(question.unit);
    const arm = values[random() < weight ? 'production' : 'new'];
    arm.n += 1;
    arm.good += Number(isRight(question, 0.8));
    if (seen.size % 10 !== 0) continue;
    const measured = Object.fromEntries(
      Object.entries(values).map(([name, { n, good }]) => [name, { right: rateOf(n, good) }]),
    );
    if (glance({ ...PLAN, metrics, final: false }, measured).verdict === 'WINNER') return true;
  }
  return false;
}

/** Answers of a unit before the arms differ, where a share is adjusted by them. */
const BEFORE = 3;

/** Whether equal arms have a winner at any look, of the first answer of each unit adjusted by how it was before (CUPED). */
function adjustedNamesWinner(traffic: Traffic, seed: number): boolean {
  const random = seededRandom(seed + 3);
  const metrics = [{ name: 'right', kind: 'RATE', better: 'HIGHER', margin: 0, primary: true } as const];
  const arms = Array.from({ length: 2 }, () => ({
    n: 0,
    sum: 0,
    sumSquares: 0,
    covariateSum: 0,
    covariateSumSquares: 0,
    sumProducts: 0,
  }));
  const before = new Map<string, { n: number; good: number }>();
  let [number, counted] = [0, 0];
  for (const question of questions(traffic, { seed, users: MOST, spread: 0.6 })) {
    if (++number > 4 * MOST) return false;
    const seen = before.get(question.unit) ?? { n: 0, good: 0 };
    before.set(question.unit, seen);
    const right = Number(isRight(question, 0.5));
    if (seen.n++ < BEFORE) {
      seen.good += right;
      continue;
    }
    if (seen.n > BEFORE + 1) continue;
    const arm = arms[random() < 0.9 ? 0 : 1]!;
    const covariate = seen.good / BEFORE;
    arm.n += 1;
    arm.sum += right;
    arm.sumSquares += right;
    arm.covariateSum += covariate;
    arm.covariateSumSquares += covariate ** 2;
    arm.sumProducts += right * covariate;
    if (++counted % 10 !== 0 || arms.some(({ n }) => n === 0)) continue;
    const [production, fresh] = cupedArms(arms);
    const measured = { production: { right: production! }, new: { right: fresh! } };
    if (glance({ ...PLAN, metrics, final: false }, measured).verdict === 'WINNER') return true;
  }
  return false;
}

/** Whether equal arms of 90 and 10 % have a winner at their planned end. */
function endsWithWinner(
  traffic: Traffic,
  seed: number,
  kind: 'RATE' | 'GEOMETRIC',
  value: (chance: number, ease: number) => number,
): boolean {
  const random = seededRandom(seed + 2);
  const arms: [number[], number[]] = [[], []];
  const seen = new Set<string>();
  let number = 0;
  for (const { unit, chance, ease } of questions(traffic, { seed, users: MOST })) {
    if (++number > MOST) break;
    if (seen.has(unit)) continue;
    seen.add(unit);
    arms[random() < 0.9 ? 0 : 1].push(value(chance, ease));
  }
  const [production, fresh] = arms.map((values) => ({ metric: momentsOf(values) }));
  const metrics = [{ name: 'metric', kind, better: 'LOWER', margin: 0, primary: true } as const];
  return glance({ ...PLAN, metrics, final: true }, { production: production!, new: fresh! }).verdict === 'WINNER';
}

export const experiments: Topic = {
  name: 'experiments',
  *lines(streams) {
    for (const traffic of TRAFFIC) {
      for (const judged of JUDGED)
        for (const weight of [0.5, 0.9])
          yield {
            promise: `equal arms (${weight * 100} % control) have a winner at any look`,
            promised: { atMost: 0.05 },
            measured: shareOf(streams, 23, (seed) => namesWinner(traffic, seed, { weight, judged })),
            streams,
            traffic,
            judged,
          };
      // Where nobody comes back, nothing is known of a unit before.
      if (traffic === 'repeating users' || traffic === 'sessions')
        yield {
          promise: 'equal arms of 90 and 10 % have a winner at any look, adjusted by how units were',
          promised: { atMost: 0.05 },
          measured: shareOf(streams, 37, (seed) => adjustedNamesWinner(traffic, seed)),
          streams,
          traffic,
          judged: null,
        };
      const end = { promised: { atMost: 0.05 }, streams, traffic, judged: null };
      yield {
        ...end,
        promise: 'equal arms of 90 and 10 % have a winner at the end, of failures of 1 %',
        measured: shareOf(streams, 29, (seed) =>
          endsWithWinner(traffic, seed, 'RATE', (chance, ease) => Number(chance < 0.01 * (1 - 2 * ease))),
        ),
      };
      yield {
        ...end,
        promise: 'equal arms of 90 and 10 % have a winner at the end, of skewed times',
        // Log-logistic, whose tail is heavier than a log-normal one.
        measured: shareOf(streams, 31, (seed) =>
          endsWithWinner(
            traffic,
            seed,
            'GEOMETRIC',
            (chance, ease) => 6 - ease + Math.log((chance + 1e-9) / (1 - chance)),
          ),
        ),
      };
    }
  },
};
