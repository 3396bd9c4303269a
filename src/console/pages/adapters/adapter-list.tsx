import { Badge, Button, Group, Text } from '@mantine/core';
import { IconPuzzle } from '@tabler/icons-react';
import { Link } from 'wouter';
import { AdapterListDocument } from '../../generated/operations';
import { productionOf } from '../../parts/choices';
import { plural, words } from '../../parts/format';
import { Listed } from '../../parts/loaded';
import { Card, EmptyState, Note, PageHeader } from '../../parts/page';
import { adapterPath } from '../../parts/paths';
import { usePages } from '../../parts/use-pages';

/** The adapters of the workspace, and which version of each answers. */
export function AdapterList() {
  const pages = usePages(AdapterListDocument, { first: 50 }, ({ adapters }) => adapters);
  return (
    <>
      <PageHeader title="Adapters">
        What was trained: shown to act, measured, and only then put into production.
      </PageHeader>
      <Listed
        pages={pages}
        what="the adapters"
        more="Show more adapters"
        gap="md"
        empty={
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
        }
      >
        {({ name, description, task, model, versions }) => {
          const production = productionOf(versions);
          return (
            <Card href={adapterPath(name)}>
              <Group justify="space-between" align="flex-start" gap="sm" className="page-header">
                <div>
                  <Group gap="xs">
                    <Text fw={600}>{name}</Text>
                    <Badge color="blue">{words(task)}</Badge>
                  </Group>
                  <Note>
                    {description && `${description} · `}
                    {model.name} · {plural(versions.length, 'version')}
                  </Note>
                </div>
                <Badge color={production ? 'green' : 'gray'}>
                  {production ? `version ${production.version} in production` : 'none in production'}
                </Badge>
              </Group>
            </Card>
          );
        }}
      </Listed>
    </>
  );
}
