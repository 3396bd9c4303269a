import { z } from 'zod';

/** Of the held-out decisions that are at least this confident, how many there are and how many are wrong. */
const riskPoint = z.object({ confidence: z.number(), decisions: z.number().int(), wrong: z.number().int() });

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
  const kept = Array.from({ length: Math.min(points.length, MOST_POINTS) }, (_, i) => points[Math.floor(i * step)]!);
  const last = points.at(-1);
  return last && kept.at(-1) !== last ? [...kept.slice(0, MOST_POINTS - 1), last] : kept;
}

/**
 * The least confidence above which held-out decisions are wrong no more often than wanted. One wrong decision more than were seen is
 * counted, so that few decisions don't promise much (conformal risk control, Angelopoulos et al. 2022).
 * @param most 0 to 1 @returns null where no confidence keeps it
 */
export function leastConfidence(curve: RiskCurve, most: number): RiskCurve[number] | null {
  return curve.findLast(({ decisions, wrong }) => (wrong + 1) / (decisions + 1) <= most) ?? null;
}
