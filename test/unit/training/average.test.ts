import { averageOf } from '../../../gpu-worker/engines/training/trainer/average.js';

describe('the average of the last looks', () => {
  const at = (loss: number, ...adapter: number[]) => ({ loss, adapter: Float32Array.from(adapter) });

  it('is the middle of looks that are equally good', () => {
    expect([...averageOf([at(1, 0, 4), at(1, 2, 8)])]).toEqual([1, 6]);
  });

  it('lies nearer to the better one, by the probability that each gives the answers', () => {
    const [value] = averageOf([at(0, 0), at(Math.log(3), 4)]);
    expect(value).toBeCloseTo(1, 6);
  });

  it('is of no use of one that diverged, however far it went', () => {
    expect([...averageOf([at(0.5, 1), at(800, 1e6)])]).toEqual([1]);
  });
});
