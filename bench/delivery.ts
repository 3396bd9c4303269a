/**
 * What decides rollouts and experiments, simulated: the functions that run are called as they run, after every answer.
 *
 *   npm run bench -- delivery [--runs 400] [--peers 1000] [--whole 200]
 *
 * Equal arms: `--peers` rollouts (ten units in a hundred the candidate's, nine controls each, four guardrails that share alpha .05) and
 * experiments (two arms, one metric), looked at after each of 1,500 answers of the candidate: how many are stopped. Worse candidates: `--runs`
 * rollouts of which one guardrail is worse by so many points; how many of the candidate's answers it takes until it is back. An equally
 * good one: `--whole` rollouts through the standard steps with one approval. Swapped arms: the same worse rate on the control's side must
 * stop nothing, and in an experiment the loser must never be named. Each unit is new and drawn by its hash, as in `ask`.
 */
import {
  assign,
  bucketRanges,
  CANDIDATE,
  conclude,
  decide,
  enterStep,
  evidenceOf,
  glance,
  hasEnded,
  record,
  rolloutTest,
  NO_TRAFFIC_MINUTES,
  STANDARD_STEPS,
  startRollout,
  startWatch,
  type ExperimentPlan,
  type RolloutPlan,
  type Test,
} from '../src/ship/delivery/index.js';
import { seededRandom } from '../src/kernel/random.js';
import { numberOption } from './support/options.js';
import { describeMachine, median, printResult } from './support/report.js';
import { percent } from './support/percent.js';
import { quantile } from './support/logistic.js';
import { rateOf } from './support/rate.js';

const RUNS = numberOption('runs', 400);
const PEERS = numberOption('peers', 1_000);
const WHOLE = numberOption('whole', 200);
const LOOKS = 1_500;

const NAMES = ['right', 'answered', 'agreed', 'quick'];

/** Ten units in a hundred the candidate's and the rest its controls, for as long as it takes. */
const watching = (margin: number, controls = 9): RolloutPlan => ({
  steps: [{ share: 1 / (controls + 1), controls, leastAnswers: Infinity, leastMinutes: 0, approval: false }],
  alpha: 0.05,
  guardrails: NAMES.map((name) => ({ name, margin })),
  noTrafficMinutes: NO_TRAFFIC_MINUTES,
});

/** Rates of good answers, the first guardrail's apart. */
interface World {
  candidate: number;
  control: number;
  others: number;
}

interface Ride {
  status: string;
  /** Of the candidate, all steps together. */
  answers: number;
  looks: number;
}

/** How often a unit asks, and how far units differ: each has its own rate, drawn evenly around the world's by so much. */
interface Users {
  asks: number;
  spread: number;
}

/** Sends units through a rollout until it ends or the candidate has given so many answers; approves when asked to. */
function ride(
  plan: RolloutPlan,
  world: World,
  seed: number,
  most: number,
  users: Users = { asks: 1, spread: 0 },
): Ride {
  const random = seededRandom(seed);
  const watch = startWatch(plan);
  let state = startRollout(0);
  let test: Test | null = null;
  let [answers, looks] = [0, 0];
  // A unit a second.
  for (let unit = 1; answers < most && !hasEnded(state); unit++) {
    const now = unit * 1_000;
    if (test === null || state.step !== watch.step) {
      if (state.step !== watch.step) enterStep(watch, plan, state.step);
      const { share, controls } = plan.steps[state.step]!;
      test = rolloutTest(`rollout-${seed}`, share, controls);
    }
    const drawn = assign(test, `unit-${unit}`);
    if (drawn === null) continue;
    const isCandidate = drawn.arm === CANDIDATE;
    const own = (isCandidate ? world.candidate : world.control) + users.spread * (2 * random() - 1);
    for (let asked = 0; asked < users.asks && !hasEnded(state); asked++) {
      if (isCandidate) answers += 1;
      const first = random() < own;
      const measures = Object.fromEntries(
        NAMES.map((name, i) => [name, i === 0 ? first : random() < world.others] as const),
      );
      record(watch, plan, {
        step: state.step,
        arm: isCandidate ? 'CANDIDATE' : 'CONTROL',
        at: now,
        newUnit: asked === 0,
        measures,
      });
      const decision = decide(plan, state, evidenceOf(watch, plan), now);
      looks += 1;
      state =
        decision.action === 'AWAIT_APPROVAL'
          ? decide(plan, decision.state, evidenceOf(watch, plan), now, { kind: 'APPROVE' }).state
          : decision.state;
    }
  }
  return { status: state.status, answers, looks };
}

