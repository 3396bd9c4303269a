import fc from 'fast-check';
import {
  assign,
  bucketRanges,
  CANDIDATE,
  CONTROL,
  hash,
  probabilityOf,
  rolloutRanges,
  rolloutTest,
  type Test,
} from '../../../src/ship/delivery/assignment/index.js';
import { chiSquared } from '../../../src/kernel/statistics.js';

const share = fc.double({ min: 0, max: 1, noNaN: true });
const controls = fc.double({ min: 4, max: 9, noNaN: true });
const unit = fc.string({ minLength: 1, maxLength: 40 });
const units = Array.from({ length: 20_000 }, (_, i) => `unit-${i}`);

describe('a rollout’s units', () => {
  it('never leave the candidate while its share is raised, and leave the controls only for it', () => {
    fc.assert(
      fc.property(share, share, controls, unit, (one, other, k, who) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        const before = assign(rolloutTest('rollout', low, k), who)?.arm;
        const after = assign(rolloutTest('rollout', high, k), who)?.arm;
        if (before === CANDIDATE) expect(after).toBe(CANDIDATE);
        if (before === CONTROL) expect([CONTROL, CANDIDATE]).toContain(after);
      }),
      { numRuns: 2_000 },
    );
  });

  it('have as many controls a candidate as asked for, or all of the rest, and no bucket twice', () => {
    fc.assert(
      fc.property(share, controls, (candidateShare, k) => {
        const { candidate, control, controls: real } = rolloutRanges(candidateShare, k);
        expect(candidate[1]).toBeLessThanOrEqual(control[0]);
        const wide = control[1] - control[0];
        expect(wide).toBeCloseTo(Math.min(k * candidateShare, 1 - candidateShare), 9);
        expect(real * candidateShare).toBeCloseTo(wide, 9);
      }),
    );
    expect(rolloutRanges(0.05, 9).controls).toBeCloseTo(9);
    expect(rolloutRanges(0.25, 9).controls).toBeCloseTo(3);
    expect(rolloutRanges(1, 9).control).toEqual([1, 1]);
  });

  it('keep their controls while the share grows and there are others to draw from', () => {
    const at = (candidateShare: number) =>
      new Set(units.filter((who) => assign(rolloutTest('r', candidateShare, 4), who)?.arm === CONTROL));
    const early = at(0.05);
    const later = at(0.1);
    expect([...early].filter((who) => !later.has(who))).toEqual([]);
    expect(later.size).toBeGreaterThan(early.size);
  });
});

describe('assignment', () => {
  const test: Test = { key: 'test', arms: ['a', 'b'], ranges: bucketRanges(2, 1, null) };

  it('gives the same arm however often and in whatever order it is asked', () => {
    const first = units.map((who) => assign(test, who)!.arm);
    const again = [...units].reverse().map((who) => assign(test, who)!.arm);
    expect(again.reverse()).toEqual(first);
  });

  it('raises the coverage without reassigning anybody', () => {
    fc.assert(
      fc.property(share, share, fc.integer({ min: 2, max: 6 }), unit, (one, other, arms, who) => {
        const names = Array.from({ length: arms }, (_, i) => `${i}`);
        const at = (coverage: number) =>
          assign({ key: 'k', arms: names, ranges: bucketRanges(arms, coverage, null) }, who);
        const before = at(Math.min(one, other));
        if (before) expect(at(Math.max(one, other))?.arm).toBe(before.arm);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is uniform: 20,000 units spread over 100 buckets as evenly as chance would', () => {
    const counts = new Array<number>(100).fill(0);
    for (const who of units) counts[Math.floor(hash('seed', who) * 100)]! += 1;
    expect(chiSquared(counts, new Array<number>(100).fill(1_000_000)).p).toBeGreaterThan(0.001);
  });

  it('is independent across seeds: where one test puts a unit says nothing about where the next does, even for seeds that are alike', () => {
    for (const [one, other] of [
      ['rollout-1', 'rollout-2'],
      ['a', 'b'],
      ['test', 'test '],
    ] as const) {
      const table = Array.from({ length: 10 }, () => new Array<number>(10).fill(0));
      for (const who of units) table[Math.floor(hash(one, who) * 10)]![Math.floor(hash(other, who) * 10)]! += 1;
      // Ten rows, each against the whole: the least p of ten stays above .001 / 10.
      for (const row of table) {
        const rest = row.map((_, column) => table.reduce((sum, each) => sum + each[column]!, 0));
        expect(chiSquared(row, rest).p).toBeGreaterThan(0.0001);
      }
    }
  });

  it('tells the probability with which the arm was drawn: the share of all 10,000 buckets that give it', () => {
    fc.assert(
      fc.property(share, share, (one, other) => {
        const range = [Math.min(one, other), Math.max(one, other)] as const;
        let inside = 0;
        for (let i = 0; i < 10_000; i++) if (i / 10_000 >= range[0] && i / 10_000 < range[1]) inside += 1;
        expect(probabilityOf(range)).toBe(inside / 10_000);
      }),
      { numRuns: 200 },
    );
    expect(
      assign(
        rolloutTest('r', 0.05, 9),
        units.find((who) => hash('r', who) < 0.05)!,
      )?.probability,
    ).toBe(0.05);
  });

  it('lets testers in by the name of an arm, and draws nobody for an arm that isn’t there', () => {
    expect(assign(test, 'who', 'b')).toMatchObject({ arm: 'b', forced: true, bucket: null });
    expect(assign(test, 'who', 'c')).toBeNull();
    expect(assign(test, 'who')).toMatchObject({ forced: false });
  });
});
