/** Which errors of an adapter were to be expected: the yardstick for what lessons say of its labels. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** What a lesson says of the label that was answered. */
export interface Contrast {
  answered: string;
  right: string;
  /** The adapter version that answered. */
  adapterVersionId: string;
}

/** Held-out rows that have the label `gold`, null: some other one, and were given `predicted`, null: none of the set. */
export interface HeldOut {
  gold: string | null;
  predicted: string | null;
  count: number;
}

/** Labels and how often: of what was right where one label was answered. */
export type Counts = ReadonlyMap<string, number>;

/** What was right where each label was answered: by the answered label. */
type Confusions = ReadonlyMap<string, Counts>;

/** Rows that what is known of all labels counts for with each. */
const POOLED = 4;
/** What a held-out row counts for beside a lesson: what is asked now may differ from it. */
const HELD_OUT = 0.5;
/** What a row counts for that was taken the other way round: which labels are like each other. */
const MIRRORED = 0.25;
/** Precision of an adapter of which nothing is known, and the rows that this counts for. */
const UNKNOWN = { precision: 0.9, rows: 5 };

/** What is expected to be right where a label is answered, in rows. */
export interface Expected {
  right: number;
  wrong: number;
  /** Of the wrong ones, which label is right: rows of a Dirichlet distribution of its own, that count for `spread` together. */
  of(label: string): number;
  spread: number;
}

/** The lessons on a label by one adapter version, and what was expected of them, by how scattered wrong answers are: see `expectedOf`. */
export interface VersionLessons {
  counts: Counts;
  expected(scattered: number): Expected;
  /** The same where lessons on other labels are known. */
  told(scattered: number): Expected;
}

/** By answered label, one entry for each version that answered so. Others have their turn between versions. @param labels how many there are besides */
export async function versionLessonsOf(
  versions: readonly { lessons: readonly Contrast[]; cells: readonly HeldOut[] }[],
  labels: number,
): Promise<Map<string, VersionLessons[]>> {
  const lessonsByLabel = new Map<string, VersionLessons[]>();
  for (const { lessons, cells } of versions) {
    const right = cells.reduce(
      (sum, { gold, predicted, count }) => (gold !== null && gold === predicted ? sum + count : sum),
      0,
    );
    const rows = cells.reduce((sum, { count }) => sum + count, 0);
    const precision = (right + UNKNOWN.precision * UNKNOWN.rows) / (rows + UNKNOWN.rows);
    const spoken = lessons.map(({ answered, right }) => ({ answered, right, count: 1 }));
    const heldOutRows = cells.flatMap(({ gold, predicted, count }) =>
      predicted === null || gold === null ? [] : [{ answered: predicted, right: gold, count }],
    );
    const [taught, heldOut] = [confusionsOf(spoken), confusionsOf(heldOutRows)];
    const unnamed = new Map<string, number>();
    for (const { gold, predicted, count } of cells)
      if (gold === null && predicted !== null) unnamed.set(predicted, (unnamed.get(predicted) ?? 0) + count);
    const profile = { heldOut, unnamed, precision, labels };
    // By the right label: where each label was answered.
    const mirrored = { heldOut: confusionsOf(heldOutRows.map(turned)), taught: confusionsOf(spoken.map(turned)) };
    for (const [answerLabel, counts] of taught)
      lessonsByLabel.set(answerLabel, [
        ...(lessonsByLabel.get(answerLabel) ?? []),
        {
          counts,
          expected: (scattered) => expectedOf(answerLabel, profile, [mirrored.heldOut], scattered),
          told: (scattered) => expectedOf(answerLabel, profile, [mirrored.heldOut, mirrored.taught], scattered),
        },
      ]);
    await nextTurn();
  }
  return lessonsByLabel;
}

interface Row {
  answered: string;
  right: string;
  count: number;
}

const turned = ({ answered, right, count }: Row): Row => ({ answered: right, right: answered, count });

function confusionsOf(rows: readonly Row[]): Confusions {
  const confusions = new Map<string, Map<string, number>>();
  for (const { answered, right, count } of rows) {
    const counts = confusions.get(answered) ?? new Map<string, number>();
    confusions.set(answered, counts.set(right, (counts.get(right) ?? 0) + count));
  }
  return confusions;
}

/** What is known of an adapter version's usual errors. */
interface ErrorProfile {
  heldOut: Confusions;
  /** Held-out rows given a label that have another one, which isn't known: by the answered label. */
  unnamed: ReadonlyMap<string, number>;
  /** Of all labels together, 0 to 1. */
  precision: number;
  /** How many there are besides. */
  labels: number;
}

/**
 * @param mirrored rows that say which labels are like the answered one, by the right label
 * @param scattered rows that it counts for that any label may be taken for any: few, and wrong answers to a label mostly have one right label; many, and all
 */
function expectedOf(
  answerLabel: string,
  { heldOut, unnamed, precision, labels }: ErrorProfile,
  mirrored: readonly Confusions[],
  scattered: number,
): Expected {
  const counts = heldOut.get(answerLabel) ?? new Map<string, number>();
  const hits = counts.get(answerLabel) ?? 0;
  const namedErrors = HELD_OUT * (totalOf(counts) - hits);
  const anywhere = scattered + HELD_OUT * (unnamed.get(answerLabel) ?? 0);
  const spread = anywhere + namedErrors;
  const like = new Map<string, number>();
  for (const confusions of mirrored)
    for (const [label, times] of confusions.get(answerLabel) ?? [])
      if (label !== answerLabel) like.set(label, (like.get(label) ?? 0) + MIRRORED * times);
  // They say which labels are taken for it, not how often.
  const scale = spread / (spread + totalOf(like));
  return {
    right: POOLED * precision + HELD_OUT * hits,
    wrong: POOLED * (1 - precision) + spread - scattered,
    of: (label) => scale * (anywhere / labels + HELD_OUT * (counts.get(label) ?? 0) + (like.get(label) ?? 0)),
    spread,
  };
}

export const totalOf = (counts: Counts): number => {
  let total = 0;
  for (const n of counts.values()) total += n;
  return total;
};
