import { Group, Stack, Text } from '@mantine/core';
import { useMutation } from 'urql';
import {
  FitHybridInConsoleDocument,
  HybridFitShownDocument,
  IndexRowsInConsoleDocument,
  RowIndexingShownDocument,
  type ComparedVersionsQuery,
  type HybridFitShownSubscription,
  type RowIndexingShownSubscription,
} from '../../generated/operations';
import { plural } from '../../parts/format';
import { RunProgress } from '../../parts/run-progress';
import { ErrorState } from '../../parts/states';
import { useRun } from '../../parts/use-run';
import { WaitingButton } from '../../parts/waiting-button';

type Version = NonNullable<ComparedVersionsQuery['dataset']>['versions']['edges'][number]['node'];

const indexingOf = ({ labelIndexingProgress }: RowIndexingShownSubscription) => labelIndexingProgress;
const fitOf = ({ hybridFitProgress }: HybridFitShownSubscription) => hybridFitProgress;

const open = (event: { status: string } | null): boolean =>
  event !== null && (event.status === 'QUEUED' || event.status === 'RUNNING');

function IndexRows({ version, onChange }: { version: Version; onChange: () => void }) {
  const [{ error, fetching }, index] = useMutation(IndexRowsInConsoleDocument);
  const { event, error: lost, watch } = useRun(RowIndexingShownDocument, indexingOf);
  const start = async () => {
    const { data } = await index({ input: { datasetVersion: version.id, idempotencyKey: crypto.randomUUID() } });
    if (!data) return;
    await watch(data.indexDataset.run.id);
    onChange();
  };
  if (version.labelIndex)
    return (
      <Text size="sm">
        Retrieval reads labels off the nearest of {plural(version.labelIndex.rows, 'row')} for training; these label{' '}
        {(100 * version.labelIndex.accuracy).toFixed(1)} % of each other rightly.
      </Text>
    );
  return (
    <>
      <Group justify="space-between" gap="sm">
        <Text size="sm" flex="1 1 300px">
          The rows for training can answer, too: those nearest to a question say its label. They have to be indexed
          once.
        </Text>
        <WaitingButton
          size="compact-sm"
          variant="default"
          waits={fetching || open(event) ? 'Indexing the rows…' : null}
          onClick={() => void start()}
        >
          Index the labelled rows
        </WaitingButton>
      </Group>
      <RunProgress event={event} error={lost} />
      {error && <ErrorState error={error} />}
    </>
  );
}

function FitHybrid({ adapter }: { adapter: string }) {
  const [{ error, fetching }, fit] = useMutation(FitHybridInConsoleDocument);
  const { event, error: lost, watch } = useRun(HybridFitShownDocument, fitOf);
  const [name, version] = adapter.split('@') as [string, string];
  const start = async () => {
    const input = { adapter: name, version: Number(version), idempotencyKey: crypto.randomUUID() };
    const { data } = await fit({ input });
    if (data) await watch(data.fitHybrid.run.id);
  };
  return (
    <>
      <Group justify="space-between" gap="sm">
        <Text size="sm" flex="1 1 300px">
          How much {adapter} and the labelled rows count together can be fitted on rows for validation; else both count
          alike.
        </Text>
        <WaitingButton
          size="compact-sm"
          variant="default"
          waits={fetching || open(event) ? 'Fitting…' : null}
          onClick={() => void start()}
        >
          Fit both together
        </WaitingButton>
      </Group>
      <RunProgress event={event} error={lost} />
      {error && <ErrorState error={error} />}
    </>
  );
}

/** What makes retrieval, and an adapter together with it, answer rows of labels as well as they can. */
export function Preparations({
  version,
  adapter,
  onChange,
}: {
  version: Version;
  adapter: string | null;
  /** The version has an index now. */
  onChange: () => void;
}) {
  return (
    <Stack gap="xs">
      <IndexRows key={version.id} version={version} onChange={onChange} />
      {version.labelIndex && adapter?.includes('@') && <FitHybrid key={adapter} adapter={adapter} />}
    </Stack>
  );
}
