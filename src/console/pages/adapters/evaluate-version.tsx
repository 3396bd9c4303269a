import { Button, Group, NumberInput, Select, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useMutation, useQuery } from 'urql';
import {
  EvaluateInConsoleDocument,
  EvaluationPlannedDocument,
  EvaluationShownDocument,
  TrainableVersionsDocument,
  type EvaluationShownSubscription,
  type Split,
} from '../../generated/operations';
import { RunProgress } from '../../parts/run-progress';
import { ErrorState } from '../../parts/states';
import { useRun } from '../../parts/use-run';
import { WaitingButton } from '../../parts/waiting-button';
import type { Version } from './adapter-view';

const eventOf = ({ evaluationProgress }: EvaluationShownSubscription) => evaluationProgress;
const SPLITS = [
  { value: 'TEST', label: 'Test' },
  { value: 'VALIDATION', label: 'Validation' },
];

export function EvaluateVersion({
  adapter,
  task,
  version: { version, trainedOn },
  onClose,
}: {
  adapter: string;
  task: string;
  version: Version;
  onClose: () => void;
}) {
  const [{ data }] = useQuery({ query: TrainableVersionsDocument });
  const [{ error, fetching }, evaluate] = useMutation(EvaluateInConsoleDocument);
  const { event, error: lost, watch } = useRun(EvaluationShownDocument, eventOf);
  const [rowsOf, setRowsOf] = useState<string | null>(trainedOn?.id ?? null);
  const [split, setSplit] = useState<Split>('TEST');
  const [rows, setRows] = useState(500);
  const [busy, setBusy] = useState(false);
  const [{ data: planned }] = useQuery({
    query: EvaluationPlannedDocument,
    variables: { datasetVersion: rowsOf ?? '', rows },
    pause: rowsOf === null || split !== 'TEST' || task !== 'CLASSIFICATION',
  });
  const newest = (data?.datasets.edges ?? []).flatMap(({ node: { name, latestVersion } }) =>
    latestVersion?.usable ? [{ value: latestVersion.id, label: `${name}, version ${latestVersion.version}` }] : [],
  );
  const choices =
    trainedOn && !newest.some(({ value }) => value === trainedOn.id)
      ? [{ value: trainedOn.id, label: `${trainedOn.dataset.name}, version ${trainedOn.version}` }, ...newest]
      : newest;
  const start = async () => {
    if (rowsOf === null) return;
    setBusy(true);
    const input = { adapter: `${adapter}@${version}`, datasetVersion: rowsOf, split, rows };
    const begun = await evaluate({ input: { ...input, idempotencyKey: crypto.randomUUID() } });
    if (begun.data) await watch(begun.data.evaluate.run.id);
    setBusy(false);
  };
  const done = event?.status === 'SUCCEEDED';
  return (
    <Stack>
      <Text size="sm">
        It answers rows that it did not learn from, and so does the base model alone; each figure comes with its
        interval.
      </Text>
      <Select label="Rows of" data={choices} value={rowsOf} allowDeselect={false} onChange={setRowsOf} />
      <Group grow>
        <Select
          label="Split"
          data={SPLITS}
          value={split}
          allowDeselect={false}
          onChange={(value) => setSplit(value as Split)}
        />
        <NumberInput
          label="Most rows"
          min={1}
          max={5_000}
          step={100}
          value={rows}
          onChange={(value) => setRows(Number(value) || 1)}
        />
      </Group>
      {split === 'TEST' && planned && (
        <Text size="sm" c="dimmed">
          {planned.planEvaluation.sentence}
        </Text>
      )}
      <RunProgress event={event} error={lost} />
      {error && <ErrorState error={error} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          {done ? 'Done' : 'Close'}
        </Button>
        {!done && (
          <WaitingButton
            waits={busy || fetching ? 'Answering the rows…' : null}
            disabled={rowsOf === null}
            onClick={() => void start()}
          >
            Evaluate version {version}
          </WaitingButton>
        )}
      </Group>
    </Stack>
  );
}
