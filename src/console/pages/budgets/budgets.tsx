import { Stack } from '@mantine/core';
import { useQuery } from 'urql';
import { BudgetsOfAllDocument } from '../../generated/operations';
import { ErrorState, Loading, PageHeader } from '../../parts/states';
import { BudgetTable } from './budget-table';
import { SetBudget, type Subject } from './set-budget';

export default function BudgetsPage() {
  const [{ data, error }, again] = useQuery({ query: BudgetsOfAllDocument });
  const workspace = data?.me.workspace;
  const keys = (data?.apiKeys.edges ?? []).map(({ node }) => node).filter(({ revokedAt }) => revokedAt === null);
  const subjects: Subject[] = [
    { value: '', label: 'The whole workspace', budgets: workspace?.budgets ?? [] },
    ...keys.map(({ id, name, prefix, budgets }) => ({ value: id, label: `${name} (${prefix})`, budgets })),
  ];
  return (
    <>
      <PageHeader title="Budgets">
        What may be spent, and what is: asked before each answer, search, embedding and run begins. Hours, days and
        months are those of UTC.
      </PageHeader>
      {error && !data && <ErrorState error={error} onRetry={again} />}
      {!error && !data && <Loading label="Loading the budgets" />}
      {workspace && (
        <Stack>
          <BudgetTable
            title={`Workspace ${workspace.name}`}
            says="All of its keys together."
            budgets={workspace.budgets}
          />
          {keys
            .filter(({ budgets }) => budgets.length > 0)
            .map(({ id, name, prefix, budgets }) => (
              <BudgetTable
                key={id}
                title={`${name} (${prefix})`}
                says="This key, and those that follow it by rotation."
                budgets={budgets}
              />
            ))}
          <SetBudget subjects={subjects} />
        </Stack>
      )}
    </>
  );
}