const seeds = (count: number, from: number): number[] => Array.from({ length: count }, (_, i) => from + i * 7_919);

const rows: { what: string; runs: number; result: string; target: string; met: string }[] = [];
function tell(what: string, runs: number, result: string, target: string, met: boolean | null): void {
  rows.push({ what, runs, result, target, met: met === null ? '' : met ? 'yes' : 'no' });
  console.log(`${what}: ${result} (${target})`);
}

for (const base of [0.8, 0.9]) {
  const rides = seeds(PEERS / 2, 11).map((seed) =>
    ride(watching(0), { candidate: base, control: base, others: base }, seed, LOOKS),
  );
  const stopped = rides.filter(({ status }) => status === 'ROLLED_BACK').length / rides.length;
  tell(
    `equal rollouts at ${base} stopped, a look after each answer until the candidate gave ${LOOKS}`,
    rides.length,
    percent(stopped),
    '<= 5 %',
    stopped <= 0.05,
  );
}

{
  const rides = seeds(RUNS, 61).map((seed) =>
    ride(watching(0), { candidate: 0.8, control: 0.8, others: 0.9 }, seed, LOOKS, { asks: 10, spread: 0.2 }),
  );
  const stopped = rides.filter(({ status }) => status === 'ROLLED_BACK').length / rides.length;
  tell(
    'equal rollouts stopped whose units ask ten times and differ by 40 points',
    ...([RUNS, percent(stopped), '<= 5 %', stopped <= 0.05] as const),
  );
}

const EXPERIMENT: ExperimentPlan = {
  arms: ['production', 'new'],
  control: 0,
  alpha: 0.05,
  ends: false,
  final: false,
  metrics: [{ name: 'right', kind: 'RATE', better: 'HIGHER', margin: 0, primary: true }],
};

/** Reads an experiment after every answer. @returns who was named and after how many answers, or null */
function experiment(
  rates: readonly [number, number],
  seed: number,
  most: number,
): { arm: string; answers: number } | null {
  const random = seededRandom(seed);
  const test: Test = { key: `experiment-${seed}`, arms: EXPERIMENT.arms, ranges: bucketRanges(2, 1, null) };
  const seen = EXPERIMENT.arms.map(() => ({ n: 0, good: 0 }));
  for (let unit = 1; unit <= most; unit++) {
    const { index } = assign(test, `unit-${unit}`)!;
    seen[index]!.n += 1;
    seen[index]!.good += Number(random() < rates[index]!);
    const measured = Object.fromEntries(
      seen.map(({ n, good }, i) => [EXPERIMENT.arms[i]!, { right: rateOf(n, good) }]),
    );
    if (glance(EXPERIMENT, measured).verdict === 'WINNER') {
      const { arm } = conclude(EXPERIMENT, measured);
      return { arm: arm!, answers: unit };
    }
  }
  return null;
}

{
  const stopped = seeds(PEERS, 5).filter((seed) => experiment([0.8, 0.8], seed, LOOKS) !== null).length / PEERS;
  tell(
    `equal experiments at 0.8 with a winner, ${LOOKS} looks each`,
    PEERS,
    percent(stopped),
    '<= 5 %',
    stopped <= 0.05,
  );
}

