import type { Strategy } from '../../generated/operations.js';

interface Candidate {
  strategy: Strategy;
  order: number | null;
  probability: number | null;
}

/** Destinations of a question: what was chosen stands first, however probable the others are; then they stand as they were asked. */
export const inTurn = <Each extends Candidate>(route: { strategy: Strategy; candidates: readonly Each[] }): Each[] => {
  const rankOf = ({ strategy }: Candidate): number => Number(strategy !== route.strategy);
  return route.candidates.toSorted(
    (a, b) =>
      rankOf(a) - rankOf(b) ||
      (a.order ?? Number.MAX_VALUE) - (b.order ?? Number.MAX_VALUE) ||
      (b.probability ?? 0) - (a.probability ?? 0),
  );
};
