import { groupBy } from '../../kernel/group-by.js';
import { f1, ratio, type Metric } from './metric.js';

/** A row with the label it has and the one it was given; null where the model's answer was no label of the set. */
export interface ClassifiedRow {
  gold: string;
  predicted: string | null;
  /** Probability of the predicted label, 0..1; null where the model gives none. */
  probability: number | null;
}

export const accuracy: Metric<ClassifiedRow> = {
  name: 'accuracy',
  higherIsBetter: true,
  statistics: ({ gold, predicted }) => [gold === predicted ? 1 : 0, 1],
  value: ([correct, rows]) => ratio(correct!, rows!),
  share: ([correct, rows]) => [correct!, rows!],
};

/** Counts of a class, laid out `[true positives, false positives, false negatives]` for each label in order. */
function classCounts(labels: readonly string[], { gold, predicted }: ClassifiedRow): number[] {
  const counts = new Array<number>(3 * labels.length).fill(0);
  const [right, prediction] = [labels.indexOf(gold), predicted === null ? -1 : labels.indexOf(predicted)];
  if (right === prediction && right >= 0) counts[3 * right] = 1;
  else {
    if (prediction >= 0) counts[3 * prediction + 1] = 1;
    if (right >= 0) counts[3 * right + 2] = 1;
  }
  return counts;
}

const classF1s = (sums: readonly number[]): number[] =>
  Array.from({ length: sums.length / 3 }, (_, i) => f1(sums[3 * i]!, sums[3 * i + 1]!, sums[3 * i + 2]!));

/**
 * The unweighted mean of the F1 of those of `labels` that a row has or was given (scikit-learn's `f1_score(average='macro')`): a class without either says
 * nothing, and would count as wrong in every resample that happens to lack its few rows.
 */
export const macroF1 = (labels: readonly string[]): Metric<ClassifiedRow> => ({
  name: 'macro-F1',
  higherIsBetter: true,
  top: 1,
  statistics: (row) => classCounts(labels, row),
  value(sums) {
    const present = classF1s(sums).filter((_, i) => sums[3 * i]! + sums[3 * i + 1]! + sums[3 * i + 2]! > 0);
    return ratio(sum(present), present.length);
  },
});

/** Fewer rows of a label say nothing of it alone. */
export const LEAST_CLASS_ROWS = 20;

/** The labels with rows enough to be judged alone. */
export function judgedLabels(rows: readonly ClassifiedRow[]): string[] {
  const support = groupBy(rows, ({ gold }) => gold);
  return [...support].filter(([, classRows]) => classRows.length >= LEAST_CLASS_ROWS).map(([label]) => label);
}

/** The F1 of the class that is told worst, of those that have a row. @param labels those to be judged */
export const worstClassF1 = (labels: readonly string[]): Metric<ClassifiedRow> => ({
  name: 'worst-class F1',
  higherIsBetter: true,
  top: 1,
  statistics: (row) => classCounts(labels, row),
  value(sums) {
    const hasRows = (i: number): boolean => sums[3 * i]! + sums[3 * i + 2]! > 0;
    const present = classF1s(sums).filter((_, i) => hasRows(i));
    return present.length === 0 ? 0 : Math.min(...present);
  },
});

/** Figures of one class. */
interface ClassFigures {
  label: string;
  /** Rows that have the label. */
  support: number;
  /** Of those, the rows that this answerer alone has right, and those that the comparison alone has; null without one. */
  gained: number | null;
  lost: number | null;
  precision: number;
  recall: number;
  f1: number;
}

/** Each label's figures, the worst F1 first; labels without a row are left out. @param baselineRows the comparison's answers to the same rows */
export function perClass(
  labels: readonly string[],
  rows: readonly ClassifiedRow[],
  baselineRows: readonly ClassifiedRow[] | null = null,
): ClassFigures[] {
  const counts = new Map(labels.map((label) => [label, { right: 0, given: 0, support: 0, gained: 0, lost: 0 }]));
  for (const [i, { gold, predicted }] of rows.entries()) {
    const [goldCounts, as] = [counts.get(gold), predicted === null ? undefined : counts.get(predicted)];
    if (goldCounts) goldCounts.support += 1;
    if (goldCounts && baselineRows && (baselineRows[i]!.predicted === gold) !== (predicted === gold))
      goldCounts[predicted === gold ? 'gained' : 'lost'] += 1;
    if (as) as.given += 1;
    if (goldCounts && gold === predicted) goldCounts.right += 1;
  }
  return [...counts]
    .filter(([, { support }]) => support > 0)
    .map(([label, { right, given, support, gained, lost }]) => ({
      label,
      support,
      gained: baselineRows && gained,
      lost: baselineRows && lost,
      precision: ratio(right, given),
      recall: ratio(right, support),
      f1: f1(right, given - right, support - right),
    }))
    .sort((a, b) => a.f1 - b.f1 || (a.label < b.label ? -1 : 1));
}

