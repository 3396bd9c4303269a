import { Badge, Button, Group, Modal, Paper, Select, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPlus, IconTable } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useMutation, useQuery } from 'urql';
import { Link, useLocation } from 'wouter';
import {
  CreateDatasetInConsoleDocument,
  DataFieldsDocument,
  DatasetListDocument,
  type DatasetListQuery,
  type TaskKind,
} from '../../generated/operations';
import { count, words } from '../../parts/format';
import { usePages } from '../../parts/use-pages';
import { ShowMore } from '../../parts/show-more';
import { EmptyState, ErrorState, Loading } from '../../parts/states';
import { WaitingButton } from '../../parts/waiting-button';

const PAGE = 50;
const connectionOf = (data: DatasetListQuery) => data.datasets;

export const datasetPath = (name: string): string => `/data/${encodeURIComponent(name)}`;

function NewDataset({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [task, setTask] = useState<string | null>('CLASSIFICATION');
  const [{ error, fetching }, create] = useMutation(CreateDatasetInConsoleDocument);
  const [{ data }] = useQuery({ query: DataFieldsDocument });
  const [, go] = useLocation();
  const tasks = data?.tasks?.enumValues ?? [];
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const made = await create({ input: { name: name.trim(), task: task as TaskKind } });
    if (made.data) go(datasetPath(made.data.createDataset.dataset.name));
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        <TextInput
          label="Name"
          description="1 to 63 letters, digits, “.”, “_” or “-”"
          required
          data-autofocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Select
          label="What it teaches"
          description={tasks.find((each) => each.name === task)?.description}
          data={tasks.map((each) => ({ value: each.name, label: words(each.name) }))}
          value={task}
          allowDeselect={false}
          onChange={setTask}
        />
        {error && <ErrorState error={error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <WaitingButton
            type="submit"
            waits={fetching ? 'Creating…' : null}
            disabled={name.trim() === '' || task === null}
          >
            Create
          </WaitingButton>
        </Group>
      </Stack>
    </form>
  );
}

export function DatasetList() {
  const pages = usePages({
    query: DatasetListDocument,
    variables: { first: PAGE },
    connectionOf,
  });
  const { data, edges, error, again } = pages;
  const [creating, { open, close }] = useDisclosure();
  const button = (
    <Button leftSection={<IconPlus size={16} />} onClick={open}>
      New dataset
    </Button>
  );
  if (error && !data) return <ErrorState error={error} onRetry={again} />;
  if (!data) return <Loading label="Loading the datasets" />;
  return (
    <Stack>
      {edges.length === 0 ? (
        <EmptyState icon={IconTable} title="No dataset yet" action={button}>
          Make one and drop a CSV, TSV, JSONL or Parquet file into it: every row is checked before anything learns from
          it.
        </EmptyState>
      ) : (
        <Group justify="flex-end">{button}</Group>
      )}
      {edges.map(({ node: { id, name, description, task, latestVersion } }) => (
        <Paper key={id} component={Link} href={datasetPath(name)} c="inherit" td="none" className="card-link">
          <Group justify="space-between" gap="sm">
            <div>
              <Group gap="xs">
                <Text fw={600}>{name}</Text>
                <Badge color="blue">{words(task)}</Badge>
              </Group>
              {description && (
                <Text size="sm" c="dimmed">
                  {description}
                </Text>
              )}
            </div>
            {latestVersion === null ? (
              <Badge color="gray">no version yet</Badge>
            ) : (
              <Group gap="xs">
                <Text size="sm">
                  version {latestVersion.version}: {count(latestVersion.counts.train)} rows to train,{' '}
                  {count(latestVersion.counts.validation)} to validate, {count(latestVersion.counts.test)} to test
                </Text>
                {latestVersion.counts.quarantined > 0 && (
                  <Badge color="yellow">{count(latestVersion.counts.quarantined)} kept out</Badge>
                )}
                <Badge color={latestVersion.usable ? 'green' : 'red'}>
                  {latestVersion.usable ? 'usable' : 'not usable'}
                </Badge>
              </Group>
            )}
          </Group>
        </Paper>
      ))}
      <ShowMore pages={pages} label="Show more datasets" />
      <Modal opened={creating} onClose={close} title={<Text fw={600}>New dataset</Text>}>
        <NewDataset onClose={close} />
      </Modal>
    </Stack>
  );
}
