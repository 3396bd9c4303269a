import { Badge, Group, Stack, Text } from '@mantine/core';
import { useInputState } from '@mantine/hooks';
import { IconTable } from '@tabler/icons-react';
import { useState } from 'react';
import { useQuery } from 'urql';
import { useLocation } from 'wouter';
import {
  CreateDatasetDocument,
  DataFieldsDocument,
  DatasetListDocument,
  type DatasetListQuery,
  type TaskKind,
} from '../../generated/operations';
import { Form, NameField, OneOf, useCreating, useSend } from '../../parts/form';
import { count, words } from '../../parts/format';
import { Listed } from '../../parts/loaded';
import { Card, EmptyState, Note } from '../../parts/page';
import { datasetPath } from '../../parts/paths';
import { usePages } from '../../parts/use-pages';

type Dataset = DatasetListQuery['datasets']['edges'][number]['node'];

function NewDataset({ onClose }: { onClose: () => void }) {
  const [, go] = useLocation();
  const [name, setName] = useInputState('');
  const [task, setTask] = useState<string | null>('CLASSIFICATION');
  const [{ data }] = useQuery({ query: DataFieldsDocument });
  const tasks = data?.tasks?.enumValues ?? [];
  const create = useSend(CreateDatasetDocument, ({ createDataset }) => go(datasetPath(createDataset.dataset.name)));
  return (
    <Form
      sending={create}
      onSubmit={() => create.send({ name: name.trim(), task: task as TaskKind })}
      action="Create"
      waits="Creating…"
      disabled={name.trim() === '' || task === null}
      onCancel={onClose}
    >
      <NameField value={name} onChange={setName} />
      <OneOf
        label="What it teaches"
        description={tasks.find((kind) => kind.name === task)?.description}
        data={tasks.map((kind) => ({ value: kind.name, label: words(kind.name) }))}
        value={task}
        onChange={setTask}
      />
    </Form>
  );
}

function Newest({ version }: { version: Dataset['latestVersion'] }) {
  if (version === null) return <Badge color="gray">no version yet</Badge>;
  const { train, validation, test, quarantined } = version.counts;
  return (
    <Group gap="xs">
      <Text size="sm">
        version {version.version}: {count(train)} rows to train, {count(validation)} to validate, {count(test)} to test
      </Text>
      {quarantined > 0 && <Badge color="yellow">{count(quarantined)} kept out</Badge>}
      <Badge color={version.usable ? 'green' : 'red'}>{version.usable ? 'usable' : 'not usable'}</Badge>
    </Group>
  );
}

export function DatasetList() {
  const pages = usePages(DatasetListDocument, { first: 50 }, ({ datasets }) => datasets);
  const creating = useCreating('New dataset', NewDataset);
  return (
    <Stack>
      {pages.edges.length > 0 && <Group justify="flex-end">{creating.button}</Group>}
      <Listed
        pages={pages}
        what="the datasets"
        more="Show more datasets"
        gap="md"
        empty={
          <EmptyState icon={IconTable} title="No dataset yet" action={creating.button}>
            Make one and drop a CSV, TSV, JSONL or Parquet file into it: every row is checked before anything learns
            from it.
          </EmptyState>
        }
      >
        {({ name, description, task, latestVersion }) => (
          <Card href={datasetPath(name)}>
            <Group justify="space-between" gap="sm">
              <div>
                <Group gap="xs">
                  <Text fw={600}>{name}</Text>
                  <Badge color="blue">{words(task)}</Badge>
                </Group>
                {description && <Note>{description}</Note>}
              </div>
              <Newest version={latestVersion} />
            </Group>
          </Card>
        )}
      </Listed>
      {creating.dialog}
    </Stack>
  );
}