interface Worse {
  control: number;
  candidate: number;
  margin: number;
  controls: number;
  most: number | null;
}
const worse: Worse[] = [
  { control: 0.8, candidate: 0.6, margin: 0, controls: 9, most: 70 },
  { control: 0.9, candidate: 0.7, margin: 0, controls: 9, most: 70 },
  { control: 0.8, candidate: 0.7, margin: 0, controls: 9, most: 240 },
  { control: 0.9, candidate: 0.8, margin: 0, controls: 9, most: 240 },
  { control: 0.8, candidate: 0.6, margin: 0, controls: 4, most: null },
  { control: 0.9, candidate: 0.8, margin: 0, controls: 4, most: null },
  { control: 0.8, candidate: 0.6, margin: 0.02, controls: 9, most: null },
  { control: 0.9, candidate: 0.8, margin: 0.02, controls: 9, most: null },
];
for (const { control, candidate, margin, controls, most } of worse) {
  const rides = seeds(RUNS, 101).map((seed) =>
    ride(watching(margin, controls), { candidate, control, others: 0.9 }, seed, 4_000),
  );
  const taken = rides.map(({ status, answers }) => (status === 'ROLLED_BACK' ? answers : Infinity));
  const [half, ninety] = [median(taken), quantile(taken, 0.9)];
  tell(
    `${control} -> ${candidate}, ${controls} controls, margin ${margin}: answers until back, median / 90th percentile`,
    RUNS,
    `${half} / ${ninety}`,
    most === null ? 'none' : `<= ${most} / <= ${2.5 * most}`,
    most === null ? null : half <= most && ninety <= 2.5 * most,
  );
}

{
  const standard: RolloutPlan = { ...watching(0), steps: STANDARD_STEPS };
  const rides = seeds(WHOLE, 7).map((seed) =>
    ride(standard, { candidate: 0.85, control: 0.85, others: 0.9 }, seed, 20_000),
  );
  const all = rides.filter(({ status }) => status === 'COMPLETED').length / WHOLE;
  tell('an equally good candidate goes all the way', WHOLE, percent(all), '>= 95 %', all >= 0.95);
}

{
  const swapped = seeds(RUNS, 31).map((seed) =>
    ride(watching(0), { candidate: 0.8, control: 0.6, others: 0.9 }, seed, 500),
  );
  const stopped = swapped.filter(({ status }) => status === 'ROLLED_BACK').length / RUNS;
  tell('arms swapped: better candidates taken back for 20 points', RUNS, percent(stopped), '<= 5 %', stopped <= 0.05);
  const named = seeds(RUNS, 41).flatMap((seed) => [
    { best: 'new', found: experiment([0.7, 0.85], seed, 4_000) },
    { best: 'production', found: experiment([0.85, 0.7], seed, 4_000) },
  ]);
  const loser = named.filter(({ best, found }) => found !== null && found.arm !== best).length;
  const winner = named.filter(({ best, found }) => found?.arm === best);
  tell(
    'experiments with a planted loser of 15 points, on either side: winner named / loser named',
    named.length,
    `${percent(winner.length / named.length)} / ${percent(loser / named.length)}`,
    '>= 95 % / <= 5 %',
    winner.length / named.length >= 0.95 && loser / named.length <= 0.05,
  );
  tell(
    'answers of both arms until the winner is named, median',
    winner.length,
    `${median(winner.map(({ found }) => found!.answers))}`,
    'none',
    null,
  );
}

{
  const test = rolloutTest('rollout', 0.1, 9);
  const units = Array.from(
    { length: 200_000 },
    (_, i) => `a1b2c3d4e5f60718293a4b5c6d7e8f901234567890abcdef1234567890${i}`,
  );
  const began = performance.now();
  for (const unit of units) assign(test, unit);
  const each = (performance.now() - began) / units.length;
  tell('an assignment', units.length, `${(1_000 * each).toFixed(2)} µs`, '< 200 µs', each < 0.2);
}

{
  const began = process.cpuUsage();
  const { looks } = ride(watching(0), { candidate: 0.9, control: 0.9, others: 0.9 }, 4, 10_000);
  const { user, system } = process.cpuUsage(began);
  const each = (user + system) / looks;
  // A million answers in a day are 11.6 a second; 1 % of a core gives each 864 µs.
  tell(
    'taking and looking at an answer, 4 guardrails',
    looks,
    `${each.toFixed(1)} µs`,
    '< 864 µs: 1 % of a core at a million a day',
    each < 864,
  );
}

printResult('delivery', { machine: describeMachine(), rows });
