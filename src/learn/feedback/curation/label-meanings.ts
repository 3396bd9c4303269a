/** What a label may have become, and how probable that is. */
import { logSumExp } from '../../../kernel/softmax.js';
import { asAnything, asBefore, asExchanged, asRenamed, type Explained } from './lessons-of-label.js';
import type { VersionLessons } from './usual-errors.js';

/** How probable each is of a label before anybody said anything. */
const PRIOR = { renamed: 0.01, exchanged: 0.03, lost: 0.002 };
/** The same of having moved at all. */
export const MOVES = PRIOR.renamed + PRIOR.exchanged + PRIOR.lost;
const STAYS = 1 - MOVES;

/** How all lessons on a label are explained, at whatever rate wrong answers get feedback. */
export interface Explanations {
  stays: Explained;
  /** The same where lessons on other labels are known. */
  staysTold: Explained;
  lost: Explained;
  /** By the label that it is now, of those that a lesson names. */
  is: ReadonlyMap<string, { renamed: Explained; exchanged: Explained }>;
}

/** @param otherCount how many labels there are besides */
export function explanationsOf(
  answerLabel: string,
  versionLessons: readonly VersionLessons[],
  scattered: number,
  otherCount: number,
): Explanations {
  const expectations = versionLessons.map(({ counts, expected, told }) => ({
    counts,
    expected: expected(scattered),
    told: told(scattered),
  }));
  const sumOf = (explain: (one: (typeof expectations)[number]) => Explained): Explained => {
    const explained = expectations.map(explain);
    return (selective) => explained.reduce((sum, explanation) => sum + explanation(selective), 0);
  };
  const labels = new Set(versionLessons.flatMap(({ counts }) => [...counts.keys()]));
  labels.delete(answerLabel);
  return {
    stays: sumOf(({ counts, expected }) => asBefore(answerLabel, counts, expected)),
    staysTold: sumOf(({ counts, told }) => asBefore(answerLabel, counts, told)),
    lost: sumOf(({ counts, expected }) => asAnything(answerLabel, counts, expected, otherCount)),
    is: new Map(
      [...labels].map((label) => [
        label,
        {
          renamed: sumOf(({ counts, expected }) => asRenamed(answerLabel, label, counts, expected)),
          exchanged: sumOf(({ counts, expected }) => asExchanged(answerLabel, label, counts, expected)),
        },
      ]),
    ),
  };
}

/** How much better each hypothesis on a label explains its lessons than that it stays: logarithms of the odds, with its prior. */
interface Hypotheses {
  lost: number;
  /** By the label that it is now; `told`: without a prior, where lessons on that label are known. */
  is: ReadonlyMap<string, { renamed: number; exchanged: number; told: number }>;
  /** Logarithm of the probability of all but an exchange, against that of staying without its prior. */
  alone: number;
}

/** The hypotheses on all labels where wrong answers get feedback at one rate. */
export interface World {
  of: ReadonlyMap<string, Hypotheses>;
  /** Logarithm of the probability of all lessons. */
  evidence: number;
}

/** @param selective how many times likelier a wrong answer gets feedback than a right one */
export function worldOf(explanations: ReadonlyMap<string, Explanations>, selective: number, otherCount: number): World {
  const prior = (share: number, among: number): number => Math.log(share / STAYS / among);
  const [lostPrior, renamedPrior, exchangedPrior] = [
    prior(PRIOR.lost, 1),
    prior(PRIOR.renamed, otherCount),
    prior(PRIOR.exchanged, otherCount),
  ];
  const hypothesesByLabel = new Map<string, Hypotheses>();
  let evidence = 0;
  for (const [answerLabel, explained] of explanations) {
    const [stays, staysTold] = [explained.stays(selective), explained.staysTold(selective)];
    const lostLog = lostPrior + explained.lost(selective) - stays;
    const is = new Map(
      [...explained.is].map(([label, { renamed, exchanged: explainedSo }]) => {
        const exchanged = explainedSo(selective);
        return [
          label,
          {
            renamed: renamedPrior + renamed(selective) - stays,
            exchanged: exchangedPrior + exchanged - stays,
            told: exchanged - staysTold,
          },
        ];
      }),
    );
    // What it has changed places with needs no lessons of its own.
    const logs = [...is].flatMap(([label, { renamed, exchanged }]) =>
      explanations.has(label) ? [renamed] : [renamed, exchanged],
    );
    const hypotheses = { lost: lostLog, is, alone: Math.log(STAYS) + logSumExp([0, lostLog, ...logs]) };
    hypothesesByLabel.set(answerLabel, hypotheses);
    evidence += stays + hypotheses.alone;
  }
  return { of: hypothesesByLabel, evidence: evidence + ofPairs(hypothesesByLabel) };
}

/**
 * Logarithm of how much more probable all lessons are where labels may have changed places, in pairs. The sum over all ways to pair them is not less than that over
 * pairs that share no label, the most probable first; and hardly more, since lessons name one partner.
 */
function ofPairs(hypothesesByLabel: ReadonlyMap<string, Hypotheses>): number {
  const pairs: { labels: [string, string]; log: number }[] = [];
  for (const [first, { is }] of hypothesesByLabel)
    for (const second of is.keys()) {
      if (first > second) continue;
      const log = pairOf(hypothesesByLabel, first, second);
      if (log > -Infinity) pairs.push({ labels: [first, second], log });
    }
  pairs.sort((a, b) => b.log - a.log);
  const paired = new Set<string>();
  let sum = 0;
  for (const { labels, log } of pairs) {
    if (labels.some((label) => paired.has(label))) continue;
    for (const label of labels) paired.add(label);
    sum += logSumExp([0, log]);
  }
  return sum;
}

/**
 * Logarithm of the odds that the two have changed places, against all else that both may be. Lessons on one of them are known when those on the other are
 * weighed: whichever comes first, of which the (geometric) mean is taken, so that both have the same odds.
 */
function pairOf(hypothesesByLabel: ReadonlyMap<string, Hypotheses>, first: string, second: string): number {
  const [a, b] = [hypothesesByLabel.get(first), hypothesesByLabel.get(second)];
  const [forth, back] = [a?.is.get(second), b?.is.get(first)];
  if (!a || !b || !forth || !back) return -Infinity;
  const mean = (forth.exchanged + back.told + back.exchanged + forth.told) / 2;
  return Math.log(STAYS) + mean - a.alone - b.alone;
}

/** Probabilities that a label has moved, and to which. */
export function movedIn({ of }: World, from: string): { any: number; to: Map<string, number> } {
  const { lost, is, alone } = of.get(from)!;
  const logs = [...is].map(([label, { renamed, exchanged }]) => {
    const pair = of.has(label) ? pairOf(of, from, label) + alone - Math.log(STAYS) : exchanged;
    return logSumExp([renamed, pair]);
  });
  const movedLog = logSumExp([lost, ...logs]);
  const totalLog = logSumExp([0, movedLog]);
  return {
    any: Math.exp(movedLog - totalLog),
    to: new Map([...is.keys()].map((label, i) => [label, Math.exp(logs[i]! - totalLog)])),
  };
}
