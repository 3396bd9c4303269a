import { logSumExp, softmax } from '../../../src/kernel/softmax.js';

describe('sums of exponentials', () => {
  it('are told by their logarithm where no number holds them, and are nothing of nothing', () => {
    expect([logSumExp([]), logSumExp([-Infinity, -Infinity])]).toEqual([-Infinity, -Infinity]);
    expect(logSumExp([1_000, 1_000])).toBeCloseTo(1_000 + Math.log(2), 12);
    expect(logSumExp([-Infinity, 3])).toBe(3);
  });

  it('divide shares that sum to 1', () => {
    expect(softmax([2_000, 2_000])).toEqual([0.5, 0.5]);
  });
});
