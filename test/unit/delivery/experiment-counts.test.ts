import fc from 'fast-check';
import { assign } from '../../../src/ship/delivery/assignment/index.js';
import { count, type BatchEffects } from '../../../src/ship/delivery/experiments/count.js';
import { activeArms, testOf, type ExperimentState } from '../../../src/ship/delivery/experiments/experiment.js';
import { concluded, futilityOf, look, sampleRatioSays } from '../../../src/ship/delivery/experiments/look.js';
import type { ExperimentOutcome } from '../../../src/ship/delivery/experiments/metrics.js';
import {
  settingsOf,
  type ExperimentSettingsRequest as ExperimentSettingsWish,
} from '../../../src/ship/delivery/experiments/settings.js';
import { emptyArms, emptyState, measuredOf, plainMoments } from '../../../src/ship/delivery/experiments/tally.js';
import type { StandingFeedback } from '../../../src/ship/delivery/late-feedback.js';
import { seededRandom } from '../../../src/kernel/random.js';
import { momentsOf } from '../../../src/prove/index.js';

const settings = (over: Partial<ExperimentSettingsWish> = {}) =>
  settingsOf({ arms: [{ name: 'old' }, { name: 'new' }], metrics: [{ metric: 'LATENCY' }], ...over }, null);
const begun = (plan = settings()): ExperimentState => emptyState(plan, { before: false });
const outcome = (over: Partial<ExperimentOutcome> = {}): ExperimentOutcome => ({
  sequence: 1n,
  arm: 'old',
  stage: 0,
  status: 'COMPLETE',
  abstained: false,
  latencyMs: 100,
  confidence: null,
  tokens: null,
  unitHash: null,
  ...over,
});
const nothing = (): BatchEffects => ({ units: new Map(), feedback: new Map() });

