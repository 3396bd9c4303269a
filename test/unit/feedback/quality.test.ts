import { qualityOf, scopeOf, type DrawnClass } from '../../../src/learn/feedback/quality/quality.js';

/** Drawn answers, in their order: right (1), wrong (0), of which nobody can tell (null), or not reviewed (undefined). */
const drawn = (...said: (1 | 0 | null | undefined)[]): DrawnClass['drawn'] =>
  said.map((right, i) => ({ number: i / 1_000, predicted: 0.8, reviewed: right !== undefined, right: right ?? null }));

const ofClass = (answers: number, ...said: Parameters<typeof drawn>): DrawnClass => ({
  drawnFrom: said.length > 0,
  answers,
  sum: 0.8 * answers,
  sumSquares: 0.64 * answers,
  drawn: drawn(...said),
});
const right = (count: number): 1[] => Array.from({ length: count }, () => 1);
const wrong = (count: number): 0[] => Array.from({ length: count }, () => 0);

describe('the quality of production', () => {
  it('is unknown before ten answers are reviewed, and says how many are wanted', () => {
    expect(qualityOf([])).toMatchObject({ share: null, reviewed: 0, wanted: 10, answers: 0, others: 0 });
    expect(qualityOf([ofClass(100, ...right(7), undefined, undefined)])).toMatchObject({
      share: null,
      low: null,
      high: null,
      reviewed: 7,
      waiting: 2,
      wanted: 3,
      answers: 0,
      others: 100,
    });
  });

  it('counts reviews in the order of the draw, so that what was reviewed first for another reason weighs no more', () => {
    const quality = qualityOf([ofClass(500, ...right(9), null, 1, undefined, ...wrong(20))]);
    expect(quality).toMatchObject({ reviewed: 10, waiting: 1, answers: 500, wanted: 0 });
    expect(quality.share).toBe(1);
  });

  it('weighs answers by how many each stands for, and leaves out those that nothing was drawn from', () => {
    const { share, low, high, ...rest } = qualityOf([
      ofClass(3_000, ...right(20)),
      ofClass(1_000, ...wrong(20)),
      ofClass(70),
    ]);
    expect(share).toBeCloseTo(0.75, 9);
    expect(low! < 0.7 && high! > 0.8).toBe(true);
    expect(rest).toEqual({ reviewed: 40, waiting: 0, wanted: 0, answers: 4_000, others: 70 });
  });

  it('leaves out a draw until ten of it are reviewed or all are', () => {
    const before = ofClass(3_000, ...right(20));
    expect(qualityOf([before, ofClass(900, ...wrong(9), undefined)])).toMatchObject({ reviewed: 20, others: 900 });
    expect(qualityOf([before, ofClass(900, ...wrong(9))])).toMatchObject({ reviewed: 29, answers: 3_900 });
  });

  it('is asked of a time that goes forwards, 366 days at most, by default the last 30', () => {
    const day = (number: number) => new Date(Date.UTC(2026, 0, number));
    const scope = (from: Date | null, to: Date) => scopeOf({ adapterVersionId: null, from, to }, 'to');
    expect(scope(null, day(31)).from).toEqual(day(1));
    expect(() => scope(day(2), day(2))).toThrow('to must be later than from.');
    expect(() => scope(day(1), day(400))).toThrow('366 days');
  });
});
