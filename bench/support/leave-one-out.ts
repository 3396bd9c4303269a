/** How well each weight does on a corpus: nDCG@10 by weight. */
export type WeightCurve = ReadonlyMap<number, number>;

export interface LeftOut {
  corpus: string;
  /** The weight that is best on the other corpora, each counting the same. */
  chosen: number;
  /** What it reaches here. */
  reached: number;
  /** The weight that would have been best here. */
  best: number;
  bestReached: number;
}

/** Chooses the weight for each corpus from the others alone. */
export function leaveOneOut(curves: ReadonlyMap<string, WeightCurve>): LeftOut[] {
  return [...curves].map(([corpus, own]) => {
    const others = [...curves].filter(([name]) => name !== corpus).map(([, curve]) => curve);
    const chosen = bestWeight(meanCurve(others));
    const best = bestWeight(own);
    return { corpus, chosen, reached: own.get(chosen)!, best, bestReached: own.get(best)! };
  });
}

export function meanCurve(curves: readonly WeightCurve[]): WeightCurve {
  const weights = [...(curves[0]?.keys() ?? [])];
  return new Map(
    weights.map((weight) => [weight, curves.reduce((sum, curve) => sum + curve.get(weight)! / curves.length, 0)]),
  );
}

/** The smallest of the best ones. */
export const bestWeight = (curve: WeightCurve): number =>
  [...curve].reduce((best, each) => (each[1] > best[1] + 1e-12 ? each : best))[0];
