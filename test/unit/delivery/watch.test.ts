import { assign, rolloutTest } from '../../../src/ship/delivery/assignment/index.js';
import { decide, hasEnded, startRollout } from '../../../src/ship/delivery/rollouts/decide.js';
import { NO_TRAFFIC_MINUTES, type RolloutPlan } from '../../../src/ship/delivery/rollouts/plan.js';
import {
  drawn,
  enterStep,
  evidenceOf,
  record,
  recordLate,
  startWatch,
  type Watch,
} from '../../../src/ship/delivery/rollouts/watch.js';
import { seededRandom } from '../../../src/kernel/random.js';

const plan: RolloutPlan = {
  steps: [0.05, 0.1, 0.5].map((share) => ({
    share,
    controls: 9,
    leastAnswers: 50,
    leastMinutes: 0,
    approval: false,
  })),
  alpha: 0.05,
  guardrails: [
    { name: 'right', margin: 0 },
    { name: 'quick', margin: 0.05 },
  ],
  noTrafficMinutes: NO_TRAFFIC_MINUTES,
};

interface World {
  right: { CANDIDATE: number; CONTROL: number };
  /** Geometric mean, ms. */
  latency: { CANDIDATE: number; CONTROL: number };
  /** Share of the candidate's answers that are lost. */
  lost?: number;
  /** Kills and resumes after so many answers. */
  killedEvery?: number;
}

const SLOW_MS = 600;

/** Takes units through a rollout until it ends or `most` have asked. */
function ride(world: World, seed: number, most = 40_000) {
  const random = seededRandom(seed);
  let watch = startWatch(plan);
  let state = startRollout(0);
  for (let now = 1; now <= most && !hasEnded(state); now++) {
    const { share, controls } = plan.steps[state.step]!;
    const drawn = assign(rolloutTest(`rollout-${seed}`, share, controls), `unit-${now}`);
    if (!drawn) continue;
    const arm = drawn.arm as 'CANDIDATE' | 'CONTROL';
    const right = random() < world.right[arm];
    const quick = world.latency[arm] * Math.exp(0.5 * (random() + random() + random() - 1.5)) < SLOW_MS;
    if (arm === 'CANDIDATE' && random() < (world.lost ?? 0)) continue;
    if (state.step !== watch.step) enterStep(watch, plan, state.step);
    record(watch, plan, { step: state.step, arm, at: now, measures: { right, quick } });
    if (world.killedEvery && now % world.killedEvery === 0) watch = JSON.parse(JSON.stringify(watch)) as Watch;
    state = decide(plan, state, evidenceOf(watch, plan), now).state;
  }
  return { state, evidence: evidenceOf(watch, plan), watch };
}

const SAME: World = { right: { CANDIDATE: 0.9, CONTROL: 0.9 }, latency: { CANDIDATE: 300, CONTROL: 300 } };
const seeds = [1, 2, 3, 4, 5];

