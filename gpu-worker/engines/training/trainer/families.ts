import { fill, type BatchSize, type BatchUnit } from './batches.js';
import type { Example, Recipe } from './job.js';

/** Examples that go through the model as one: their common beginning is computed once. An example of no group is alone. */
export interface Family extends BatchUnit {
  members: readonly Example[];
  /** Places of the members in the run's list. */
  rows: readonly number[];
  /** Tokens that all of them begin with; 0 for one alone. */
  shared: number;
}

/** How large a family may be: the recipe's `batchExamples` and, as `microBatchTokens`, its `batchTokens`. */
export const familySize = ({ batchExamples, microBatchTokens }: Recipe): BatchSize => ({
  examples: batchExamples,
  tokens: microBatchTokens,
});

/**
 * Neighbours of one group are a family, in their order, up to the size: so many examples, and so many tokens or those of the longest example,
 * which goes through the model in any case. What is more begins another family.
 */
export function familiesOf(examples: readonly Example[], size: BatchSize = ANY_SIZE): Family[] {
  const tokens = examples.reduce((maximum, { ids }) => Math.max(maximum, ids.length - 1), size.tokens);
  const families: Family[] = [];
  examples.forEach((example, row) => {
    const last = families.at(-1);
    const joins = example.group !== undefined && example.group === last?.members[0]?.group;
    const joined = last && joins ? joinedBy(last, example, row) : null;
    if (joined && joined.examples <= size.examples && joined.length <= tokens) families[families.length - 1] = joined;
    else families.push({ members: [example], rows: [row], shared: 0, length: example.ids.length - 1, examples: 1 });
  });
  return families;
}

const ANY_SIZE: BatchSize = { examples: Infinity, tokens: Infinity };

function joinedBy(family: Family, example: Example, row: number): Family {
  const members = [...family.members, example];
  const [first] = members;
  const limit = family.examples === 1 ? given(first!) : family.shared;
  const shared = commonBeginning(first!, example, Math.min(limit, given(example)));
  const length = members.reduce((sum, { ids }) => sum + ids.length - 1 - shared, shared);
  return { members, rows: [...family.rows, row], shared, length, examples: members.length };
}

/** Tokens that an example may share: at least one that is given stays its own, from which its answer's first is predicted. */
const given = ({ answerFrom }: Example): number => answerFrom - 1;

function commonBeginning(a: Example, b: Example, limit: number): number {
  for (let index = 0; index < limit; index++) if (a.ids[index] !== b.ids[index]) return index;
  return limit;
}

/** What is computed at once: examples side by side, or one family. */
export type Part = Pick<Family, 'members' | 'shared'>;

/** The families of a batch in parts of so many tokens with their padding, the shortest first; a family is a part of its own. */
export function partsOf(families: readonly Family[], budget: number): Part[] {
  const byLength = [...families].sort((a, b) => a.length - b.length);
  const separateParts = fill(byLength.filter(({ shared }) => shared === 0).flatMap(separate), {
    examples: Infinity,
    tokens: budget,
  });
  return [
    ...separateParts.map((part) => ({ members: part.flatMap(({ members }) => members), shared: 0 })),
    ...byLength.filter(({ shared }) => shared > 0),
  ];
}

/** A group whose members begin differently has nothing to share: each goes alone. */
const separate = ({ members }: Family): (BatchUnit & Part)[] =>
  members.map((member) => ({ members: [member], shared: 0, length: member.ids.length - 1, examples: 1 }));
