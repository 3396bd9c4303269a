import { fill, type BatchUnit } from './batches.js';
import type { Example } from './job.js';

/** Examples that go through the model as one: their common beginning is computed once. An example of no group is alone. */
export interface Family extends BatchUnit {
  members: readonly Example[];
  /** Places of the members in the run's list. */
  rows: readonly number[];
  /** Tokens that all of them begin with; 0 for one alone. */
  shared: number;
}

/** Neighbours of one group are a family, in their order. */
export function familiesOf(examples: readonly Example[]): Family[] {
  const groups: { members: Example[]; rows: number[] }[] = [];
  examples.forEach((example, row) => {
    const last = groups.at(-1);
    const joins = example.group !== undefined && example.group === last?.members[0]?.group;
    if (last !== undefined && joins) {
      last.members.push(example);
      last.rows.push(row);
    } else groups.push({ members: [example], rows: [row] });
  });
  return groups.map(({ members, rows }) => {
    const shared = members.length === 1 ? 0 : commonBeginning(members);
    const length = members.reduce((sum, { ids }) => sum + ids.length - 1 - shared, shared);
    return { members, rows, shared, length, examples: members.length };
  });
}

/** At least one given token of each stays its own, from which its answer's first is predicted. */
function commonBeginning(members: readonly Example[]): number {
  const [first, ...others] = members;
  const most = Math.min(...members.map(({ answerFrom }) => answerFrom - 1));
  for (let at = 0; at < most; at++) if (others.some(({ ids }) => ids[at] !== first!.ids[at])) return at;
  return most;
}

/** What is computed at once: examples side by side, or one family. */
export type Part = Pick<Family, 'members' | 'shared'>;

/** The families of a batch in parts of so many tokens with their padding, the shortest first; a family is a part of its own. */
export function partsOf(families: readonly Family[], budget: number): Part[] {
  const byLength = [...families].sort((a, b) => a.length - b.length);
  const alone = fill(byLength.filter(({ shared }) => shared === 0).flatMap(separate), {
    examples: Infinity,
    tokens: budget,
  });
  return [
    ...alone.map((part) => ({ members: part.flatMap(({ members }) => members), shared: 0 })),
    ...byLength.filter(({ shared }) => shared > 0),
  ];
}

/** A group whose members begin differently has nothing to share: each goes alone. */
const separate = ({ members }: Family): (BatchUnit & Part)[] =>
  members.map((member) => ({ members: [member], shared: 0, length: member.ids.length - 1, examples: 1 }));
