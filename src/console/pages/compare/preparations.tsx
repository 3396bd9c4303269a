import { Group, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import {
  FitHybridDocument,
  HybridFitProgressDocument,
  IndexDatasetDocument,
  LabelIndexingProgressDocument,
  type ComparedVersionsQuery,
} from '../../generated/operations';
import { WaitingButton } from '../../parts/form';
import { plural } from '../../parts/format';
import { RunProgress, useStartedRun, type RunShown } from '../../parts/runs';

type Version = NonNullable<ComparedVersionsQuery['dataset']>['versions']['edges'][number]['node'];

/** Something that can be prepared by a run: what it is good for, and the button. */
function Preparation(props: {
  run: RunShown;
  action: string;
  waits: string;
  onStart: () => unknown;
  children: ReactNode;
}) {
  const { run, action, waits, onStart, children } = props;
  return (
    <>
      <Group justify="space-between" gap="sm">
        <Text size="sm" flex="1 1 300px">
          {children}
        </Text>
        <WaitingButton size="compact-sm" variant="default" waits={run.busy && waits} onClick={onStart}>
          {action}
        </WaitingButton>
      </Group>
      <RunProgress run={run} />
    </>
  );
}

function IndexRows({ version, onChange }: { version: Version; onChange: () => void }) {
  const run = useStartedRun(IndexDatasetDocument, LabelIndexingProgressDocument);
  const start = async () => {
    if (await run.start({ datasetVersion: version.id })) onChange();
  };
  if (version.labelIndex)
    return (
      <Text size="sm">
        Retrieval reads labels off the nearest of {plural(version.labelIndex.rows, 'row')} for training; these label{' '}
        {(100 * version.labelIndex.accuracy).toFixed(1)} % of each other rightly.
      </Text>
    );
  return (
    <Preparation run={run} action="Index the labelled rows" waits="Indexing the rows…" onStart={start}>
      The rows for training can answer, too: those nearest to a question say its label. They have to be indexed once.
    </Preparation>
  );
}

function FitHybrid({ adapter }: { adapter: string }) {
  const run = useStartedRun(FitHybridDocument, HybridFitProgressDocument);
  const [name, version] = adapter.split('@') as [string, string];
  return (
    <Preparation
      run={run}
      action="Fit both together"
      waits="Fitting…"
      onStart={() => run.start({ adapter: name, version: Number(version) })}
    >
      How much {adapter} and the labelled rows count together can be fitted on rows for validation; else both count
      alike.
    </Preparation>
  );
}

/** What makes retrieval, and an adapter together with it, answer rows of labels as well as they can. */
export function Preparations(props: {
  version: Version;
  adapter: string | null;
  /** The version has an index now. */
  onChange: () => void;
}) {
  const { version, adapter, onChange } = props;
  return (
    <Stack gap="xs">
      <IndexRows key={version.id} version={version} onChange={onChange} />
      {version.labelIndex && adapter?.includes('@') && <FitHybrid key={adapter} adapter={adapter} />}
    </Stack>
  );
}
