import type { Feedback, Source } from './feedback.js';

/** How sources are told apart. */
export const sourceKey = ({ kind, name }: Source): string => `${kind} ${name}`;

/** One vote a source: what it expects says more than how it judges. */
export function votesOf(feedback: readonly Feedback[]): { source: string; verdict: string }[] {
  const votes = new Map<string, { source: string; verdict: string; kind: string }>();
  for (const { sourceKind, sourceName, verdict, kind } of feedback) {
    const source = sourceKey({ kind: sourceKind, name: sourceName });
    if (verdict === null || (votes.has(source) && kind !== 'EXPECTATION')) continue;
    votes.set(source, { source, verdict, kind });
  }
  return [...votes.values()];
}
