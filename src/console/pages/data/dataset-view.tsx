import { Anchor, Button, Select, Stack, Tabs } from '@mantine/core';
import { IconFolderOff, IconTable } from '@tabler/icons-react';
import { useState } from 'react';
import { useQuery } from 'urql';
import { Link } from 'wouter';
import { DatasetShownDocument } from '../../generated/operations';
import { count, dateTime, words } from '../../parts/format';
import { EmptyState, ErrorState, Loading, PageHeader } from '../../parts/states';
import { ImportFile } from './import-file';
import { VersionChanges } from './version-changes';
import { VersionReport } from './version-report';

/** One dataset: its report, its versions and what changed between them, and the way in for files. */
export function DatasetView({ name }: { name: string }) {
  const [{ data, error }, again] = useQuery({ query: DatasetShownDocument, variables: { name } });
  const [chosen, setChosen] = useState<string | null>(null);
  const [tab, setTab] = useState<string | null>(null);
  const refresh = () => again({ requestPolicy: 'network-only' });
  if (error && !data) return <ErrorState error={error} onRetry={refresh} />;
  if (!data) return <Loading label="Loading the dataset" />;
  const { dataset } = data;
  if (!dataset)
    return (
      <EmptyState
        icon={IconFolderOff}
        title={`There is no dataset “${name}”`}
        action={
          <Button component={Link} href="/data">
            All datasets
          </Button>
        }
      />
    );
  const versions = dataset.versions.edges.map(({ node }) => node);
  const version = versions.find(({ id }) => id === chosen) ?? versions[0];
  const before = version && versions[versions.indexOf(version) + 1];
  return (
    <>
      <Anchor component={Link} href="/data" size="sm">
        ← All data
      </Anchor>
      <PageHeader
        title={dataset.name}
        actions={
          version && (
            <Select
              aria-label="Version"
              w={310}
              maw="100%"
              allowDeselect={false}
              data={versions.map((each) => ({
                value: each.id,
                label: `Version ${each.version} · ${dateTime(each.createdAt)}`,
              }))}
              value={version.id}
              onChange={setChosen}
            />
          )
        }
      >
        {words(dataset.task)}
        {version &&
          ` · ${count(version.counts.train)} rows to train, ${count(version.counts.validation)} to validate, ${count(version.counts.test)} to test · ${version.digest.slice(0, 12)}`}
      </PageHeader>
      <Tabs value={tab ?? (version ? 'report' : 'import')} onChange={setTab} keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="report">Report</Tabs.Tab>
          <Tabs.Tab value="changes">Changes</Tabs.Tab>
          <Tabs.Tab value="import">Add a version</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="report">
          {version ? <VersionReport key={version.id} id={version.id} /> : <NoVersion />}
        </Tabs.Panel>
        <Tabs.Panel value="changes">
          {version && before ? (
            <VersionChanges
              id={version.id}
              against={before.id}
              label={`Version ${version.version} against version ${before.version}`}
            />
          ) : (
            <EmptyState icon={IconTable} title="Nothing to compare with">
              The oldest version has none before it. Choose a later one, or add a version.
            </EmptyState>
          )}
        </Tabs.Panel>
        <Tabs.Panel value="import">
          <Stack>
            <ImportFile
              dataset={dataset.name}
              task={dataset.task}
              extendable={version !== undefined}
              onDone={refresh}
            />
          </Stack>
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

const NoVersion = () => (
  <EmptyState icon={IconTable} title="No version yet">
    Choose “Add a version” and drop a file.
  </EmptyState>
);
