import fc from 'fast-check';
import {
  logE,
  observeRate,
  powerOf,
  startTwoRates,
  type TwoRates,
  type TwoRatesOptions,
} from '../../../src/kernel/statistics/sequential/two-rates.js';
import { seededRandom } from '../../../src/kernel/random.js';

const WORSE = { margin: 0, drawn: 0.1 } as const satisfies TwoRatesOptions;

/** Answers of the candidate, whose arm is drawn at each, until the e-value has reached 1/alpha, or null if it doesn't. */
function stopsAt(
  {
    candidate,
    control,
    most = 500,
    alpha = 0.05,
  }: { candidate: number; control: number; most?: number; alpha?: number },
  options: TwoRatesOptions,
  seed: number,
): number | null {
  const random = seededRandom(seed);
  const state = startTwoRates();
  while (state.candidate.answers < most) {
    const arm = random() < options.drawn ? 'candidate' : 'control';
    observeRate(state, arm, random() < (arm === 'candidate' ? candidate : control), options);
    if (state.peak >= -Math.log(alpha)) return state.candidate.answers;
  }
  return null;
}

const median = (values: (number | null)[]): number =>
  values.map((value) => value ?? Infinity).sort((a, b) => a - b)[values.length >> 1]!;
const runs = (count: number, stop: (seed: number) => number | null) =>
  Array.from({ length: count }, (_, i) => stop(i * 7_919 + 17));

/** Expectation of e after the next answer over e before it, under given rates, of the capital that bets on one effect. */
function expectedFactor(
  before: TwoRates,
  rates: { candidate: number; control: number },
  options: TwoRatesOptions,
): number {
  let expectation = 0;
  for (const arm of ['candidate', 'control'] as const)
    for (const good of [true, false]) {
      const drawn = arm === 'candidate' ? options.drawn : 1 - options.drawn;
      const after = observeRate(structuredClone(before), arm, good, options);
      const factor = Math.exp(logE(after) - logE(before));
      expectation += drawn * (good ? rates[arm] : 1 - rates[arm]) * factor;
    }
  return expectation;
}

