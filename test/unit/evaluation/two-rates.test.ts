import fc from 'fast-check';
import {
  anytimeP,
  logE,
  observeRate,
  startTwoRates,
  type TwoRates,
  type TwoRatesOptions,
} from '../../../src/evaluation/statistics/sequential/two-rates.js';
import { seededRandom } from '../../../src/kernel/random.js';

const CONTROLS = 9;
const WORSE = { question: 'WORSE', margin: 0, controls: CONTROLS, stage: 0 } as const satisfies TwoRatesOptions;

/** Answers of the candidate until the e-value has reached 1/alpha, or null if it doesn't. */
function stopsAt(
  {
    candidate,
    control,
    most = 1_500,
    alpha = 0.05,
  }: { candidate: number; control: number; most?: number; alpha?: number },
  options: TwoRatesOptions,
  seed: number,
): number | null {
  const random = seededRandom(seed);
  const state = startTwoRates();
  for (let answer = 1; answer <= most; answer++) {
    for (let i = 0; i < options.controls; i++) observeRate(state, 'control', random() < control, options);
    observeRate(state, 'candidate', random() < candidate, options);
    if (state.peak >= -Math.log(alpha)) return answer;
  }
  return null;
}

const median = (values: (number | null)[]): number =>
  values.map((value) => value ?? Infinity).sort((a, b) => a - b)[values.length >> 1]!;
const runs = (count: number, stop: (seed: number) => number | null) =>
  Array.from({ length: count }, (_, i) => stop(i * 7_919 + 17));

/** Expectation of the next block's factor to e under given rates, over all outcomes of one candidate and m controls. */
function expectedFactor(
  before: TwoRates,
  rates: { candidate: number; control: number },
  options: TwoRatesOptions,
  effect: number,
): number {
  let expectation = 0;
  for (const good of [0, 1])
    for (let controls = 0; controls < 2 ** options.controls; controls++) {
      const state = structuredClone(before);
      let probability = good ? rates.candidate : 1 - rates.candidate;
      observeRate(state, 'candidate', good === 1, options);
      for (let i = 0; i < options.controls; i++) {
        const right = ((controls >> i) & 1) === 1;
        probability *= right ? rates.control : 1 - rates.control;
        observeRate(state, 'control', right, options);
      }
      expectation += probability * Math.exp(state.logs[effect]! - before.logs[effect]!);
    }
  return expectation;
}

