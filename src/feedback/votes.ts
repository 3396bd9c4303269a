import type { Feedback, GivenSource } from './feedback.js';

/** How sources are told apart. */
export const sourceKey = ({ givenBy, kind, name }: Omit<GivenSource, 'givenByName'>): string =>
  `${givenBy} ${kind} ${name}`;

/** One vote a source: what it expects says more than how it judges. */
export function votesOf(feedback: readonly Feedback[]): { source: string; verdict: string }[] {
  const votes = new Map<string, { source: string; verdict: string; kind: string }>();
  for (const { sourceKind, sourceName, givenBy, verdict, kind } of feedback) {
    const source = sourceKey({ kind: sourceKind, name: sourceName, givenBy });
    if (verdict === null || (votes.has(source) && kind !== 'EXPECTATION')) continue;
    votes.set(source, { source, verdict, kind });
  }
  return [...votes.values()];
}
