import fc from 'fast-check';
import { pool } from '../../../src/answer/ask/word/classify-by-rows.js';

const NAMES = ['a', 'b', 'c'];
const shares = fc
  .array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 })
  .map((weights) => weights.map((weight) => weight / weights.reduce((sum, each) => sum + each, 0)));
const labelled = (probabilities: readonly number[]) =>
  probabilities.map((probability, i) => ({ label: NAMES[i]!, probability }));

describe('what an adapter and the nearest rows say together', () => {
  it('is the adapter’s word where only that counts, and the rows’ where only they do', () => {
    fc.assert(
      fc.property(shares, shares, (adapter, rows) => {
        const both = (weights: { adapter: number; neighbours: number }) =>
          pool(NAMES, labelled(adapter), rows, { ...weights, rows: 9 });
        both({ adapter: 1, neighbours: 0 }).forEach((share, i) => expect(share).toBeCloseTo(adapter[i]!, 9));
        both({ adapter: 0, neighbours: 1 }).forEach((share, i) => expect(share).toBeCloseTo(rows[i]!, 9));
      }),
    );
  });

  it('is surer than either where they agree', () => {
    const [both] = pool(NAMES, labelled([0.6, 0.2, 0.2]), [0.6, 0.2, 0.2], { adapter: 1, neighbours: 1, rows: 9 });
    expect(both).toBeGreaterThan(0.6);
  });

  it('keeps a label possible that the adapter never learned', () => {
    const [, , unknown] = pool(NAMES, labelled([0.5, 0.5]), [0, 0, 1], { adapter: 1, neighbours: 4, rows: 9 });
    expect(unknown).toBeGreaterThan(0.5);
  });
});
