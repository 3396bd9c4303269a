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

/** By the right label: where each label was answered. */
export function turned(confusions: Confusions): Confusions {
  const others = new Map<string, Map<string, number>>();
  for (const [answered, counts] of confusions)
    for (const [label, count] of counts) {
      const of = others.get(label) ?? new Map<string, number>();
      others.set(label, of.set(answered, count));
    }
  return others;
}

/**
 * @param labels how many there are besides
 * @param precision of all labels together, 0 to 1
 * @param mirrored rows that say which labels are like the answered one, by the right label
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
    for (const [label, times] of confusions.get(answered) ?? [])
      if (label !== answered) like.set(label, (like.get(label) ?? 0) + MIRRORED * times);
  // They say which labels are taken for it, not how often.
  const scale = wrong / (wrong + totalOf(like));
  return {
    right: POOLED * precision + HELD_OUT * hits,
    wrong,
    of: (label) => scale * (each + HELD_OUT * (own.get(label) ?? 0) + (like.get(label) ?? 0)),
  };
}

/** Logarithm of the probability of lessons on a label, by how many times likelier a wrong answer gets feedback than a right one. */
export type Explained = (selective: number) => number;

/** Of a label that is what it was. */
export const asBefore = (answered: string, lessons: Counts, expected: Expected): Explained =>
  explained(answered, lessons, expected);

/** Of one that is called by another's name. */
export function asRenamed(answered: string, label: string, lessons: Counts, { right, wrong, of }: Expected): Explained {
  const [stayed, changed] = [LEFT * right, (1 - LEFT) * right];
  return explained(answered, lessons, {
    right: stayed,
    wrong: wrong + changed,
    of: (each) => of(each) + (each === label ? changed : 0),
  });
}

/** Of one that has changed places with another. */
export function asExchanged(
  answered: string,
  label: string,
  lessons: Counts,
  { right, wrong, of }: Expected,
): Explained {
  const [stayed, changed] = [of(label) + LEFT * right, (1 - LEFT) * right];
  return explained(answered, lessons, {
    right: stayed,
    wrong: right + wrong - stayed,
    of: (each) => (each === label ? changed : of(each)),
  });
}

/** Of one whose rows may be anything now. @param labels how many there are besides */
export function asAnything(
  answered: string,
  lessons: Counts,
  { right, wrong, of }: Expected,
  labels: number,
): Explained {
  const [stayed, changed] = [LEFT * right, (1 - LEFT) * right];
  return explained(answered, lessons, {
    right: stayed,
    wrong: wrong + changed,
    of: (each) => of(each) + changed / labels,
  });
}

/**
 * How many are right is Beta-binomial, and which labels the others have Dirichlet-multinomial: what a Dirichlet distribution of all labels comes to
 * where wrong answers get feedback `selective` times as often as right ones. That changes the first alone.
 */
function explained(answered: string, lessons: Counts, { right, wrong, of }: Expected): Explained {
  const all = right + wrong;
  const hits = lessons.get(answered) ?? 0;
  const misses = totalOf(lessons) - hits;
  let fixed = -rising(all, hits + misses) - rising(wrong, misses);
  for (const [label, times] of lessons) if (label !== answered) fixed += rising(of(label), times);
  return (selective) => {
    const told = (all * right) / (right + selective * wrong);
    // Not all - told, which is nothing where one of the two is by far the larger.
    const untold = (all * selective * wrong) / (right + selective * wrong);
    return fixed + rising(told, hits) + rising(untold, misses);
  };
}

/** So many factors can't overflow. */
const FEW = 8;

/** Logarithm of x (x + 1) … (x + n - 1). */
function rising(x: number, n: number): number {
  if (n > FEW) return logGamma(x + n) - logGamma(x);
  let product = 1;
  for (let i = 0; i < n; i++) product *= x + i;
  return Math.log(product);
}

export const totalOf = (counts: Counts): number => {
  let total = 0;
  for (const n of counts.values()) total += n;
  return total;
};
