import { Button, Group, Modal, Paper, Progress, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPlus, IconSchool } from '@tabler/icons-react';
import { Link } from 'wouter';
import {
  TrainingRunListDocument,
  type TrainingRunListQuery,
  type TrainingRunShownFragment,
} from '../../generated/operations';
import { dateTime } from '../../parts/format';
import { RunBadge } from '../../parts/run-progress';
import { ShowMore } from '../../parts/show-more';
import { EmptyState, ErrorState, Loading, PageHeader } from '../../parts/states';
import { usePages } from '../../parts/use-pages';
import { StartTraining, trainingPath } from './start-training';

const PAGE = 50;
const connectionOf = (data: TrainingRunListQuery) => data.runs;

function TrainingRow({ run }: { run: TrainingRunShownFragment }) {
  const open = run.status === 'QUEUED' || run.status === 'RUNNING' || run.status === 'PAUSED';
  return (
    <Paper component={Link} href={trainingPath(run.id)} c="inherit" td="none" className="card-link">
      <Group justify="space-between" gap="sm" wrap="nowrap" align="flex-start">
        <div style={{ minWidth: 0, flex: 1 }}>
          <Group gap="xs">
            <Text fw={600}>
              {run.adapterName}
              {run.result && `@${run.result.version}`}
            </Text>
            <RunBadge status={run.status} />
            <Text size="xs" c="dimmed">
              {dateTime(run.createdAt)}
            </Text>
          </Group>
          <Text size="sm" c="dimmed" lineClamp={1}>
            {run.datasetVersion
              ? `${run.datasetVersion.dataset.name}, version ${run.datasetVersion.version}`
              : 'rows that were deleted'}
            {run.model && ` · ${run.model.model.name} ${run.model.quantization}`}
          </Text>
          <Text size="sm" c={run.error ? 'var(--mantine-color-red-light-color)' : 'dimmed'} lineClamp={2}>
            {run.error?.message ?? run.message}
          </Text>
          {open && <Progress mt={6} value={run.progress * 100} aria-label={`Progress of ${run.adapterName}`} />}
        </div>
      </Group>
    </Paper>
  );
}

/** What trains, waits and has trained. */
export function TrainingList() {
  const pages = usePages({
    query: TrainingRunListDocument,
    variables: { first: PAGE },
    connectionOf,
  });
  const { data, edges, error, again } = pages;
  const [starting, { open, close }] = useDisclosure();
  const button = (
    <Button leftSection={<IconPlus size={16} />} onClick={open}>
      Train an adapter
    </Button>
  );
  const runs = edges.flatMap(({ node }) => (node.__typename === 'TrainingRun' ? [node] : []));
  return (
    <>
      <PageHeader title="Training" actions={runs.length > 0 && button}>
        Rows of your own become an adapter, on this machine; questions go first.
      </PageHeader>
      {error && !data && <ErrorState error={error} onRetry={again} />}
      {!data && !error && <Loading label="Loading the training runs" />}
      {data && runs.length === 0 && (
        <EmptyState icon={IconSchool} title="Nothing was trained yet" action={button}>
          An adapter is a small change to the model that learns one task from labelled rows: routing, sentiment, names
          in texts, answers in your wording.
        </EmptyState>
      )}
      <Stack>
        {runs.map((run) => (
          <TrainingRow key={run.id} run={run} />
        ))}
        <ShowMore pages={pages} label="Show more runs" />
      </Stack>
      <Modal opened={starting} onClose={close} title={<Text fw={600}>Train an adapter</Text>}>
        <StartTraining onClose={close} />
      </Modal>
    </>
  );
}
