import { GraftError } from '../../kernel/errors.js';

/**
 * Which kinds of runs a process takes.
 * @param names kinds, or with a minus those that others take; none: all are taken
 * @throws SETUP_FAILED for a kind that there isn’t, and for a list that says both
 */
export function takenKinds(names: readonly string[], kinds: readonly string[]): (kind: string) => boolean {
  const exclusions = names.filter((name) => name.startsWith('-')).map((name) => name.slice(1));
  if (exclusions.length > 0 && exclusions.length < names.length)
    throw new GraftError('SETUP_FAILED', 'GRAFT_RUNS names kinds to take and kinds to leave: it is one or the other.');
  const listed = new Set(exclusions.length > 0 ? exclusions : names);
  const unknown = [...listed].find((name) => !kinds.includes(name));
  if (unknown !== undefined)
    throw new GraftError('SETUP_FAILED', `GRAFT_RUNS: ${JSON.stringify(unknown)} is no kind of runs.`, {
      hint: `There are ${kinds.toSorted().join(', ')}.`,
    });
  return (kind) => listed.size === 0 || listed.has(kind) !== exclusions.length > 0;
}