describe('evidence that a rate is worse', () => {
  it('is an e-variable, exactly: a block is worth 1 at most in expectation, wherever in the null the rates are and whatever was seen', () => {
    const rate = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        rate,
        rate,
        fc.constantFrom(0, 0.02, 0.1),
        fc.constantFrom('WORSE' as const, 'NO_WORSE' as const),
        fc.array(fc.boolean(), { maxLength: 30 }),
        (one, other, margin, question, seen) => {
          const options = { question, margin, controls: 3, stage: 0 };
          const before = startTwoRates();
          seen.forEach((good, i) => observeRate(before, i % 4 === 0 ? 'candidate' : 'control', good, options));
          before.waiting = {};
          // Both halves of the null's square, its edge included.
          const [low, high] = [Math.min(one, other), Math.max(one, other)];
          const rates =
            question === 'WORSE'
              ? { candidate: Math.max(low, high - margin), control: high }
              : { candidate: Math.max(0, low - margin), control: Math.max(high, margin) };
          for (let effect = 0; effect < before.logs.length; effect++)
            expect(expectedFactor(before, rates, options, effect)).toBeLessThanOrEqual(1 + 1e-9);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('grows without bound where the candidate is worse and says so in few answers', () => {
    const at = (candidate: number, control: number) =>
      median(runs(200, (seed) => stopsAt({ candidate, control, alpha: 0.0125 }, WORSE, seed)));
    expect(at(0.6, 0.8)).toBeLessThanOrEqual(70);
    expect(at(0.8, 0.9)).toBeLessThanOrEqual(240);
  });

  it('stops at most 5 % of equal pairs though it is read after each of 1,500 answers', () => {
    for (const rate of [0.8, 0.95]) {
      const stopped = runs(100, (seed) => stopsAt({ candidate: rate, control: rate }, WORSE, seed)).filter(Boolean);
      // Of 100 at a true 5 %, more than 10 have a probability of one in a hundred; the seeds are fixed.
      expect(stopped.length).toBeLessThanOrEqual(5);
    }
  });

  it('doesn’t stop a candidate for being worse within the margin, nor for being better', () => {
    const within = runs(60, (seed) => stopsAt({ candidate: 0.86, control: 0.9 }, { ...WORSE, margin: 0.05 }, seed));
    expect(within.filter(Boolean).length).toBeLessThanOrEqual(3);
    const better = runs(60, (seed) => stopsAt({ candidate: 0.9, control: 0.7 }, WORSE, seed));
    expect(better.filter(Boolean)).toEqual([]);
  });

  it('never mistakes which arm is worse: a planted loser stops it, the same answers with the arms swapped don’t', () => {
    expect(stopsAt({ candidate: 0.6, control: 0.8 }, { ...WORSE, controls: 1 }, 1)).not.toBeNull();
    expect(stopsAt({ candidate: 0.8, control: 0.6 }, { ...WORSE, controls: 1 }, 1)).toBeNull();
  });

  it('shows that an equal candidate is no worse by five points, and never shows it of one that is worse by ten', () => {
    const options = { question: 'NO_WORSE', margin: 0.05, controls: CONTROLS, stage: 0 } as const;
    expect(
      median(runs(40, (seed) => stopsAt({ candidate: 0.9, control: 0.9, most: 3_000 }, options, seed))),
    ).toBeLessThan(600);
    expect(runs(40, (seed) => stopsAt({ candidate: 0.8, control: 0.9 }, options, seed)).filter(Boolean)).toEqual([]);
  });

  it('compares answers of one stage only, keeps what earlier stages showed, and goes through JSON unchanged', () => {
    const state = startTwoRates();
    for (let i = 0; i < 300; i++) observeRate(state, i % 10 === 0 ? 'candidate' : 'control', i % 10 !== 0, WORSE);
    observeRate(state, 'candidate', false, WORSE);
    const before = logE(state);
    expect(before).toBeGreaterThan(0);
    const copy = JSON.parse(JSON.stringify(state)) as TwoRates;
    expect(copy).toEqual(state);
    const next = { ...WORSE, stage: 1 };
    for (let i = 0; i < CONTROLS; i++) observeRate(copy, 'control', true, next);
    expect(logE(copy)).toBe(before);
    observeRate(copy, 'candidate', false, next);
    expect(logE(copy)).toBeGreaterThan(before);
    expect(anytimeP(copy)).toBeCloseTo(Math.exp(-copy.peak), 12);
  });

  it('stays bounded and finite whatever comes: one arm alone, rates of 0 and 1, more candidates than controls', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.boolean()), { maxLength: 400 }),
        fc.constantFrom(0, 1 / 3, 1, 3, 9),
        fc.constantFrom(0, 0.3, 0.99),
        fc.constantFrom('WORSE' as const, 'NO_WORSE' as const),
        (answers, controls, margin, question) => {
          const state = startTwoRates();
          for (const [candidate, good] of answers)
            observeRate(state, candidate ? 'candidate' : 'control', good, { question, margin, controls, stage: 0 });
          expect(Number.isFinite(logE(state))).toBe(true);
          expect(state.peak).toBeGreaterThanOrEqual(Math.max(0, logE(state)));
        },
      ),
    );
    const alone = startTwoRates();
    for (let i = 0; i < 5_000; i++) observeRate(alone, 'control', true, WORSE);
    expect(JSON.stringify(alone).length).toBeLessThan(2_000);
    expect(logE(alone)).toBe(0);
  });
});
