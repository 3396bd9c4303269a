import fc from 'fast-check';
import { nearest } from '../../../src/prove/regression/nearest.js';
import { dot } from '../../../src/kernel/vectors.js';

const DIMENSIONS = 3;
const matrix = (most: number) =>
  fc
    .array(fc.array(fc.integer({ min: -4, max: 4 }), { minLength: DIMENSIONS, maxLength: DIMENSIONS }), {
      minLength: 1,
      maxLength: most,
    })
    .map((rows) => Float32Array.from(rows.flat()));

describe('the rows nearest to a text', () => {
  it('are those of the largest inner products, nearest first, without the text itself', () => {
    fc.assert(
      fc.property(matrix(12), fc.integer({ min: 1, max: 6 }), (vectors, most) => {
        const count = vectors.length / DIMENSIONS;
        const row = (i: number): Float32Array => vectors.subarray(i * DIMENSIONS, (i + 1) * DIMENSIONS);
        const without = Array.from({ length: count }, (_, i) => i);
        const { indices, similarities } = nearest(vectors, vectors, { dimensions: DIMENSIONS, most, without });
        for (let text = 0; text < count; text++) {
          const best = without
            .filter((other) => other !== text)
            .map((other) => dot(row(other), row(text)))
            .sort((a, b) => b - a)
            .slice(0, most);
          const own = [...similarities.subarray(text * most, (text + 1) * most)];
          const rows = [...indices.subarray(text * most, (text + 1) * most)];
          expect(own.slice(0, best.length)).toEqual(best);
          expect(rows).not.toContain(text);
          expect(rows.filter((index) => index >= 0)).toHaveLength(best.length);
        }
      }),
      { seed: 41 },
    );
  });
});