describe('evidence that a rate is worse', () => {
  it('is an e-process, exactly: an answer is worth 1 at most in expectation, wherever in the null the rates are and whatever was seen', () => {
    const rate = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        rate,
        rate,
        fc.constantFrom(0, 0.02, 0.1),
        fc.constantFrom(0.1, 0.4, 0.9),
        fc.array(fc.boolean(), { maxLength: 30 }),
        (one, other, margin, drawn, seen) => {
          const options = { margin, drawn };
          const before = startTwoRates();
          seen.forEach((good, i) => observeRate(before, i % 4 === 0 ? 'candidate' : 'control', good, options));
          // The null's half of the square, its edge included.
          const [low, high] = [Math.min(one, other), Math.max(one, other)];
          const rates = { candidate: Math.max(low, high - margin), control: high };
          expect(expectedFactor(before, rates, options)).toBeLessThanOrEqual(1 + 1e-9);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('grows without bound where the candidate is worse and says so in few answers', () => {
    const at = (candidate: number, control: number) =>
      median(runs(60, (seed) => stopsAt({ candidate, control, alpha: 0.0125 }, WORSE, seed)));
    expect(at(0.6, 0.8)).toBeLessThanOrEqual(70);
    expect(at(0.8, 0.9)).toBeLessThanOrEqual(240);
  });

  it('stops at most 5 % of equal pairs though it is read after each answer until the candidate gave 300', () => {
    for (const rate of [0.8, 0.95]) {
      const stopped = runs(60, (seed) => stopsAt({ candidate: rate, control: rate, most: 300 }, WORSE, seed)).filter(
        Boolean,
      );
      expect(stopped.length).toBeLessThanOrEqual(4);
    }
  });

  it('doesn’t stop a candidate for being worse within the margin, nor for being better', () => {
    const within = runs(60, (seed) => stopsAt({ candidate: 0.86, control: 0.9 }, { ...WORSE, margin: 0.05 }, seed));
    expect(within.filter(Boolean).length).toBeLessThanOrEqual(3);
    const better = runs(60, (seed) => stopsAt({ candidate: 0.9, control: 0.7 }, WORSE, seed));
    expect(better.filter(Boolean)).toEqual([]);
  });

  it('never mistakes which arm is worse: a planted loser stops it, the same answers with the arms swapped don’t', () => {
    expect(stopsAt({ candidate: 0.6, control: 0.8 }, { ...WORSE, drawn: 0.5 }, 1)).not.toBeNull();
    expect(stopsAt({ candidate: 0.8, control: 0.6 }, { ...WORSE, drawn: 0.5 }, 1)).toBeNull();
  });

  it('learns nothing of days and nights that befall both arms, whatever share is drawn', () => {
    for (const drawn of [0.3, 0.4, 0.6]) {
      const options = { ...WORSE, drawn };
      const crossed = runs(60, (seed) => {
        const random = seededRandom(seed);
        const state = startTwoRates();
        for (let n = 0; n < 4_000; n++) {
          const rate = n % 400 < 200 ? 0.95 : 0.6;
          observeRate(state, random() < drawn ? 'candidate' : 'control', random() < rate, options);
        }
        return state.peak >= Math.log(20) ? 1 : null;
      });
      expect(crossed.filter(Boolean).length).toBeLessThanOrEqual(3);
    }
  });

  it('stops no equal candidate because its answers are judged more seldom, though days and nights differ', () => {
    const crossed = runs(60, (seed) => {
      const random = seededRandom(seed);
      const state = startTwoRates();
      for (let n = 0; n < 8_000; n++) {
        const arm = random() < 0.1 ? 'candidate' : 'control';
        const right = random() < (n % 1_120 < 160 ? 0.35 : 0.85);
        if (random() < (arm === 'candidate' ? 0.2 : 0.4)) observeRate(state, arm, right, { ...WORSE, selected: true });
      }
      return state.peak >= Math.log(20) ? 1 : null;
    });
    expect(crossed.filter(Boolean).length).toBeLessThanOrEqual(3);
  });

  it('sees a failure after 1,000 good answers about as fast as at first', () => {
    const until = (good: number) =>
      median(
        runs(40, (seed) => {
          const random = seededRandom(seed);
          const state = startTwoRates();
          while (state.candidate.answers < good + 400) {
            const arm = random() < 0.1 ? 'candidate' : 'control';
            const rate = arm === 'candidate' && state.candidate.answers >= good ? 0.7 : 0.98;
            observeRate(state, arm, random() < rate, WORSE);
            if (state.peak >= Math.log(80)) return state.candidate.answers - good;
          }
          return null;
        }),
      );
    expect(until(0)).toBeLessThanOrEqual(25);
    expect(until(1_000)).toBeLessThanOrEqual(50);
  });

  it('holds a candidate that answers without controls against the least rate: thousands of failures don’t pass', () => {
    const options = { ...WORSE, drawn: 0.9, least: 0.8 };
    const state = startTwoRates();
    for (let n = 0; n < 100 && state.peak < Math.log(100); n++) observeRate(state, 'candidate', false, options);
    expect(state.candidate.answers).toBeLessThan(70);
    const good = startTwoRates();
    const random = seededRandom(3);
    for (let n = 0; n < 5_000; n++) observeRate(good, 'candidate', random() < 0.9, options);
    expect(good.peak).toBeLessThan(Math.log(20));
  });

  it('says with which probability it would have found a loss by now, as simulation has it', () => {
    for (const [control, loss, candidates] of [
      [0.9, 0.1, 60],
      [0.9, 0.1, 150],
      [0.9, 0.2, 40],
      [0.8, 0.1, 300],
    ] as const) {
      const found = runs(100, (seed) =>
        stopsAt({ candidate: control - loss, control, most: candidates, alpha: 0.0125 }, WORSE, seed),
      );
      const power = powerOf(WORSE, { control, loss, answers: 10 * candidates, alpha: 0.0125 });
      expect(Math.abs(power - found.filter(Boolean).length / found.length)).toBeLessThan(0.12);
    }
    expect(powerOf(WORSE, { control: 0.9, loss: 0.1, answers: 0, alpha: 0.05 })).toBe(0);
  });

  it('stops no candidate that gave no bad answer, however many good ones of the control came between', () => {
    const state = startTwoRates();
    for (let i = 0; i < 100; i++) observeRate(state, 'control', true, WORSE);
    expect(logE(state)).toBeGreaterThan(-Math.log(0.05));
    observeRate(state, 'candidate', true, WORSE);
    expect(state.peak).toBe(0);
    observeRate(state, 'candidate', false, WORSE);
    expect(state.peak).toBe(logE(state));
  });

  it('keeps what it showed, and goes through JSON unchanged', () => {
    const state = startTwoRates();
    for (let i = 0; i < 300; i++) observeRate(state, i % 10 === 0 ? 'candidate' : 'control', i % 10 !== 0, WORSE);
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  });

  it('stays bounded and finite whatever comes: one arm alone, rates of 0 and 1, more candidates than controls', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.boolean()), { maxLength: 400 }),
        fc.constantFrom(0, 0.1, 0.5, 0.9, 1),
        fc.constantFrom(0, 0.3, 0.99),
        (answers, drawn, margin) => {
          const state = startTwoRates();
          for (const [candidate, good] of answers)
            observeRate(state, candidate ? 'candidate' : 'control', good, { margin, drawn });
          expect(Number.isFinite(logE(state))).toBe(true);
          const failed = state.candidate.good < state.candidate.answers;
          expect(state.peak).toBeGreaterThanOrEqual(failed ? Math.max(0, logE(state) - 1e-9) : 0);
        },
      ),
    );
  });
});
