import { Group, Progress, Text } from '@mantine/core';
import { IconSchool } from '@tabler/icons-react';
import { TrainingRunListDocument, type TrainingRunShownFragment } from '../../generated/operations';
import { useCreating } from '../../parts/form';
import { dateTime, rowsOf } from '../../parts/format';
import { Listed } from '../../parts/loaded';
import { Card, EmptyState, Note, PageHeader } from '../../parts/page';
import { trainingPath } from '../../parts/paths';
import { isOpen, RunBadge } from '../../parts/runs';
import { usePages } from '../../parts/use-pages';
import { StartTraining } from './start-training';

function TrainingRow({ run }: { run: TrainingRunShownFragment }) {
  const open = isOpen(run.status);
  return (
    <Card href={trainingPath(run.id)}>
      <Group justify="space-between" gap="sm" wrap="nowrap" align="flex-start">
        <div style={{ minWidth: 0, flex: 1 }}>
          <Group gap="xs">
            <Text fw={600}>
              {run.adapterName}
              {run.result && `@${run.result.version}`}
            </Text>
            <RunBadge status={run.status} />
            <Note size="xs">{dateTime(run.createdAt)}</Note>
          </Group>
          <Note lineClamp={1}>
            {run.datasetVersion ? rowsOf(run.datasetVersion) : 'rows that were deleted'}
            {run.model && ` · ${run.model.model.name} ${run.model.quantization}`}
          </Note>
          <Text size="sm" c={run.error ? 'var(--mantine-color-red-light-color)' : 'dimmed'} lineClamp={2}>
            {run.error?.message ?? run.message}
          </Text>
          {open && <Progress mt={6} value={run.progress * 100} aria-label={`Progress of ${run.adapterName}`} />}
        </div>
      </Group>
    </Card>
  );
}

/** What trains, waits and has trained. */
export function TrainingList() {
  const pages = usePages(TrainingRunListDocument, { first: 50 }, ({ runs }) => runs);
  const starting = useCreating('Train an adapter', StartTraining);
  return (
    <>
      <PageHeader title="Training" actions={pages.edges.length > 0 && starting.button}>
        Rows of your own become an adapter, on this machine; questions go first.
      </PageHeader>
      <Listed
        pages={pages}
        what="the training runs"
        more="Show more runs"
        gap="md"
        empty={
          <EmptyState icon={IconSchool} title="Nothing was trained yet" action={starting.button}>
            An adapter is a small change to the model that learns one task from labelled rows: routing, sentiment, names
            in texts, answers in your wording.
          </EmptyState>
        }
      >
        {(run) => run.__typename === 'TrainingRun' && <TrainingRow run={run} />}
      </Listed>
      {starting.dialog}
    </>
  );
}
