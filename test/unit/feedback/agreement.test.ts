import fc from 'fast-check';
import { krippendorffAlpha, pairwiseAgreement, type Rating } from '../../../src/learn/feedback/agreement.js';

/** Each observer's values, unit by unit; a dot is a missing one. */
const ratings = (...observers: string[]): Rating[] =>
  observers.flatMap((values) =>
    [...values.replaceAll(' ', '')].flatMap((value, i) => (value === '.' ? [] : [{ unit: String(i), value }])),
  );

describe('Krippendorff’s alpha', () => {
  it('is .743 for the four observers of Krippendorff’s own nominal example', () => {
    const alpha = krippendorffAlpha(
      ratings(
        '1 2 3 3 2 1 4 1 2 . . .',
        '1 2 3 3 2 2 4 1 2 5 . 3',
        '. 3 3 3 2 3 4 2 2 5 1 .',
        '1 2 3 3 2 4 4 1 2 5 1 .',
      ),
    );
    expect(alpha).toBeCloseTo(0.743, 3);
  });

  it('is .095 for the two observers of his binary example', () => {
    expect(krippendorffAlpha(ratings('0100000000', '1110010100'))).toBeCloseTo(0.095, 3);
  });

  it('is 1 where all agree, and nothing where nobody was judged by two or no value differs', () => {
    expect(krippendorffAlpha(ratings('0101', '0101'))).toBe(1);
    expect(krippendorffAlpha(ratings('01', '..'))).toBeNull();
    expect(krippendorffAlpha(ratings('00', '00'))).toBeNull();
    expect(krippendorffAlpha([])).toBeNull();
  });

  it('is at most 1, whatever is judged and in whatever order', () => {
    const rating = fc.record({ unit: fc.constantFrom('a', 'b', 'c', 'd'), value: fc.constantFrom('x', 'y', 'z') });
    fc.assert(
      fc.property(fc.array(rating, { maxLength: 40 }), (all) => {
        const alpha = krippendorffAlpha(all);
        const reversed = krippendorffAlpha([...all].reverse());
        if (alpha === null) expect(reversed).toBeNull();
        else {
          expect(alpha).toBeLessThanOrEqual(1 + 1e-12);
          expect(reversed).toBeCloseTo(alpha, 9);
        }
      }),
    );
  });
});

it('tells the share of pairs that agree on one thing', () => {
  expect(pairwiseAgreement(['x'])).toBeNull();
  expect(pairwiseAgreement(['x', 'x', 'y'])).toBeCloseTo(1 / 3);
});
