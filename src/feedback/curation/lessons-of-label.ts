import { logGamma } from '../../kernel/statistics.js';

/** Labels and how often: of what was right where one label was answered. */
export type Counts = ReadonlyMap<string, number>;

/** What was right where each label was answered: by the answered label. */
export type Confusions = ReadonlyMap<string, Counts>;

/** Rows that what is known of all labels counts for with each. */
const POOLED = 4;
/** What a held-out row counts for beside a lesson: what is asked now may differ from it. */
const HELD_OUT = 0.5;
/** What a row counts for that was taken the other way round: which labels are like each other. */
const MIRRORED = 0.25;
/** Share of a moved label's right answers that people still call by it. */
const LEFT = 0.05;

/** What is expected to be right where a label is answered, in rows. */
export interface Expected {
  right: number;
  wrong: number;
  /** Of the wrong ones, those whose right label is this one. */
  of(label: string): number;
}

/**
 * @param labels how many there are besides
 * @param precision of all labels together, 0 to 1
 * @param mirrored rows that say which labels are like the answered one
 */
export function expectedOf(
  answered: string,
  { heldOut, precision, labels }: { heldOut: Confusions; precision: number; labels: number },
  mirrored: readonly Confusions[],
): Expected {
  const own = heldOut.get(answered) ?? new Map<string, number>();
  const hits = own.get(answered) ?? 0;
  const wrong = POOLED * (1 - precision) + HELD_OUT * (totalOf(own) - hits);
  const each = (POOLED * (1 - precision)) / labels;
  const like = new Map<string, number>();
  for (const confusions of mirrored)
    for (const [label, counts] of confusions) {
      const times = label === answered ? 0 : (counts.get(answered) ?? 0);
      if (times > 0) like.set(label, (like.get(label) ?? 0) + MIRRORED * times);
    }
  // They say which labels are taken for it, not how often.
  const scale = wrong / (wrong + totalOf(like));
  return {
    right: POOLED * precision + HELD_OUT * hits,
    wrong,
    of: (label) => scale * (each + HELD_OUT * (own.get(label) ?? 0) + (like.get(label) ?? 0)),
  };
}

/** Logarithm of the probability of lessons on a label that is what it was. */
export const asBefore = (answered: string, lessons: Counts, expected: Expected, selective: number): number =>
  logLikelihood(answered, lessons, expected, selective);

/** The same of one that is called by another's name. */
export function asRenamed(
  answered: string,
  label: string,
  lessons: Counts,
  { right, wrong, of }: Expected,
  selective: number,
): number {
  const [stayed, changed] = [LEFT * right, (1 - LEFT) * right];
  const expected: Expected = {
    right: stayed,
    wrong: wrong + changed,
    of: (each) => of(each) + (each === label ? changed : 0),
  };
  return logLikelihood(answered, lessons, expected, selective);
}

/** The same of one that has changed places with another. */
export function asExchanged(
  answered: string,
  label: string,
  lessons: Counts,
  { right, wrong, of }: Expected,
  selective: number,
): number {
  const [stayed, changed] = [of(label) + LEFT * right, (1 - LEFT) * right];
  const expected: Expected = {
    right: stayed,
    wrong: right + wrong - stayed,
    of: (each) => (each === label ? changed : of(each)),
  };
  return logLikelihood(answered, lessons, expected, selective);
}

/** The same of one whose rows may be anything now. @param labels how many there are besides */
export function asAnything(
  answered: string,
  lessons: Counts,
  { right, wrong, of }: Expected,
  selective: number,
  labels: number,
): number {
  const [stayed, changed] = [LEFT * right, (1 - LEFT) * right];
  const expected: Expected = { right: stayed, wrong: wrong + changed, of: (each) => of(each) + changed / labels };
  return logLikelihood(answered, lessons, expected, selective);
}

/**
 * How many are right is Beta-binomial, and which labels the others have Dirichlet-multinomial: what a Dirichlet distribution of all labels comes to
 * where wrong answers get feedback `selective` times as often as right ones.
 */
function logLikelihood(answered: string, lessons: Counts, { right, wrong, of }: Expected, selective: number): number {
  const all = right + wrong;
  const told = (all * right) / (right + selective * wrong);
  const hits = lessons.get(answered) ?? 0;
  const misses = totalOf(lessons) - hits;
  let log = rising(told, hits) + rising(all - told, misses) - rising(all, hits + misses) - rising(wrong, misses);
  for (const [label, times] of lessons) if (label !== answered) log += rising(of(label), times);
  return log;
}

/** Logarithm of x (x + 1) … (x + n - 1). */
const rising = (x: number, n: number): number => (n === 0 ? 0 : logGamma(x + n) - logGamma(x));

export const totalOf = (counts: Counts): number => [...counts.values()].reduce((sum, n) => sum + n, 0);
