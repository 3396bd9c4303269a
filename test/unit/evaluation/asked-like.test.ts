import fc from 'fast-check';
import { askedLike } from '../../../src/prove/router/asked-like.js';
import { seededRandom } from '../../../src/kernel/random.js';

const words = fc.array(fc.stringMatching(/^[a-z]{1,9}$/), { minLength: 1, maxLength: 30 });

describe('a cloze in the form of a question', () => {
  it('keeps all its words in their order, has strange ones between them, and mostly asks', () => {
    fc.assert(
      fc.property(words, fc.integer(), (cloze, seed) => {
        const made = askedLike(cloze.join(' '), ['STRANGE'], seededRandom(seed));
        const parts = made.replace(/\?$/, '').split(' ');
        expect(parts.filter((word) => word !== 'STRANGE')).toEqual(cloze);
        expect(parts.length).toBeGreaterThan(cloze.length);
      }),
    );
  });

  it('is the same for the same draw, and a question too where there are no strange words', () => {
    const made = () => askedLike('the vents close when wind rises', ['market', 'paper'], seededRandom(7));
    expect(made()).toBe(made());
    expect(askedLike('the vents close', [], () => 0)).toBe('the vents close?');
    expect(askedLike('the vents close', [], () => 0.9)).toBe('the vents close');
  });
});
