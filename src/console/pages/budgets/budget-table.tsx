import { Group, Paper, Progress, Table, Text, Title } from '@mantine/core';
import type { BudgetFieldsFragment } from '../../generated/operations';
import { count, dateTime } from '../../parts/format';
import { ScrollRegion } from '../../parts/scroll-region';
import { LIMITS, spentOf, WINDOWS, type Limit } from './limits';

const rounded = (value: number): string => count(Math.round(value * 10) / 10);

function Spent({ budget, limit }: { budget: BudgetFieldsFragment; limit: Limit }) {
  const found = spentOf(budget, limit);
  if (found === null)
    return (
      <Text size="sm" c="dimmed">
        no limit
      </Text>
    );
  const share = found.limit === 0 ? 100 : Math.min(100, (100 * found.spent) / found.limit);
  return (
    <>
      <Text size="sm">
        {rounded(found.spent)} of {rounded(found.limit)}
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
export function BudgetTable({
  title,
  says,
  budgets,
}: {
  title: string;
  says: string;
  budgets: readonly BudgetFieldsFragment[];
}) {
  return (
    <Paper data-testid="budgets-of">
      <Group gap="xs" mb={4}>
        <Title order={2} size="h3">
          {title}
        </Title>
      </Group>
      <Text size="sm" c="dimmed" mb="xs">
        {budgets.length === 0 ? 'No limit is set.' : says}
      </Text>
      {budgets.length > 0 && (
        <ScrollRegion minWidth={0} stacks={2}>
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>In</Table.Th>
                {LIMITS.map(({ name, label }) => (
                  <Table.Th key={name}>{label}</Table.Th>
                ))}
                <Table.Th>Begins anew</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {budgets.map((budget) => (
                <Table.Tr key={budget.window}>
                  <Table.Td fw={600} data-label="In">
                    {WINDOWS.find(({ value }) => value === budget.window)?.label}
                  </Table.Td>
                  {LIMITS.map((limit) => (
                    <Table.Td key={limit.name} data-label={limit.label}>
                      <Spent budget={budget} limit={limit} />
                    </Table.Td>
                  ))}
                  <Table.Td data-label="Begins anew">{dateTime(budget.resetsAt)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </ScrollRegion>
      )}
    </Paper>
  );
}