describe('what an experiment counts', () => {
  it('lets an arm answer whatever it is called', () => {
    const plan = settings({ arms: [{ name: 'old' }, { name: 'constructor' }] });
    const answering = (stopped: Record<string, string>) => activeArms(plan, { stopped }).map(({ name }) => name);
    expect(answering({})).toEqual(['old', 'constructor']);
    expect(answering({ ['constructor']: 'It is gone.' })).toEqual(['old']);
  });

  it('is the moments of the values, of times those of their logarithms, whatever they are and in whichever batches they come', () => {
    const latencies = fc.array(fc.double({ min: 0, max: 1e5, noNaN: true }), { maxLength: 60 });
    fc.assert(
      fc.property(latencies, fc.integer({ min: 1, max: 7 }), (values, size) => {
        const [plan, state] = [settings(), begun()];
        const all = values.map((latencyMs) => outcome({ latencyMs }));
        for (let i = 0; i < all.length; i += size)
          count(plan, state, 0, { outcomes: all.slice(i, i + size), said: [] }, nothing());
        const { n, mean, variance } = plainMoments(state.arms['old'], 'LATENCY');
        const exact = momentsOf(values.map((value) => Math.log(Math.max(1, value))));
        expect(n).toBe(exact.n);
        expect(mean).toBeCloseTo(exact.mean, 4);
        expect(Math.abs(variance - exact.variance)).toBeLessThanOrEqual(1e-6 * (1 + exact.variance) + 1e-2);
      }),
    );
  });

  it('is the share of answers beyond a limit where the plan names one, and says so', () => {
    const metrics = [{ metric: 'LATENCY' as const, beyond: 2_000 }];
    const plan = settings({ metrics, plannedSize: 400 });
    const state = begun(plan);
    const outcomes = Array.from({ length: 400 }, (_, i) =>
      outcome({ arm: i % 2 ? 'new' : 'old', latencyMs: i % 2 && i % 4 === 3 ? 9_000 : 2_000 }),
    );
    count(plan, state, 0, { outcomes, said: [] }, nothing());
    expect(plainMoments(state.arms['old'], 'LATENCY')).toMatchObject({ n: 200, mean: 0 });
    expect(plainMoments(state.arms['new'], 'LATENCY')).toMatchObject({ n: 200, mean: 0.5 });
    const { verdict, winner, decisions } = look(plan, state, 1);
    expect([verdict, winner]).toEqual(['WINNER', 'old']);
    expect(decisions[0]!.reasons[0]).toContain('LATENCY beyond 2000: 50 % of 200 answers of new against 0 % of 200');
    expect(() => settings({ metrics: [{ metric: 'FAILURE', beyond: 0.5 }] })).toThrow(
      'FAILURE is a share of answers already',
    );
    expect(() => settings({ metrics: [{ metric: 'LATENCY', beyond: 0 }] })).toThrow('above 0');
    expect(() => settings({ metrics: [{ metric: 'LATENCY', beyond: 900, margin: 20 }] })).toThrow('below 1');
  });

  it('takes one outcome of a unit', () => {
    const plan = settings();
    const [state, touched] = [begun(plan), nothing()];
    const outcomes = [1n, 2n, 3n].map((sequence) => outcome({ sequence, unitHash: 'u' }));
    count(plan, state, 0, { outcomes, said: [] }, touched);
    expect(state.arms['old']!.metrics['LATENCY']!.all.n).toBe(1);
    expect([state.units, state.arms['old']!.answers]).toEqual([1, 3]);
  });

  it('adjusts shares by how each unit was before, of answers and of what was said of them, and takes back what is withdrawn', () => {
    const plan = settings({
      metrics: [{ metric: 'FEEDBACK', primary: true }, { metric: 'ABSTENTION' }],
      sticky: true,
      beforeAnswers: 800,
    });
    const touched = nothing();
    const random = seededRandom(5);
    // Half of the units find nine of ten answers right, the others one of ten.
    const units = Array.from({ length: 400 }, (_, i) => ({ unitHash: `unit ${i}`, likes: i % 2 === 0 ? 0.9 : 0.1 }));
    const armOf = (i: number) => (i % 4 < 2 ? 'old' : 'new');
    const asked = (stage: number, gain: number, state: ExperimentState): StandingFeedback[] => {
      const rows = units.map(({ unitHash, likes }, i) => {
        const opinion = random() < likes + (armOf(i) === 'new' ? gain : 0);
        return {
          sequence: BigInt(i),
          answerId: `${stage} ${i} ${random()}`,
          arm: armOf(i),
          stage,
          unitHash,
          opinion,
          expected: null,
        };
      });
      const outcomes = rows.map(({ arm, unitHash, opinion }) => outcome({ arm, unitHash, stage, abstained: !opinion }));
      count(plan, state, stage, { outcomes, said: rows }, touched);
      return rows;
    };
    const before = emptyState(plan, { before: true });
    asked(0, 0, before);
    asked(0, 0, before);
    const state = begun(plan);
    const said = asked(1, 0.1, state);
    for (const metric of ['FEEDBACK', 'ABSTENTION'] as const) {
      const [plain, measured] = [plainMoments(state.arms['new'], metric), measuredOf(plan, state)['new']![metric]!];
      expect(measured.variance).toBeLessThan(0.7 * plain.variance);
      expect(measured.mean).toBeCloseTo(plain.mean, 1);
      const { low, high } = concluded(plan, state, true).comparisons.find((each) => each.metric === metric)!;
      const unadjusted = { ...plan, beforeAnswers: 0 };
      const wider = concluded(unadjusted, state, true).comparisons.find((each) => each.metric === metric)!;
      expect(high - low).toBeLessThan(0.85 * (wider.high - wider.low));
    }
    count(plan, state, 1, { outcomes: [], said: said.map((each) => ({ ...each, opinion: null })) }, touched);
    const { all, known } = state.arms['new']!.metrics['FEEDBACK']!;
    for (const sum of Object.values({ ...all, ...known })) expect(sum).toBeCloseTo(0, 9);
  });

  it('leaves out answers of other phases, of arms that were stopped, and of readers that left', () => {
    const [plan, state] = [settings({ metrics: [{ metric: 'FAILURE' }] }), begun()];
    state.arms = emptyArms(plan);
    state.stopped = { new: 'gone' };
    const outcomes = [
      outcome({ stage: 1 }),
      outcome({ arm: 'new' }),
      outcome({ status: 'CANCELLED' }),
      outcome({ status: 'FAILED' }),
      outcome(),
    ];
    count(plan, state, 0, { outcomes, said: [] }, nothing());
    expect(state.arms['old']!.metrics['FAILURE']!.all).toEqual({ n: 2, sum: 1, sumSquares: 1 });
    expect(state.arms['new']!.answers).toBe(0);
  });

  it('says by conditional power that going on is futile, and tells it once', () => {
    const plan = settings({ metrics: [{ metric: 'ABSTENTION' }], plannedSize: 2_000, effect: 0.1 });
    const state = begun(plan);
    const outcomes = Array.from({ length: 1_600 }, (_, i) =>
      outcome({ arm: i % 2 ? 'new' : 'old', abstained: i % 5 < 1 }),
    );
    count(plan, state, 0, { outcomes, said: [] }, nothing());
    expect(futilityOf(plan, state)!).toBeLessThan(0.1);
    const first = look(plan, state, 0);
    expect(first.decisions.map(({ action }) => action)).toEqual(['WARN']);
    expect(first.decisions[0]!.reasons[0]).toMatch(/going on is futile/);
    expect(look(plan, state, 0).decisions).toEqual([]);
  });

  it('is judged by its planned end only where it may end: who paused it looks at what holds at any time', () => {
    const plan = settings({ metrics: [{ metric: 'ABSTENTION' }], plannedSize: 200 });
    const state = begun(plan);
    // 57 against 43 of 100: a fixed interval tells them apart, a sequence doesn’t yet.
    const outcomes = Array.from({ length: 200 }, (_, i) =>
      outcome({ arm: i % 2 ? 'new' : 'old', abstained: i % 2 ? i < 86 : i < 116 }),
    );
    count(plan, state, 0, { outcomes, said: [] }, nothing());
    expect(look(plan, structuredClone(state), 0, { mayEnd: false })).toMatchObject({
      final: false,
      verdict: 'INCONCLUSIVE',
      winner: null,
    });
    const ended = look(plan, state, 0);
    expect(ended).toMatchObject({ final: true, verdict: 'WINNER', winner: 'new' });
    const found = ended.decisions.find(({ action }) => action === 'FIND');
    expect(found!.reasons[0]).not.toMatch(/^Inconclusive/);
  });

  it('says of units that fell otherwise than drawn what was due to the arms that still draw', () => {
    const names = ['a', 'b', 'c'];
    const plan = settings({ arms: names.map((name) => ({ name })) });
    const state = begun(plan);
    names.forEach((name) => (state.arms[name]!.units = name === 'c' ? 100 : 300));
    Object.assign(state, { units: 700, stopped: { c: 'gone' } });
    expect(sampleRatioSays(plan, state)).toBe(
      'Of 600 units a has 300 where 300 were due, b has 300 where 300 were due. Look for answers that are lost in one arm before you believe any figure.',
    );
  });

  it('warns once where one arm’s answers are judged more often', () => {
    const plan = settings({ metrics: [{ metric: 'FEEDBACK' }] });
    const judged = (old: number, fresh: number): (string | undefined)[] => {
      const state = begun(plan);
      for (const [arm, n] of Object.entries({ old, new: fresh }))
        Object.assign(state.arms[arm]!.metrics['FEEDBACK']!.all, { n });
      return [0, 1].map(() => look(plan, state, 0).decisions.find(({ action }) => action === 'WARN')?.reasons[0]);
    };
    expect(judged(210, 190)).toEqual([undefined, undefined]);
    expect(judged(300, 100)).toEqual([expect.stringContaining('FEEDBACK compare unlike answers'), undefined]);
  });

  it('takes points of its plot ever further apart', () => {
    const [plan, state] = [settings(), begun()];
    let points = 0;
    for (let i = 0; i < 20_000; i++) {
      state.arms['old']!.answers += 1;
      if (look(plan, state, 0).point !== null) points += 1;
    }
    expect(points).toBeGreaterThan(50);
    expect(points).toBeLessThan(150);
  });

  it('draws into arms with the weights of the plan', () => {
    const plan = settings({
      arms: [
        { name: 'a', weight: 0.2 },
        { name: 'b', weight: 0.8 },
      ],
      coverage: 0.5,
    });
    const test = testOf('x', plan, begun(plan));
    const counts = { a: 0, b: 0, none: 0 };
    for (let i = 0; i < 20_000; i++) counts[(assign(test, `unit ${i}`)?.arm ?? 'none') as keyof typeof counts] += 1;
    expect(counts.a / 20_000).toBeCloseTo(0.1, 2);
    expect(counts.b / 20_000).toBeCloseTo(0.4, 2);
  });
});
