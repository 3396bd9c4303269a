import { Badge, Button, Group, Paper, Stack, Text } from '@mantine/core';
import { IconPuzzle } from '@tabler/icons-react';
import { Link } from 'wouter';
import { AdapterListDocument, type AdapterListQuery } from '../../generated/operations';
import { plural, words } from '../../parts/format';
import { ShowMore } from '../../parts/show-more';
import { EmptyState, ErrorState, Loading, PageHeader } from '../../parts/states';
import { usePages } from '../../parts/use-pages';
import { adapterPath } from './paths';

const PAGE = 50;
const connectionOf = (data: AdapterListQuery) => data.adapters;

/** The adapters of the workspace, and which version of each answers. */
export function AdapterList() {
  const pages = usePages({
    query: AdapterListDocument,
    variables: { first: PAGE },
    connectionOf,
  });
  const { data, edges, error, again } = pages;
  return (
    <>
      <PageHeader title="Adapters">
        What was trained: shown to act, measured, and only then put into production.
      </PageHeader>
      {error && !data && <ErrorState error={error} onRetry={again} />}
      {!data && !error && <Loading label="Loading the adapters" />}
      {data && edges.length === 0 && (
        <EmptyState
          icon={IconPuzzle}
          title="No adapter yet"
          action={
            <Button component={Link} href="/training">
              Train one
            </Button>
          }
        >
          An adapter is a small change to the model that does one task. Training makes one from labelled rows.
        </EmptyState>
      )}
      <Stack>
        {edges.map(({ node: { id, name, description, task, model, versions } }) => {
          const production = versions.find(({ aliases }) => aliases.includes('PRODUCTION'));
          return (
            <Paper key={id} component={Link} href={adapterPath(name)} c="inherit" td="none" className="card-link">
              <Group justify="space-between" align="flex-start" gap="sm" className="page-header">
                <div>
                  <Group gap="xs">
                    <Text fw={600}>{name}</Text>
                    <Badge color="blue">{words(task)}</Badge>
                  </Group>
                  <Text size="sm" c="dimmed">
                    {description && `${description} · `}
                    {model.name} · {plural(versions.length, 'version')}
                  </Text>
                </div>
                <Badge color={production ? 'green' : 'gray'}>
                  {production ? `version ${production.version} in production` : 'none in production'}
                </Badge>
              </Group>
            </Paper>
          );
        })}
        <ShowMore pages={pages} label="Show more adapters" />
      </Stack>
    </>
  );
}
