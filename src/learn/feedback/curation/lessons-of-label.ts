/** How well an explanation of a label fits the lessons on it: their likelihood. */
import { logGamma } from '../../../kernel/statistics.js';
import { totalOf, type Counts, type Expected } from './usual-errors.js';

/** Share of a moved label's right answers that people still call by it. */
const LEFT = 0.05;

/** Logarithm of the probability of lessons on a label, by how many times likelier a wrong answer gets feedback than a right one. */
export type Explained = (selective: number) => number;

/** Of a label that is what it was. */
export const asBefore = (answerLabel: string, lessons: Counts, expected: Expected): Explained =>
  explained(answerLabel, lessons, expected);

/** Of one that is called by another's name. */
export function asRenamed(answerLabel: string, label: string, lessons: Counts, expected: Expected): Explained {
  const { right, wrong, of, spread } = expected;
  const [stayed, changed] = [LEFT * right, (1 - LEFT) * right];
  const partner = { label, rows: changed + (wrong * of(label)) / spread };
  return explained(answerLabel, lessons, { ...expected, right: stayed, wrong: wrong + changed, named: partner });
}

/** Of one that has changed places with another. */
export function asExchanged(answerLabel: string, label: string, lessons: Counts, expected: Expected): Explained {
  const { right, wrong, of, spread } = expected;
  const stayed = (wrong * of(label)) / spread + LEFT * right;
  const partner = { label, rows: (1 - LEFT) * right };
  return explained(answerLabel, lessons, { ...expected, right: stayed, wrong: right + wrong - stayed, named: partner });
}

/** Of one whose rows may be anything now. @param labels how many there are besides */
export function asAnything(answerLabel: string, lessons: Counts, expected: Expected, labels: number): Explained {
  const { right, wrong, of, spread } = expected;
  const [stayed, changed] = [LEFT * right, (1 - LEFT) * right];
  return explained(answerLabel, lessons, {
    right: stayed,
    wrong: wrong + changed,
    of: (label) => of(label) + changed / labels,
    spread: spread + changed,
  });
}

/**
 * How many are right is Beta-binomial, of the others how many have the label that it is now, too, and which labels the rest has is Dirichlet-multinomial. Where
 * wrong answers get feedback `selective` times as often as right ones, that changes the first alone: what wrong answers have in common is seen however few right
 * ones are spoken of.
 * @param named the label that it is now, and the rows that have it
 */
function explained(
  answerLabel: string,
  lessons: Counts,
  { right, wrong, of, spread, named }: Expected & { named?: { label: string; rows: number } },
): Explained {
  const total = right + wrong;
  const hits = lessons.get(answerLabel) ?? 0;
  const misses = totalOf(lessons) - hits;
  const namedHits = named ? (lessons.get(named.label) ?? 0) : 0;
  let fixed = -rising(total, hits + misses);
  if (named)
    fixed += rising(named.rows, namedHits) + rising(wrong - named.rows, misses - namedHits) - rising(wrong, misses);
  for (const [label, times] of lessons)
    if (label !== answerLabel && label !== named?.label) fixed += rising(of(label), times);
  fixed -= rising(named ? spread - of(named.label) : spread, misses - namedHits);
  return (selective) => {
    const spokenRight = (total * right) / (right + selective * wrong);
    // Not all - spokenRight, which is nothing where one of the two is by far the larger.
    const spokenWrong = (total * selective * wrong) / (right + selective * wrong);
    return fixed + rising(spokenRight, hits) + rising(spokenWrong, misses);
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
