import {
  learnBounds,
  measuresOf,
  startBounds,
  type RolloutOutcome,
} from '../../../src/ship/delivery/rollouts/measures.js';

const answer = (latencyMs: number): RolloutOutcome => ({
  status: 'COMPLETE',
  abstained: false,
  confidence: null,
  latencyMs,
  sequence: 1n,
  arm: 'CONTROL',
  stage: 0,
  newUnit: true,
});

/** Whether an answer came in time, by what twenty controls of `medianMs` taught. */
function inTime(medianMs: number, latencyMs: number): boolean | null {
  const known = startBounds({ latencyMs: null, confidence: null });
  for (let n = 0; n < 20; n++) learnBounds(known, answer(medianMs + (n % 3)));
  return measuresOf(answer(latencyMs), known).LATENCY;
}

describe('a slow answer, where nobody said what is slow', () => {
  it('takes twice the time of the controls', () => {
    expect([inTime(2_000, 3_900), inTime(2_000, 4_100)]).toEqual([true, false]);
  });

  it('is not one that takes a moment more than quick controls, as a candidate does whose adapter is loaded for each answer', () => {
    expect([inTime(40, 90), inTime(40, 500)]).toEqual([true, true]);
    expect(inTime(40, 600)).toBe(false);
  });
});