describe('a watched rollout', () => {
  it('takes an equally good candidate all the way', () => {
    for (const seed of seeds) expect(ride(SAME, seed).state.status).toBe('COMPLETED');
  });

  it('takes a candidate back that is wrong more often, and one that is right but ten times slower', () => {
    for (const seed of seeds) {
      const wrong = ride({ ...SAME, right: { CANDIDATE: 0.6, CONTROL: 0.9 } }, seed);
      expect(wrong.state.status).toBe('ROLLED_BACK');
      expect(wrong.evidence.measures['right']!.candidate.answers).toBeLessThan(150);
      const slow = ride({ ...SAME, latency: { CANDIDATE: 3_000, CONTROL: 300 } }, seed);
      expect(slow.state.status).toBe('ROLLED_BACK');
      expect(slow.evidence.measures['quick']!.candidate.answers).toBeLessThan(60);
    }
  });

  it('takes a planted loser back and lets it through as the control: the arms are not swapped', () => {
    for (const seed of seeds) {
      expect(ride({ ...SAME, right: { CANDIDATE: 0.7, CONTROL: 0.9 } }, seed).state.status).toBe('ROLLED_BACK');
      expect(ride({ ...SAME, right: { CANDIDATE: 0.9, CONTROL: 0.7 } }, seed).state.status).toBe('COMPLETED');
    }
  });

  it('holds where answers of the candidate are lost, because their figures can’t be trusted', () => {
    const { state, evidence } = ride({ ...SAME, lost: 0.5 }, 1, 20_000);
    expect(evidence.sampleRatio.logE).toBeGreaterThan(Math.log(1_000));
    expect(state.status).toBe('RUNNING');
  });

  it('tells where one arm’s answers are judged more often, also when their step was left, and not where both are judged rarely', () => {
    const guarded = { ...plan, guardrails: [{ name: 'FEEDBACK', margin: 0.05 }] };
    const judged = (share: { CANDIDATE: number; CONTROL: number }) => {
      const [watch, random] = [startWatch(guarded), seededRandom(3)];
      const arms = Array.from({ length: 4_000 }, () => (random() < drawn(guarded, 0)! ? 'CANDIDATE' : 'CONTROL'));
      arms.forEach((arm, at) => record(watch, guarded, { step: 0, arm, at, measures: {} }));
      enterStep(watch, guarded, 1);
      for (const arm of arms)
        if (random() < share[arm]) recordLate(watch, guarded, { step: 0, arm, measures: { FEEDBACK: random() < 0.8 } });
      return evidenceOf(watch, guarded).judgedRatio;
    };
    const [even, uneven] = [judged({ CANDIDATE: 0.05, CONTROL: 0.05 }), judged({ CANDIDATE: 0.4, CONTROL: 0.1 })];
    expect(even.logE).toBeLessThan(0);
    expect(uneven.logE).toBeGreaterThan(Math.log(1_000));
    expect(uneven.observed).toBeGreaterThan(2 * uneven.expected);
  });

  it('takes a candidate back that fails one user who comes back at every answer, unless the controls fail, too', () => {
    const guarded = { ...plan, guardrails: [{ name: 'FAILURE', margin: 0.01 }] };
    const decided = (answered: { CANDIDATE: boolean; CONTROL: boolean }) => {
      const watch = startWatch(guarded);
      for (let at = 0; at < 100; at++) {
        const arm = at % 10 === 0 ? 'CANDIDATE' : 'CONTROL';
        record(watch, guarded, { step: 0, arm, at, newUnit: at < 10, measures: { FAILURE: answered[arm] } });
      }
      return decide(guarded, startRollout(0), evidenceOf(watch, guarded), 100);
    };
    expect(decided({ CANDIDATE: false, CONTROL: true })).toMatchObject({
      action: 'ROLL_BACK',
      reasons: [expect.stringMatching(/^FAILURE: all of the candidate’s newest answers/)],
    });
    expect(decided({ CANDIDATE: false, CONTROL: false }).action).toBe('HOLD');
    expect(decided({ CANDIDATE: true, CONTROL: true }).action).toBe('WAIT');
  });

  it('takes no candidate back when an outage of both arms ends, and the controls are given again before it', () => {
    const guarded = { ...plan, guardrails: [{ name: 'FAILURE', margin: 0.01 }] };
    const watch = startWatch(guarded);
    for (let at = 0; at < 210; at++) {
      const [arm, isOut] = [at % 10 === 0 ? 'CANDIDATE' : 'CONTROL', at > 99 && at <= 200] as const;
      record(watch, guarded, { step: 0, arm, at, newUnit: at < 10, measures: { FAILURE: !isOut } });
      const { action } = decide(guarded, startRollout(0), evidenceOf(watch, guarded), at);
      expect(['WAIT', 'HOLD']).toContain(action);
    }
  });

  it('decides the same with its state written down and read again after every seventh answer', () => {
    const bad = { ...SAME, right: { CANDIDATE: 0.75, CONTROL: 0.9 } };
    for (const seed of seeds) {
      const { state, watch } = ride(bad, seed);
      const killed = ride({ ...bad, killedEvery: 7 }, seed);
      expect([killed.state, killed.watch]).toEqual([state, watch]);
    }
  });

  it('compares an answer that was under way when its step was left with those of that step, and takes none without an outcome for one', () => {
    const watch = startWatch(plan);
    for (let i = 0; i < 9; i++) record(watch, plan, { step: 0, arm: 'CONTROL', at: 1, measures: { right: true } });
    enterStep(watch, plan, 1);
    record(watch, plan, { step: 1, arm: 'CANDIDATE', at: 2, measures: { right: null, quick: true } });
    record(watch, plan, { step: 1, arm: 'CANDIDATE', at: 2, measures: { right: false } });
    expect(evidenceOf(watch, plan)).toMatchObject({
      answers: { candidate: 2, control: 0 },
      measures: { right: { candidate: { answers: 1 } }, quick: { candidate: { answers: 1 } } },
    });
    const before = evidenceOf(watch, plan).measures['right']!.worse;
    record(watch, plan, { step: 0, arm: 'CANDIDATE', at: 3, measures: { right: false } });
    expect(evidenceOf(watch, plan).answers.candidate).toBe(2);
    expect(evidenceOf(watch, plan).measures['right']!.worse).toBeGreaterThan(before);
  });

  it('counts one answer a unit, though all of them are traffic', () => {
    const watch = startWatch(plan);
    for (const newUnit of [true, false, false])
      record(watch, plan, { step: 0, arm: 'CANDIDATE', at: 1, newUnit, measures: { right: false } });
    const { answers, measures } = evidenceOf(watch, plan);
    expect([answers.candidate, measures['right']!.candidate.answers]).toEqual([3, 1]);
  });

  it('takes feedback that comes later for what it says, and as no answer more', () => {
    const watch = startWatch(plan);
    for (let i = 0; i < 9; i++) record(watch, plan, { step: 0, arm: 'CONTROL', at: 1, measures: {} });
    record(watch, plan, { step: 0, arm: 'CANDIDATE', at: 1, measures: {} });
    for (let i = 0; i < 9; i++) recordLate(watch, plan, { step: 0, arm: 'CONTROL', measures: { right: true } });
    recordLate(watch, plan, { step: 0, arm: 'CANDIDATE', measures: { right: false } });
    const { answers, measures } = evidenceOf(watch, plan);
    expect(answers).toEqual({ candidate: 1, control: 9 });
    expect(measures['right']).toMatchObject({ candidate: { answers: 1, value: 0 }, control: { answers: 9, value: 1 } });
    expect(measures['right']!.worse).toBeGreaterThan(0);
  });
});
