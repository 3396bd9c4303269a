import { Group, NumberInput, Paper, Select, Stack } from '@mantine/core';
import { IconScale } from '@tabler/icons-react';
import { useState } from 'react';
import { useQuery } from 'urql';
import { useLocation } from 'wouter';
import { ComparedVersionsDocument, CompareStrategiesDocument, type Split } from '../../generated/operations';
import { adapterChoices, useChoices, versionChoices, type Choices } from '../../parts/choices';
import { OneOf, useSend, WaitingButton } from '../../parts/form';
import { ErrorState, Note } from '../../parts/page';
import { comparisonPath } from '../../parts/paths';
import { Preparations } from './preparations';

const MOST_ROWS = 4_000;

/** The dataset that is chosen and its usable versions, by default the first and its newest. */
function useRows(allDatasets: Choices['datasets']) {
  const datasets = allDatasets.flatMap(({ name, latestVersion }) => (latestVersion ? [name] : []));
  const [chosenDataset, setDataset] = useState<string | null>(null);
  const [chosenVersion, setVersion] = useState<string | null>(null);
  const dataset = chosenDataset ?? datasets[0] ?? null;
  const [{ data, error }, refetch] = useQuery({
    query: ComparedVersionsDocument,
    variables: { name: dataset ?? '' },
    pause: dataset === null,
  });
  // While another is read, what was read of the one before is still there.
  const read = data?.dataset?.name === dataset ? data.dataset : null;
  const versions = (read?.versions.edges ?? []).flatMap(({ node }) => (node.usable ? [node] : []));
  const version = versions.find(({ id }) => id === chosenVersion) ?? versions[0];
  return { datasets, dataset, setDataset, versions, version, setVersion, task: read?.task, error, again: refetch };
}

function RowsFields({ rows }: { rows: ReturnType<typeof useRows> }) {
  const { datasets, dataset, setDataset, versions, version, setVersion } = rows;
  return (
    <>
      <OneOf
        label="Dataset"
        placeholder="Which one?"
        nothingFoundMessage="No dataset has a version yet."
        searchable
        data={datasets}
        value={dataset}
        onChange={setDataset}
        flex="1 1 180px"
      />
      <OneOf
        label="Version"
        data={versionChoices(versions)}
        value={version?.id ?? null}
        onChange={setVersion}
        flex="1 1 260px"
      />
    </>
  );
}

/** On which rows, and with which adapter. */
export function StartComparison() {
  const [, go] = useLocation();
  const choices = useChoices();
  const source = useRows(choices.datasets);
  const { version, task, error, again } = source;
  const [adapter, setAdapter] = useState<string | null>(null);
  const [split, setSplit] = useState<Split>('TEST');
  const [rows, setRows] = useState(200);
  const compare = useSend(CompareStrategiesDocument, (data) => go(comparisonPath(data.compareStrategies.run.id)));
  const start = () => {
    if (!version) return;
    const input = { datasetVersion: version.id, split, rows, ...(adapter !== null && { adapter }) };
    return compare.send({ ...input, idempotencyKey: crypto.randomUUID() });
  };
  const splitChoice = (value: Split, label: string, rowCount: number | undefined) => ({
    value,
    label: `${label}${rowCount === undefined ? '' : ` · ${rowCount}`}`,
  });
  return (
    <Paper mb="lg">
      <Stack gap="sm">
        <Group gap="sm" align="flex-end">
          <RowsFields rows={source} />
          <Select
            label="Adapter"
            placeholder="None: only without one"
            clearable
            searchable
            nothingFoundMessage="No adapter yet: train one."
            data={adapterChoices(choices.adapters)}
            value={adapter}
            onChange={setAdapter}
            flex="1 1 200px"
          />
          <OneOf
            label="Split"
            data={[
              splitChoice('TEST', 'Test', version?.counts.test),
              splitChoice('VALIDATION', 'Validation', version?.counts.validation),
            ]}
            value={split}
            onChange={setSplit}
            w={160}
          />
          <NumberInput
            label="Most rows"
            min={1}
            max={MOST_ROWS}
            step={50}
            value={rows}
            onChange={(value) => setRows(Number(value) || 1)}
            w={110}
          />
          <WaitingButton
            leftSection={<IconScale size={16} />}
            disabled={!version}
            waits={compare.fetching && 'Starting…'}
            onClick={start}
          >
            Compare
          </WaitingButton>
        </Group>
        <Note size="xs">
          Each strategy answers each row once. Without an adapter, retrieval is held against the base model.
        </Note>
        {task === 'CLASSIFICATION' && version && (
          <Preparations version={version} adapter={adapter} onChange={() => again({ requestPolicy: 'network-only' })} />
        )}
        <ErrorState error={error} onRetry={again} />
        <ErrorState error={compare.error} />
      </Stack>
    </Paper>
  );
}