/** Rows with label `gold` that were given `predicted` (null: no label at all). */
interface Confusion {
  gold: string;
  predicted: string | null;
  count: number;
}

/** The cells of the confusion matrix that are not 0: right ones too, the fullest first. */
export function confusions(rows: readonly ClassifiedRow[]): Confusion[] {
  const cells = new Map<string, Confusion>();
  for (const { gold, predicted } of rows) {
    const key = JSON.stringify([gold, predicted]);
    const cell = cells.get(key) ?? { gold, predicted, count: 0 };
    cell.count += 1;
    cells.set(key, cell);
  }
  return [...cells.values()].sort((a, b) => b.count - a.count);
}

/** Rows given the label `predicted` whose cells were left out, and how many of them have it. */
interface ConfusionRest {
  predicted: string | null;
  count: number;
  right: number;
}

/** Leaves the emptiest cells out, of which only what each label's share of right answers takes is kept. @param cells the fullest first */
export function cutConfusions(
  cells: readonly Confusion[],
  limit: number,
): { confusions: Confusion[]; confusionsRest: ConfusionRest[] } {
  const rest = new Map<string | null, ConfusionRest>();
  for (const { gold, predicted, count } of cells.slice(limit)) {
    const entry = rest.get(predicted) ?? { predicted, count: 0, right: 0 };
    entry.count += count;
    if (gold === predicted) entry.right += count;
    rest.set(predicted, entry);
  }
  return { confusions: cells.slice(0, limit), confusionsRest: [...rest.values()] };
}

const CALIBRATION_BINS = 15;

/**
 * Expected calibration error (Guo et al. 2017, 15 bins of equal width): how far stated probabilities lie from the share of
 * right answers, 0..1. Rows without a probability don't count.
 */
export const calibrationError: Metric<ClassifiedRow> = {
  name: 'ECE',
  higherIsBetter: false,
  statistics({ gold, predicted, probability }) {
    const sums = new Array<number>(3 * CALIBRATION_BINS).fill(0);
    if (probability === null) return sums;
    const bin = binOf(probability);
    sums[3 * bin] = 1;
    sums[3 * bin + 1] = probability;
    sums[3 * bin + 2] = gold === predicted ? 1 : 0;
    return sums;
  },
  value(sums) {
    let [gap, rows] = [0, 0];
    for (let bin = 0; bin < CALIBRATION_BINS; bin++) {
      gap += Math.abs(sums[3 * bin + 1]! - sums[3 * bin + 2]!);
      rows += sums[3 * bin]!;
    }
    return ratio(gap, rows);
  },
};

/** A bar of the reliability diagram. */
interface CalibrationBin {
  /** Probabilities above this, up to and including `to`. */
  from: number;
  to: number;
  rows: number;
  meanProbability: number;
  /** Share of right answers. */
  accuracy: number;
}

/** The bins of `calibrationError` that hold rows. */
export function calibrationBins(rows: readonly ClassifiedRow[]): CalibrationBin[] {
  const bins = Array.from({ length: CALIBRATION_BINS }, () => ({ rows: 0, probability: 0, right: 0 }));
  for (const { gold, predicted, probability } of rows) {
    if (probability === null) continue;
    const bin = bins[binOf(probability)]!;
    bin.rows += 1;
    bin.probability += probability;
    bin.right += gold === predicted ? 1 : 0;
  }
  return bins.flatMap((bin, i) =>
    bin.rows === 0
      ? []
      : [
          {
            from: i / CALIBRATION_BINS,
            to: (i + 1) / CALIBRATION_BINS,
            rows: bin.rows,
            meanProbability: bin.probability / bin.rows,
            accuracy: bin.right / bin.rows,
          },
        ],
  );
}

/** Bins are open below and closed above, as in the paper. */
const binOf = (probability: number): number =>
  Math.min(CALIBRATION_BINS - 1, Math.max(0, Math.ceil(probability * CALIBRATION_BINS) - 1));

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
