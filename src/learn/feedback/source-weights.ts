import { groupBy } from '../../kernel/group-by.js';
import { AS_ANSWERED, NOT_AS_ANSWERED } from './expectation.js';
import { softmax } from '../../kernel/softmax.js';
import { betaCdf } from '../../kernel/statistics.js';

/** What a voter says that the right answer to a question is: see `verdictOf` and `voterOf`. */
export interface Ballot {
  unit: string;
  source: string;
  verdict: string;
}

/** All that is said of one thing, and the answers to it that may be right. */
interface Unit {
  id: string;
  cast: readonly Ballot[];
  candidates: readonly string[];
}

/** How far a source can be believed. */
export interface Reliability {
  /** Estimated share of its verdicts that are right, 0 to 1. */
  accuracy: number;
  /** 0 (no better than a coin) to 1: what its verdicts count. */
  weight: number;
  /** Things that others judged, too. */
  compared: number;
}

export interface WeightEstimate {
  /** By source; sources whose verdicts nobody else’s can be held against are missing. */
  reliability: Map<string, Reliability>;
  /** Probability of each verdict that was given or implied, by unit. */
  truth: Map<string, Map<string, number>>;
}

/** What is supposed of a source before anything is known: right four times of five, as surely as after five verdicts. */
const PRIOR = { right: 4, wrong: 1 };
const MOST_ROUNDS = 100;
const STILL = 1e-6;
/** Stands for any answer that nobody named. */
export const OTHER = '?';

export const UNKNOWN: Reliability = reliabilityOf(PRIOR.right / (PRIOR.right + PRIOR.wrong), 0);

/** Where the supposed accuracy, or more, has this probability or more, a source isn't shown to be worse. */
const DOUBT = 0.1;

/**
 * How often a source is right where nobody contradicts it. A single dispute says of neither side that it errs: until comparisons show with 90 %
 * that a source is right less often than is supposed of anybody, it counts as that.
 */
export function trusted(reliability: Reliability = UNKNOWN): Reliability {
  const { accuracy, compared } = reliability;
  const observations = PRIOR.right + PRIOR.wrong + compared;
  const supposed = 1 - betaCdf(UNKNOWN.accuracy, accuracy * observations, (1 - accuracy) * observations);
  return accuracy >= UNKNOWN.accuracy || supposed < DOUBT ? reliability : { ...UNKNOWN, compared };
}

/**
 * How reliable each source is, from where it agrees with the others: each has one coin, the probability that its verdict is the truth,
 * and errs evenly among the other verdicts. Expectation maximisation from the majority, so the same ballots give the same estimate.
 * Source: A. P. Dawid and A. M. Skene, “Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm”, 1979, with one
 * parameter a source (the “one-coin model” of Y. Zhang et al., 2014) and a beta prior, which keeps a source of few verdicts near it.
 */
export function estimateReliability(ballots: readonly Ballot[]): WeightEstimate {
  const units: Unit[] = [...groupBy(ballots, ({ unit }) => unit)].map(([id, cast]) => ({
    id,
    cast,
    candidates: candidatesOf(cast),
  }));
  const accuracy = new Map<string, number>(
    ballots.map(({ source }) => [source, PRIOR.right / (PRIOR.right + PRIOR.wrong)]),
  );
  const compared = new Map<string, number>();
  for (const { cast } of units)
    if (cast.length > 1) for (const { source } of cast) compared.set(source, (compared.get(source) ?? 0) + 1);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const right = expectedRight(units, accuracy);
    let change = 0;
    for (const [source, oldAccuracy] of accuracy) {
      const among = compared.get(source) ?? 0;
      const newAccuracy = (PRIOR.right + (right.get(source) ?? 0)) / (PRIOR.right + PRIOR.wrong + among);
      change = Math.max(change, Math.abs(newAccuracy - oldAccuracy));
      accuracy.set(source, newAccuracy);
    }
    if (change < STILL) break;
  }
  return {
    reliability: new Map([...compared].map(([source, among]) => [source, reliabilityOf(accuracy.get(source)!, among)])),
    truth: new Map(units.map(({ id, cast, candidates }) => [id, posterior(cast, candidates, accuracy)])),
  };
}

/** How many of its verdicts beside others' each source is expected to have right. */
function expectedRight(units: readonly Unit[], accuracy: ReadonlyMap<string, number>): Map<string, number> {
  const right = new Map<string, number>();
  for (const { cast, candidates } of units) {
    if (cast.length < 2) continue;
    const truth = posterior(cast, candidates, accuracy);
    for (const { source, verdict } of cast) {
      let share = 0;
      for (const [candidate, probability] of truth) if (fits(verdict, candidate)) share += probability;
      right.set(source, (right.get(source) ?? 0) + share);
    }
  }
  return right;
}

/**
 * Probability of each verdict on one answer, given how often each source is right; of sources that nothing is known of, as often as is
 * supposed before.
 */
export const weighBallots = (
  cast: readonly Omit<Ballot, 'unit'>[],
  reliability: ReadonlyMap<string, Reliability>,
): Map<string, number> =>
  posterior(
    cast,
    candidatesOf(cast),
    new Map(cast.map(({ source }) => [source, (reliability.get(source) ?? UNKNOWN).accuracy])),
  );

/** Answers that may be right: what was answered, what was named instead, and one that nobody named. */
const candidatesOf = (cast: readonly Omit<Ballot, 'unit'>[]): string[] => [
  ...new Set([
    AS_ANSWERED,
    ...cast.map(({ verdict }) => verdict).filter((verdict) => verdict !== NOT_AS_ANSWERED),
    OTHER,
  ]),
];

/** Whether a verdict is true if the candidate is. */
const fits = (verdict: string, candidate: string): boolean =>
  verdict === NOT_AS_ANSWERED ? candidate !== AS_ANSWERED : verdict === candidate;

function posterior(
  cast: readonly Omit<Ballot, 'unit'>[],
  candidates: readonly string[],
  accuracy: ReadonlyMap<string, number>,
): Map<string, number> {
  const logs = candidates.map((candidate) => {
    let log = 0;
    for (const { source, verdict } of cast) {
      const p = accuracy.get(source)!;
      const wrongWays = verdict === NOT_AS_ANSWERED || candidates.length === 2 ? 1 : candidates.length - 1;
      log += Math.log(fits(verdict, candidate) ? p : (1 - p) / wrongWays);
    }
    return log;
  });
  const shares = softmax(logs);
  return new Map(candidates.map((candidate, i) => [candidate, shares[i]!]));
}

function reliabilityOf(accuracy: number, compared: number): Reliability {
  return { accuracy, weight: Math.max(0, 2 * accuracy - 1), compared };
}
