import { fitBlend, type Opinions } from '../../../src/prove/blend/fit-blend.js';
import { seededRandom } from '../../../src/kernel/random.js';

const NAMES = ['a', 'b', 'c'];

/** Opinions of which each source is right as often as it is said to, independently of the other. */
function opinions(adapterRight: number, rowsRight: number, count = 400): Opinions[] {
  const random = seededRandom(7);
  const sure = (right: number, label: number): number[] => {
    const said = random() < right ? label : (label + 1 + Math.floor(random() * 2)) % 3;
    return NAMES.map((_, i) => (i === said ? 0.8 : 0.1));
  };
  return Array.from({ length: count }, (_, i) => ({
    label: NAMES[i % 3]!,
    adapter: sure(adapterRight, i % 3).map((probability, at) => ({ label: NAMES[at]!, probability })),
    neighbours: sure(rowsRight, i % 3),
  }));
}

describe('fitting how much an adapter and the nearest rows count', () => {
  it('trusts the one that is right more often more', () => {
    const { weights } = fitBlend(NAMES, opinions(0.9, 0.5));
    expect(weights.adapter).toBeGreaterThan(2 * weights.neighbours);
    const { weights: other } = fitBlend(NAMES, opinions(0.5, 0.9));
    expect(other.neighbours).toBeGreaterThan(2 * other.adapter);
  });

  it('is better together than either alone where their mistakes are their own', () => {
    const { accuracy, weights } = fitBlend(NAMES, opinions(0.75, 0.7));
    expect(accuracy.both).toBeGreaterThanOrEqual(Math.max(accuracy.adapter, accuracy.neighbours));
    expect(weights.rows).toBe(400);
  });

  it('never follows the opposite of what a source says', () => {
    const { weights } = fitBlend(NAMES, opinions(0.9, 0.05));
    expect(weights.neighbours).toBeGreaterThanOrEqual(0);
    // The other is as if it were alone: one that is never right says nothing of how far to trust it.
    const alone = fitBlend(
      NAMES,
      opinions(0.9, 0.05).map((each) => ({ ...each, neighbours: [1 / 3, 1 / 3, 1 / 3] })),
    );
    expect(weights.adapter).toBeCloseTo(alone.weights.adapter, 1);
  });
});
