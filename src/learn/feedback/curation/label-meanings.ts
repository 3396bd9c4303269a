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

/** @param others how many labels there are besides */
export function explanationsOf(
  answered: string,
  said: readonly VersionLessons[],
  scattered: number,
  others: number,
): Explanations {
  const each = said.map(({ counts, expected, told }) => ({
    counts,
    expected: expected(scattered),
    told: told(scattered),
  }));
  const all = (of: (one: (typeof each)[number]) => Explained): Explained => {
    const explained = each.map(of);
    return (selective) => explained.reduce((sum, one) => sum + one(selective), 0);
  };
  const named = new Set(said.flatMap(({ counts }) => [...counts.keys()]));
  named.delete(answered);
  return {
    stays: all(({ counts, expected }) => asBefore(answered, counts, expected)),
    staysTold: all(({ counts, told }) => asBefore(answered, counts, told)),
    lost: all(({ counts, expected }) => asAnything(answered, counts, expected, others)),
    is: new Map(
      [...named].map((label) => [
        label,
        {
          renamed: all(({ counts, expected }) => asRenamed(answered, label, counts, expected)),
          exchanged: all(({ counts, expected }) => asExchanged(answered, label, counts, expected)),
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
export function worldOf(explanations: ReadonlyMap<string, Explanations>, selective: number, others: number): World {
  const prior = (of: number, among: number): number => Math.log(of / STAYS / among);
  const [lostPrior, renamedPrior, exchangedPrior] = [
    prior(PRIOR.lost, 1),
    prior(PRIOR.renamed, others),
    prior(PRIOR.exchanged, others),
  ];
  const of = new Map<string, Hypotheses>();
  let evidence = 0;
  for (const [answered, explained] of explanations) {
    const [stays, staysTold] = [explained.stays(selective), explained.staysTold(selective)];
    const lost = lostPrior + explained.lost(selective) - stays;
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
    const alone = [...is].flatMap(([label, { renamed, exchanged }]) =>
      explanations.has(label) ? [renamed] : [renamed, exchanged],
    );
    const hypotheses = { lost, is, alone: Math.log(STAYS) + logSumExp([0, lost, ...alone]) };
    of.set(answered, hypotheses);
    evidence += stays + hypotheses.alone;
  }
  return { of, evidence: evidence + ofPairs(of) };
}

/**
 * Logarithm of how much more probable all lessons are where labels may have changed places, in pairs. The sum over all ways to pair them is not less than that over
 * pairs that share no label, the most probable first; and hardly more, since lessons name one partner.
 */
function ofPairs(of: ReadonlyMap<string, Hypotheses>): number {
  const pairs: { labels: [string, string]; log: number }[] = [];
  for (const [one, { is }] of of)
    for (const other of is.keys()) {
      if (one > other) continue;
      const log = pairOf(of, one, other);
      if (log > -Infinity) pairs.push({ labels: [one, other], log });
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
function pairOf(of: ReadonlyMap<string, Hypotheses>, one: string, other: string): number {
  const [a, b] = [of.get(one), of.get(other)];
  const [forth, back] = [a?.is.get(other), b?.is.get(one)];
  if (!a || !b || !forth || !back) return -Infinity;
  const both = (forth.exchanged + back.told + back.exchanged + forth.told) / 2;
  return Math.log(STAYS) + both - a.alone - b.alone;
}

/** Probabilities that a label has moved, and to which. */
export function movedIn({ of }: World, from: string): { any: number; to: Map<string, number> } {
  const { lost, is, alone } = of.get(from)!;
  const logs = [...is].map(([label, { renamed, exchanged }]) => {
    const pair = of.has(label) ? pairOf(of, from, label) + alone - Math.log(STAYS) : exchanged;
    return logSumExp([renamed, pair]);
  });
  const moved = logSumExp([lost, ...logs]);
  const all = logSumExp([0, moved]);
  return {
    any: Math.exp(moved - all),
    to: new Map([...is.keys()].map((label, i) => [label, Math.exp(logs[i]! - all)])),
  };
}
