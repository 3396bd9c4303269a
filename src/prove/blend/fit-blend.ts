import { pool, type LabelProbability } from '../../answer/ask/index.js';
import { mostProbable, type Blend } from '../../sources/data/index.js';
import { byDifferences, minimize } from '../../kernel/minimize.js';

/** What an adapter and the nearest rows say of a text whose label is known. */
export interface Opinions {
  label: string;
  adapter: readonly LabelProbability[];
  /** In the order of the names. */
  neighbours: readonly number[];
}

export interface FittedBlend {
  weights: Blend;
  /** Shares of the texts that are labelled rightly, 0 to 1, by each alone and by both. */
  accuracy: { adapter: number; neighbours: number; both: number };
}

/** Pull towards counting both alike, in rows' worth of evidence: it matters where there are few. */
const PRIOR_ROWS = 5;

/** The weights under which the right labels are most probable; negative ones, which would follow the opposite, are held at 0. */
export function fitBlend(names: readonly string[], opinions: readonly Opinions[]): FittedBlend {
  const indices = opinions.map(({ label }) => names.indexOf(label));
  const loss = ([adapter = 1, neighbours = 1]: Float64Array): number => {
    const weights = { adapter, neighbours, rows: opinions.length };
    const likelihood = opinions.reduce(
      (sum, opinion, i) =>
        sum + Math.log(pool(names, opinion.adapter, opinion.neighbours, weights)[indices[i]!] ?? 1e-9),
      0,
    );
    return (PRIOR_ROWS * ((adapter - 1) ** 2 + (neighbours - 1) ** 2) - likelihood) / opinions.length;
  };
  const [adapterWeight, neighbours] = minimize(byDifferences(loss), Float64Array.of(1, 1), { steps: 50 });
  /** The other weight where one is held at 0. */
  const soloWeight = (weightsFor: (weight: number) => Float64Array): number =>
    Math.max(
      0,
      minimize(
        byDifferences(([weight = 1]: Float64Array) => loss(weightsFor(weight))),
        Float64Array.of(1),
        { steps: 50 },
      )[0]!,
    );
  const weights = {
    ...(adapterWeight! < 0
      ? { adapter: 0, neighbours: soloWeight((weight) => Float64Array.of(0, weight)) }
      : neighbours! < 0
        ? { adapter: soloWeight((weight) => Float64Array.of(weight, 0)), neighbours: 0 }
        : { adapter: adapterWeight!, neighbours: neighbours! }),
    rows: opinions.length,
  };
  const right = (candidate: { adapter: number; neighbours: number }): number =>
    opinions.filter(
      (opinion, i) =>
        mostProbable(pool(names, opinion.adapter, opinion.neighbours, { ...candidate, rows: 0 })) === indices[i],
    ).length / opinions.length;
  return {
    weights,
    accuracy: {
      adapter: right({ adapter: 1, neighbours: 0 }),
      neighbours: right({ adapter: 0, neighbours: 1 }),
      both: right(weights),
    },
  };
}
