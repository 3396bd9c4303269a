import { Stack } from '@mantine/core';
import { BudgetsOfAllDocument } from '../../generated/operations';
import { Loaded, ShowMore } from '../../parts/loaded';
import { PageHeader } from '../../parts/page';
import { usePages } from '../../parts/use-pages';
import { BudgetTable } from './budget-table';
import { SetBudget } from './set-budget';

export default function BudgetsPage() {
  const pages = usePages(BudgetsOfAllDocument, {}, ({ apiKeys }) => apiKeys);
  const keys = pages.edges.map(({ node }) => node).filter(({ revokedAt }) => revokedAt === null);
  return (
    <>
      <PageHeader title="Budgets">
        What may be spent, and what is: asked before each answer, search, embedding and run begins. Hours, days and
        months are those of UTC.
      </PageHeader>
      <Loaded shown={pages} what="the budgets">
        {({ me: { workspace } }) => (
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
      </Loaded>
    </>
  );
}
