import { GraftError } from '../../kernel/errors.js';

/**
 * Which kinds of runs a process takes.
 * @param named kinds, or with a minus those that others take; none: all are taken
 * @throws SETUP_FAILED for a kind that there isn’t, and for a list that says both
 */
export function takenKinds(named: readonly string[], kinds: readonly string[]): (kind: string) => boolean {
  const left = named.filter((name) => name.startsWith('-')).map((name) => name.slice(1));
  if (left.length > 0 && left.length < named.length)
    throw new GraftError('SETUP_FAILED', 'GRAFT_RUNS names kinds to take and kinds to leave: it is one or the other.');
  const listed = new Set(left.length > 0 ? left : named);
  const unknown = [...listed].find((name) => !kinds.includes(name));
  if (unknown !== undefined)
    throw new GraftError('SETUP_FAILED', `GRAFT_RUNS: ${JSON.stringify(unknown)} is no kind of runs.`, {
      hint: `There are ${kinds.toSorted().join(', ')}.`,
    });
  return (kind) => listed.size === 0 || listed.has(kind) !== left.length > 0;
}
