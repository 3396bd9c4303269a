import { observe, untouched, worth, type Capital } from './restarted.js';

/**
 * Whether a stream falls into categories as a reference does: a conformal test (Vovk, Petej, Nouretdinov, Ahlberg & Carlsson 2021,
 * "Retrain or not retrain: conformal test martingales for change-point detection"). What has been seen, reference and stream alike, is one
 * bag. While it is exchangeable, the rank of the newest among it is uniform and independent of the earlier ones, whatever the shares
 * are and however small the reference is; on that each category bets that it became more frequent or rarer. A category may be
 * in several at once (e.g. nearest cluster and "far from all"). An alarm of any of K takes K / alpha (Bonferroni).
 */
export interface CategoryTest {
  /** How often each category was expected before the reference was counted: where bets are told apart, never evidence. Above 0, below 1. */
  expected: number[];
  /** What was counted, and how many of it were in each category. */
  reference: CategoryCounts;
  bag: CategoryCounts;
  capitals: Capital[];
}

export interface CategoryCounts {
  all: number;
  of: number[];
}

/** Bets on how many times the odds of a category have become. */
const ODDS = [0.25, 0.5, 2, 4, 12] as const;
/** Bets need a share that can occur: rarer categories, also those never seen, are taken for this rare. */
const LEAST_EXPECTED = 0.01;

export const noCounts = (categories: number): CategoryCounts => ({
  all: 0,
  of: Array.from({ length: categories }, () => 0),
});

/** @param categories the categories that something is in, by index */
export const counted = ({ all, of }: CategoryCounts, categories: readonly number[]): CategoryCounts => ({
  all: all + 1,
  of: of.map((count, category) => (categories.includes(category) ? count + 1 : count)),
});

/** @param expected counts of what is neither in the reference nor in the stream */
export const categoryTest = (expected: CategoryCounts, reference: CategoryCounts): CategoryTest => ({
  expected: expected.of.map((count) =>
    Math.min(1 - LEAST_EXPECTED, Math.max(LEAST_EXPECTED, (count + 0.5) / (expected.all + 1))),
  ),
  reference,
  bag: reference,
  capitals: expected.of.map(() => untouched(ODDS.length)),
});

/** The test after an observation. @param random uniform in [0, 1), independent of all else: it breaks ties of ranks */
export function observeCategories(test: CategoryTest, categories: readonly number[], random: number): CategoryTest {
  const bag = counted(test.bag, categories);
  const capitals = test.capitals.map((capital, category) => {
    const inside = bag.of[category]!;
    const rank = categories.includes(category) ? random * inside : inside + random * (bag.all - inside);
    return observe(capital, factorsOf(rank / bag.all, test.expected[category]!));
  });
  return { ...test, bag, capitals };
}

/** Densities on [0, 1] with mean 1: the category's part of it is `odds` times as likely against the rest. */
const factorsOf = (p: number, expected: number): number[] =>
  ODDS.map((odds) => {
    const share = (odds * expected) / (odds * expected + 1 - expected);
    return p <= expected ? share / expected : (1 - share) / (1 - expected);
  });

export interface Shift {
  category: number;
  /** Evidence: 1 / alpha says that it would be seen with probability alpha at most if nothing had changed. */
  evidence: number;
}

/** The category that changed most evidently; its evidence counts that there were others to choose from. */
export function strongestShift({ capitals }: CategoryTest): Shift {
  const evidence = capitals.map((capital) => worth(capital) / capitals.length);
  const maximum = Math.max(...evidence);
  return { category: evidence.indexOf(maximum), evidence: maximum };
}
