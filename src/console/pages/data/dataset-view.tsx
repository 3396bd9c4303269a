import { Tabs } from '@mantine/core';
import { IconTable } from '@tabler/icons-react';
import { useState } from 'react';
import { useQuery } from 'urql';
import { DatasetShownDocument, type DatasetShownQuery } from '../../generated/operations';
import { versionChoices } from '../../parts/choices';
import { OneOf } from '../../parts/form';
import { count, words } from '../../parts/format';
import { Opened } from '../../parts/loaded';
import { EmptyState, Gone, PageHeader } from '../../parts/page';
import { ImportFile, useImport } from './import-file';
import { VersionChanges } from './version-changes';
import { VersionReport } from './version-report';

type Dataset = NonNullable<DatasetShownQuery['dataset']>;

const NoVersion = () => (
  <EmptyState icon={IconTable} title="No version yet">
    Choose “Add a version” and drop a file.
  </EmptyState>
);

const NothingBefore = () => (
  <EmptyState icon={IconTable} title="Nothing to compare with">
    The oldest version has none before it. Choose a later one, or add a version.
  </EmptyState>
);

function OpenedDataset({ dataset, onImported }: { dataset: Dataset; onImported: () => void }) {
  const [chosenId, setChosen] = useState<string | null>(null);
  const [tab, setTab] = useState<string | null>(null);
  const run = useImport();
  const versions = dataset.versions.edges.map(({ node }) => node);
  const version = versions.find(({ id }) => id === chosenId) ?? versions[0];
  const previousVersion = version && versions[versions.indexOf(version) + 1];
  return (
    <>
      <PageHeader
        title={dataset.name}
        back={['/data', 'All data']}
        actions={
          version && (
            <OneOf
              aria-label="Version"
              w={310}
              maw="100%"
              data={versionChoices(versions)}
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
          {version && previousVersion ? (
            <VersionChanges
              id={version.id}
              against={previousVersion.id}
              label={`Version ${version.version} against version ${previousVersion.version}`}
            />
          ) : (
            <NothingBefore />
          )}
        </Tabs.Panel>
        {/* What was dropped and corrected stays while another tab is looked at. */}
        <Tabs.Panel value="import" keepMounted>
          <ImportFile
            dataset={dataset.name}
            task={dataset.task}
            extendable={version !== undefined}
            run={run}
            onDone={onImported}
          />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

/** One dataset: its report, its versions and what changed between them, and the way in for files. */
export function DatasetView({ name }: { name: string }) {
  const result = useQuery({ query: DatasetShownDocument, variables: { name } });
  return (
    <Opened
      shown={result}
      what="dataset"
      thing={({ dataset }) => dataset}
      missing={<Gone title={`There is no dataset “${name}”`} href="/data" all="All datasets" />}
    >
      {(dataset) => <OpenedDataset dataset={dataset} onImported={() => result[1]({ requestPolicy: 'network-only' })} />}
    </Opened>
  );
}
