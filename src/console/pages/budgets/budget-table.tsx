import { Progress, Text } from '@mantine/core';
import type { BudgetFieldsFragment } from '../../generated/operations';
import { count, dateTime } from '../../parts/format';
import { Note, Section } from '../../parts/page';
import { DataTable } from '../../parts/table';

/** What a budget limits, in the order in which it is shown. */
export const LIMITS = [
  { name: 'requests', label: 'Requests', left: 'requestsLeft' },
  { name: 'tokens', label: 'Tokens', left: 'tokensLeft' },
  { name: 'concurrent', label: 'At once', left: 'concurrentLeft' },
  { name: 'trainingMinutes', label: 'Training, minutes', left: 'trainingMinutesLeft' },
] as const;
export type Limit = (typeof LIMITS)[number];

export const WINDOWS = [
  { value: 'HOUR', label: 'An hour' },
  { value: 'DAY', label: 'A day' },
  { value: 'MONTH', label: 'A month' },
] as const;

/** `BigInt`s come as numbers or text. */
export const numberOf = (value: number | string | null): number | null => (value === null ? null : Number(value));

/** How much of a limit is spent; null where there is none. */
function spentOf(budget: BudgetFieldsFragment, { name, left }: Limit): { limit: number; spent: number } | null {
  const [limit, rest] = [numberOf(budget[name]), numberOf(budget[left])];
  return limit === null || rest === null ? null : { limit, spent: limit - rest };
}

const rounded = (value: number): string => count(Math.round(value * 10) / 10);

function Spent({ budget, limit }: { budget: BudgetFieldsFragment; limit: Limit }) {
  const figures = spentOf(budget, limit);
  if (figures === null) return <Note>no limit</Note>;
  const share = figures.limit === 0 ? 100 : Math.min(100, (100 * figures.spent) / figures.limit);
  return (
    <>
      <Text size="sm">
        {rounded(figures.spent)} of {rounded(figures.limit)}
      </Text>
      <Progress
        value={share}
        size="sm"
        color={share >= 100 ? 'red' : share >= 80 ? 'yellow' : 'blue'}
        aria-label={`${limit.label}: ${Math.round(share)} % spent`}
      />
    </>
  );
}

/** The budgets of a key or of the workspace: limits, what is spent, and when it begins anew. */
export function BudgetTable(props: { title: string; says: string; budgets: readonly BudgetFieldsFragment[] }) {
  const { title, says, budgets } = props;
  return (
    <Section title={title} says={budgets.length === 0 ? 'No limit is set.' : says} data-testid="budgets-of">
      {budgets.length > 0 && (
        <DataTable
          label={title}
          minWidth={0}
          stacks={2}
          rows={budgets}
          columns={[
            { head: 'In', fw: 600, cell: ({ window }) => WINDOWS.find(({ value }) => value === window)?.label },
            ...LIMITS.map((limit) => ({
              head: limit.label,
              cell: (budget: BudgetFieldsFragment) => <Spent budget={budget} limit={limit} />,
            })),
            { head: 'Begins anew', cell: ({ resetsAt }) => dateTime(resetsAt) },
          ]}
        />
      )}
    </Section>
  );
}
