import { Deadline } from '../../gpu-worker/deadline.js';

describe('a deadline', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  const started = (ms: number | undefined, renewable: boolean) => {
    const passed = jest.fn();
    return { passed, deadline: new Deadline(ms, renewable, passed) };
  };

  it('of what streams counts from the last time that it got further', () => {
    const { passed, deadline } = started(1_000, true);
    for (let n = 0; n < 5; n += 1) {
      jest.advanceTimersByTime(900);
      deadline.moved();
      expect(deadline.left).toBe(1_000);
    }
    expect(passed).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1_000);
    expect(passed).toHaveBeenCalledTimes(1);
    expect(deadline.left).toBe(0);
  });

  it('of what doesn’t counts from the start', () => {
    const { passed, deadline } = started(1_000, false);
    jest.advanceTimersByTime(600);
    deadline.moved();
    expect(deadline.left).toBe(400);
    jest.advanceTimersByTime(400);
    expect(passed).toHaveBeenCalledTimes(1);
  });

  it('that was stopped, or that there is none of, never passes', () => {
    const stopped = started(1_000, true);
    stopped.deadline.stop();
    const none = started(undefined, true);
    none.deadline.moved();
    jest.advanceTimersByTime(10_000);
    expect(stopped.passed).not.toHaveBeenCalled();
    expect(none.passed).not.toHaveBeenCalled();
    expect(none.deadline.left).toBe(Infinity);
  });
});
