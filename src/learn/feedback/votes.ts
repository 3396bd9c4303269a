import { groupBy } from '../../kernel/group-by.js';
import { FEEDBACK_KINDS, type Feedback, type GivenSource } from './feedback.js';

/** Who has a vote: a key, for all names that it sends, since whoever holds it can make names up; where no key is asked for, each name. */
export const voterOf = ({ givenBy, kind, name }: Omit<GivenSource, 'givenByName'>): string =>
  givenBy === '' ? `${kind} ${name}` : givenBy;

/** What a source says of an answer. */
export type Statement = Pick<Feedback, 'sourceKind' | 'sourceName' | 'givenBy' | 'kind' | 'verdict'>;

/** The strongest first: persons before programs before models, and what is right before a judgement. */
const STRENGTH = (['HUMAN', 'CODE', 'MODEL'] as const).flatMap((source) =>
  Object.keys(FEEDBACK_KINDS).map((kind) => `${source} ${kind}`),
);

/**
 * The votes on one answer, one a voter: what most of a key's names say, of those that say it in the strongest form. A key whose names contradict each
 * other evenly has none.
 */
export function votesOf(statements: readonly Statement[]): { voter: string; verdict: string }[] {
  const voters = groupBy(
    statements.filter(({ verdict }) => verdict !== null),
    ({ sourceKind, sourceName, givenBy }) => voterOf({ kind: sourceKind, name: sourceName, givenBy }),
  );
  return [...voters].flatMap(([voter, voterStatements]) => {
    const places = voterStatements.map(({ sourceKind, kind }) => STRENGTH.indexOf(`${sourceKind} ${kind}`));
    const first = Math.min(...places);
    const strongest = voterStatements.filter((_, i) => places[i] === first);
    const verdicts = groupBy(strongest, ({ verdict }) => verdict!);
    const maximum = Math.max(...[...verdicts.values()].map((group) => group.length));
    const leading = [...verdicts].filter(([, group]) => group.length === maximum);
    return leading.length === 1 ? [{ voter, verdict: leading[0]![0] }] : [];
  });
}
