/**
 * Probabilities of several tests, raised so that one of them falls below a level by chance no more often than that level says: the
 * smallest counts as often as there are tests, the next once less, and none less than the one before (Holm 1979, “A Simple Sequentially
 * Rejective Multiple Test Procedure”). It holds however the tests depend on each other.
 * @returns in the order given, 0 to 1
 */
export function holm(ps: readonly number[]): number[] {
  const order = ps.map((p, place) => ({ p, place })).sort((a, b) => a.p - b.p);
  const raised = new Array<number>(ps.length);
  let minimum = 0;
  order.forEach(({ p, place }, rank) => {
    minimum = Math.max(minimum, Math.min(1, p * (ps.length - rank)));
    raised[place] = minimum;
  });
  return raised;
}
