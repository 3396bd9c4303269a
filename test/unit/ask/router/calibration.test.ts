import { calibrate, logOdds, type PlaceSignal } from '../../../../src/answer/ask/route/router/calibration.js';
import { seededRandom } from '../../../../src/kernel/random.js';

const around = (center: number, count: number, seed: number): PlaceSignal[] => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const top = center + 0.2 * (random() - 0.5);
    return { top, mean: top - 0.05 * random(), coverage: Math.max(0, Math.min(1, center + 0.4 * (random() - 0.5))) };
  });
};

describe('calibrating a place', () => {
  it('makes log-odds that are positive for its own questions and negative for others, whatever its similarities are like', () => {
    for (const [own, foreign] of [
      [0.8, 0.6],
      [0.4, 0.1],
    ] as const) {
      const place = calibrate(around(own, 60, 1), around(foreign, 60, 2));
      expect(logOdds(place, around(own, 1, 9)[0]!)).toBeGreaterThan(0);
      expect(logOdds(place, around(foreign, 1, 9)[0]!)).toBeLessThan(0);
      expect(place.auc).toBeGreaterThan(0.9);
    }
  });

  it('weighs few questions of its own as much as many foreign ones', () => {
    const place = calibrate(around(0.7, 12, 1), around(0.3, 600, 2));
    const between = { top: 0.5, mean: 0.48, coverage: 0.5 };
    expect(Math.abs(logOdds(place, between))).toBeLessThan(2);
  });

  it('says nothing where its own questions look like all others', () => {
    const place = calibrate(around(0.5, 200, 1), around(0.5, 200, 2));
    expect(Math.abs(logOdds(place, { top: 0.5, mean: 0.48, coverage: 0.5 }))).toBeLessThan(0.5);
    expect(place.auc).toBeGreaterThan(0.4);
    expect(place.auc).toBeLessThan(0.6);
  });

  it('is no surer of a question that is unlike all that it saw than of the most extreme of these', () => {
    const random = seededRandom(4);
    const covered = (coverage: number, count: number): PlaceSignal[] =>
      Array.from({ length: count }, () => ({ top: 0.3 * random(), coverage: coverage + 0.1 * random() }));
    const place = calibrate(covered(0.15, 40), covered(0.05, 80));
    const beyond = { top: 0.1, coverage: 0.8 };
    expect(logOdds(place, beyond)).toBeLessThanOrEqual(logOdds(place, { ...beyond, coverage: 0.25 }));
    expect(logOdds(place, { ...beyond, coverage: 0.2 })).toBeLessThan(logOdds(place, { ...beyond, coverage: 0.24 }));
  });
});
