import { logGamma } from '../../kernel/statistics.js';

/** What a lesson says of the label that was answered. */
export interface Contrast {
  answered: string;
  right: string;
}

/** A label whose rows say what is no longer true. */
export interface MovedLabel {
  from: string;
  /** What its rows are now; null: nobody can say for all of them, so they are left out. */
  to: string | null;
  /** Lessons on answers that had the label, and how many of them say otherwise. */
  lessons: number;
  contrary: number;
}

/** Fewer lessons on a label say nothing of its rows. */
const LEAST_LESSONS = 5;
/** One-sided, 95 %. */
const Z = 1.645;
/** Chance that a label is taken for contradicted because feedback is given where something is wrong; of all labels together. */
const CHANCE = 0.05;

/**
 * The labels that mean something else now than they did in older rows. People who correct an answer speak of it alone; but when most of what was
 * learned of a label's answers says otherwise, its older rows would teach the opposite of the newer ones. A label is contradicted when, of the
 * lessons on answers that had it,
 *   - there are at least 5,
 *   - more than half say otherwise, by the lower end of Wilson's interval, and
 *   - more say otherwise than of the other labels together, by Fisher's exact test, corrected for the number of labels: where feedback is given
 *     only to what is wrong, every label looks contradicted. Labels that were found are no longer among the others, until no more are found.
 * Its rows then have the label that more than half of its lessons name, by the same interval; else none.
 * Sources: E. B. Wilson, “Probable Inference”, 1927; R. A. Fisher, “The Design of Experiments”, 1935.
 */
export function movedLabels(contrasts: readonly Contrast[]): MovedLabel[] {
  const byLabel = new Map<string, Map<string, number>>();
  for (const { answered, right } of contrasts) {
    const of = byLabel.get(answered) ?? new Map<string, number>();
    byLabel.set(answered, of.set(right, (of.get(right) ?? 0) + 1));
  }
  const counted = [...byLabel].map(([from, said]) => {
    const lessons = [...said.values()].reduce((sum, n) => sum + n, 0);
    return { from, said, lessons, contrary: lessons - (said.get(from) ?? 0) };
  });
  const contradicted = counted.filter(
    ({ lessons, contrary }) => lessons >= LEAST_LESSONS && mostSay(contrary, lessons),
  );
  const found = new Set<(typeof counted)[number]>();
  for (let before = -1; before < found.size;) {
    before = found.size;
    const others = counted.filter((each) => !found.has(each));
    const all = others.reduce((sum, { lessons }) => sum + lessons, 0);
    const marked = others.reduce((sum, { contrary }) => sum + contrary, 0);
    for (const each of contradicted)
      if (!found.has(each) && upperTail(each.contrary, each.lessons, marked, all) <= CHANCE / counted.length)
        found.add(each);
  }
  return contradicted
    .filter((each) => found.has(each))
    .sort((a, b) => (a.from < b.from ? -1 : 1))
    .map(({ from, said, lessons, contrary }) => {
      said.delete(from);
      const [to, times] = [...said].reduce((most, each) => (each[1] > most[1] ? each : most));
      return { from, to: mostSay(times, lessons) ? to : null, lessons, contrary };
    });
}

/** Whether more than half of all would say so, by the lower end of Wilson's one-sided interval. */
function mostSay(times: number, of: number): boolean {
  const share = times / of;
  const centre = share + Z ** 2 / (2 * of);
  const reach = Z * Math.sqrt((share * (1 - share)) / of + Z ** 2 / (4 * of ** 2));
  return (centre - reach) / (1 + Z ** 2 / of) > 0.5;
}

/** Probability of drawing at least so many marked ones among `drawn` of `all`, of which `marked` are (hypergeometric). */
function upperTail(found: number, drawn: number, marked: number, all: number): number {
  const choose = (n: number, k: number) => logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
  let tail = 0;
  for (let k = found; k <= Math.min(drawn, marked); k++)
    if (drawn - k <= all - marked)
      tail += Math.exp(choose(marked, k) + choose(all - marked, drawn - k) - choose(all, drawn));
  return tail;
}
