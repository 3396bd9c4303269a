import { z } from 'zod';
import { record } from './record.js';
import { binomialCdf } from './statistics.js';

const riskPoint = record('RiskPoint', 'How often held-out answers of at least one confidence were wrong.', {
  confidence: z.number().describe('The least confidence of these answers, 0 to 1.'),
  decisions: z.number().int().describe('Answers of at least that confidence.'),
  wrong: z.number().int().describe('How many of them were wrong.'),
});

/** How often decisions are wrong above each confidence, most confident first. */
export const riskCurve = z.array(riskPoint);
export type RiskCurve = z.infer<typeof riskCurve>;

/** Points that are kept: a step of the confidence between two costs at most a hundredth of the decisions. */
const MOST_POINTS = 100;

/** The curve of held-out decisions; those of one confidence stand or fall together. */
export function riskCurveOf(decisions: readonly { confidence: number; right: boolean }[]): RiskCurve {
  const points: RiskCurve = [];
  let [count, wrong] = [0, 0];
  const sorted = [...decisions].sort((a, b) => b.confidence - a.confidence);
  sorted.forEach(({ confidence, right }, i) => {
    count += 1;
    wrong += right ? 0 : 1;
    if (sorted[i + 1]?.confidence !== confidence) points.push({ confidence, decisions: count, wrong });
  });
  const step = Math.max(1, points.length / MOST_POINTS);
  const curve = Array.from({ length: Math.min(points.length, MOST_POINTS) }, (_, i) => points[Math.floor(i * step)]!);
  const last = points.at(-1);
  return last && curve.at(-1) !== last ? [...curve.slice(0, MOST_POINTS - 1), last] : curve;
}

/** The chance, over the held-out decisions, that a chosen confidence keeps its rate by luck alone. */
const CHANCE_OF_LUCK = 0.1;

/**
 * The least confidence above which decisions are wrong no more often than wanted, with a chance of at most CHANCE_OF_LUCK that this
 * is said of one that doesn't keep it. Confidences are tested from the most confident on, each by the exact binomial tail, until
 * one fails: a fixed sequence, so that the many confidences cost nothing (Learn then Test, Angelopoulos et al. 2021, section 4.2). The
 * first is the one that a faultless record would pass; it depends on the confidences alone, never on what was right.
 * The data must have had no part in the choice of the model, its calibration or its prompt.
 * @param maxRisk 0 to 1 @returns null where no confidence is shown to keep it
 */
export function leastConfidence(curve: RiskCurve, maxRisk: number): RiskCurve[number] | null {
  let lowest: RiskCurve[number] | null = null;
  for (const point of curve) {
    if (binomialCdf(0, point.decisions, maxRisk) > CHANCE_OF_LUCK) continue;
    if (binomialCdf(point.wrong, point.decisions, maxRisk) > CHANCE_OF_LUCK) break;
    lowest = point;
  }
  return lowest;
}
