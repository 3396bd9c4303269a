import { fuse } from '../retrieval/fuse.js';
import type { ScoredChunk } from '../retrieval/retrieval.js';
import type { TriedWeight } from './tuning-run.js';

/** Steps of the weight: between neighbours, no corpus of `bench -- retrieval` differs by more than .01. */
const WEIGHTS: readonly number[] = Array.from({ length: 11 }, (_, step) => step / 10);

/** Places after which a passage counts as not found. */
const DEPTH = 10;

/** What the two indexes found for a question, best first, and what they should have. */
export interface AskedQuestion {
  dense: readonly ScoredChunk[];
  lexical: readonly ScoredChunk[];
  right: ReadonlySet<string>;
}

/** 1 for a right passage at the first place, 1/2 at the second, 0 when none is among the first ten. */
export function reciprocalRank({ dense, lexical, right }: AskedQuestion, denseWeight: number): number {
  const place = fuse('HYBRID', dense, lexical, () => denseWeight)
    .slice(0, DEPTH)
    .findIndex(({ chunkId }) => right.has(chunkId));
  return place < 0 ? 0 : 1 / (place + 1);
}

/**
 * The weight that ranks best on every other question; of equals the one nearest to the present. The rest of the questions
 * has a say only in whether it is taken: where the present weight does better on them, it stays.
 * @param questions in an order that has nothing to do with where they come from
 */
export function chooseWeight(
  questions: readonly AskedQuestion[],
  present: number,
): { denseWeight: number; tried: TriedWeight[] } {
  const half = (parity: 0 | 1, weight: number): number => {
    const ranks = questions.filter((_, i) => i % 2 === parity).map((question) => reciprocalRank(question, weight));
    return ranks.reduce((sum, rank) => sum + rank, 0) / Math.max(1, ranks.length);
  };
  const measure = (denseWeight: number): TriedWeight => ({
    denseWeight,
    chosenOn: half(0, denseWeight),
    heldOut: half(1, denseWeight),
  });
  const weights = [...new Set([...WEIGHTS, present])].sort((a, b) => a - b);
  const trials = weights.map(measure);
  const distance = ({ denseWeight }: TriedWeight) => Math.abs(denseWeight - present);
  const best = trials.reduce((a, b) =>
    b.chosenOn > a.chosenOn || (b.chosenOn === a.chosenOn && distance(b) < distance(a)) ? b : a,
  );
  const now = trials.find(({ denseWeight }) => denseWeight === present)!;
  return { denseWeight: best.heldOut >= now.heldOut ? best.denseWeight : present, tried: trials };
}
