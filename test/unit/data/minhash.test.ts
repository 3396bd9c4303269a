import fc from 'fast-check';
import {
  bandKeys,
  jaccard,
  NEAR_DUPLICATE,
  shingles,
} from '../../../src/sources/data/datasets/validation/near-duplicates/minhash.js';
import { exactForm, wordsForm } from '../../../src/sources/data/datasets/rows/text-forms.js';
import { seededRandom } from '../../../src/kernel/random.js';

describe('text forms', () => {
  it('forget blanks, or everything but words', () => {
    expect(exactForm(' a\n b ')).toBe('a b');
    expect(wordsForm('Where’s  my CARD?!')).toBe('where s my card');
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (s) => expect(wordsForm(wordsForm(s))).toBe(wordsForm(s))));
  });
});

describe('jaccard', () => {
  it('is 1 for equal texts, symmetric, and between 0 and 1', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const [x, y] = [shingles(a), shingles(b)];
        expect(jaccard(x, x)).toBe(1);
        expect(jaccard(x, y)).toBe(jaccard(y, x));
        expect(jaccard(x, y)).toBeGreaterThanOrEqual(0);
        expect(jaccard(x, y)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('bandKeys', () => {
  it('propose at least 95 % of all pairs that exact Jaccard calls near duplicates', () => {
    const seed = 20261124;
    const next = seededRandom(seed);
    const letter = () => 'abcdefghijklmnopqrstuvwxyz '[Math.floor(next() * 27)]!;
    let near = 0;
    let proposed = 0;
    let farProposed = 0;
    for (let n = 0; n < 4000; n++) {
      const text = Array.from({ length: 40 + Math.floor(next() * 120) }, letter).join('');
      const other = [...text];
      for (let edits = Math.floor(next() * 8); edits > 0; edits--) other[Math.floor(next() * other.length)] = letter();
      const [a, b] = [shingles(text), shingles(other.join(''))];
      const keys = bandKeys(a);
      const share = (others: Int32Array) => keys.some((key, i) => key === others[i]);
      if (jaccard(a, b) >= NEAR_DUPLICATE) {
        near++;
        if (share(bandKeys(b))) proposed++;
      }
      const stranger = shingles(Array.from({ length: 100 }, letter).join(''));
      if (share(bandKeys(stranger))) farProposed++;
    }
    console.log(`seed ${seed}: ${proposed} of ${near} near pairs proposed, ${farProposed} of 4000 strangers`);
    expect(near).toBeGreaterThan(1000);
    expect(proposed / near).toBeGreaterThan(0.95);
    expect(farProposed).toBeLessThan(10);
  });
});
