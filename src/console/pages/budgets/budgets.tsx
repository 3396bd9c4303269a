import { Stack } from '@mantine/core';
import { BudgetsOfAllDocument, type BudgetsOfAllQuery } from '../../generated/operations';
import { ShowMore } from '../../parts/show-more';
import { ErrorState, Loading, PageHeader } from '../../parts/states';
import { usePages } from '../../parts/use-pages';
import { BudgetTable } from './budget-table';
import { SetBudget } from './set-budget';

const connectionOf = (data: BudgetsOfAllQuery) => data.apiKeys;

export default function BudgetsPage() {
  const pages = usePages({ query: BudgetsOfAllDocument, variables: {}, connectionOf });
  const { data, edges, error, again } = pages;
  const workspace = data?.me.workspace;
  const keys = edges.map(({ node }) => node).filter(({ revokedAt }) => revokedAt === null);
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
          <ShowMore pages={pages} label="Look through older keys" />
          <SetBudget workspace={workspace} keys={keys} />
        </Stack>
      )}
    </>
  );
}
