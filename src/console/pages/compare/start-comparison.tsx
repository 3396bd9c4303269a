import { Group, NumberInput, Paper, Select, Stack, Text } from '@mantine/core';
import { IconScale } from '@tabler/icons-react';
import { useState } from 'react';
import { useMutation, useQuery } from 'urql';
import { useLocation } from 'wouter';
import {
  ComparedVersionsDocument,
  CompareInConsoleDocument,
  ComparisonScopeDocument,
  type Split,
} from '../../generated/operations';
import { dateTime } from '../../parts/format';
import { ErrorState } from '../../parts/states';
import { WaitingButton } from '../../parts/waiting-button';
import { adapterChoices } from '../adapters/choices';
import { comparisonPath } from './paths';
import { Preparations } from './preparations';

const MOST_ROWS = 4_000;

/** On which rows, and with which adapter. */
export function StartComparison() {
  const [, go] = useLocation();
  const [{ data: scope }] = useQuery({ query: ComparisonScopeDocument });
  const datasets = (scope?.datasets.edges ?? []).flatMap(({ node }) => (node.latestVersion ? [node.name] : []));
  const [chosenDataset, setDataset] = useState<string | null>(null);
  const dataset = chosenDataset ?? datasets[0] ?? null;
  const [{ data: answered, error: unread }, lookAgain] = useQuery({
    query: ComparedVersionsDocument,
    variables: { name: dataset ?? '' },
    pause: dataset === null,
  });
  // While another is read, what was read of the one before is still there.
  const read = answered?.dataset?.name === dataset ? answered.dataset : null;
  const versions = (read?.versions.edges ?? []).flatMap(({ node }) => (node.usable ? [node] : []));
  const [chosenVersion, setVersion] = useState<string | null>(null);
  const version = versions.find(({ id }) => id === chosenVersion) ?? versions[0];
  const [adapter, setAdapter] = useState<string | null>(null);
  const [split, setSplit] = useState<Split>('TEST');
  const [rows, setRows] = useState(200);
  const [{ error, fetching }, compare] = useMutation(CompareInConsoleDocument);

  const start = async () => {
    if (!version) return;
    const input = { datasetVersion: version.id, split, rows, ...(adapter === null ? {} : { adapter }) };
    const begun = await compare({ input: { ...input, idempotencyKey: crypto.randomUUID() } });
    if (begun.data) go(comparisonPath(begun.data.compareStrategies.run.id));
  };
  return (
    <Paper mb="lg">
      <Stack gap="sm">
        <Group gap="sm" align="flex-end">
          <Select
            label="Dataset"
            placeholder="Which one?"
            nothingFoundMessage="No dataset has a version yet."
            searchable
            allowDeselect={false}
            data={datasets}
            value={dataset}
            onChange={setDataset}
            flex="1 1 180px"
          />
          <Select
            label="Version"
            allowDeselect={false}
            data={versions.map((each) => ({
              value: each.id,
              label: `Version ${each.version} · ${dateTime(each.createdAt)}`,
            }))}
            value={version?.id ?? null}
            onChange={setVersion}
            flex="1 1 260px"
          />
          <Select
            label="Adapter"
            placeholder="None: only without one"
            clearable
            searchable
            nothingFoundMessage="No adapter yet: train one."
            data={adapterChoices(scope?.adapters.edges.map(({ node }) => node) ?? [])}
            value={adapter}
            onChange={setAdapter}
            flex="1 1 200px"
          />
          <Select
            label="Split"
            allowDeselect={false}
            data={[
              { value: 'TEST', label: `Test${version ? ` · ${version.counts.test}` : ''}` },
              { value: 'VALIDATION', label: `Validation${version ? ` · ${version.counts.validation}` : ''}` },
            ]}
            value={split}
            onChange={(value) => setSplit(value as Split)}
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
            waits={fetching ? 'Starting…' : null}
            onClick={() => void start()}
          >
            Compare
          </WaitingButton>
        </Group>
        <Text size="xs" c="dimmed">
          Each strategy answers each row once. Without an adapter, retrieval is held against the base model.
        </Text>
        {read?.task === 'CLASSIFICATION' && version && (
          <Preparations
            version={version}
            adapter={adapter}
            onChange={() => lookAgain({ requestPolicy: 'network-only' })}
          />
        )}
        {unread && <ErrorState error={unread} onRetry={lookAgain} />}
        {error && <ErrorState error={error} />}
      </Stack>
    </Paper>
  );
}
