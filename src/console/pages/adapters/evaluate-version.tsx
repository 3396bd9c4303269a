import { Group, NumberInput, Select, Text } from '@mantine/core';
import { useState } from 'react';
import { useQuery } from 'urql';
import {
  EvaluateInConsoleDocument,
  EvaluationPlannedDocument,
  EvaluationShownDocument,
  type Split,
} from '../../generated/operations';
import { useChoices } from '../../parts/choices';
import { rowsOf } from '../../parts/format';
import { RunDialog } from '../../parts/run-dialog';
import { useStartedRun } from '../../parts/use-run';
import { Note } from '../../parts/words';
import type { Version } from './adapter-view';

const SPLITS = [
  { value: 'TEST', label: 'Test' },
  { value: 'VALIDATION', label: 'Validation' },
];

/** The newest usable version of each dataset, and the one that it learned from. */
function useRows(trainedOn: Version['trainedOn']): { value: string; label: string }[] {
  const versions = useChoices().datasets.flatMap(({ name, latestVersion }) =>
    latestVersion?.usable ? [{ ...latestVersion, dataset: { name } }] : [],
  );
  const all = trainedOn && !versions.some(({ id }) => id === trainedOn.id) ? [trainedOn, ...versions] : versions;
  return all.map((version) => ({ value: version.id, label: rowsOf(version) }));
}

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
  const choices = useRows(trainedOn);
  const run = useStartedRun(EvaluateInConsoleDocument, EvaluationShownDocument);
  const [datasetVersion, setDatasetVersion] = useState<string | null>(trainedOn?.id ?? null);
  const [split, setSplit] = useState<Split>('TEST');
  const [rows, setRows] = useState(500);
  const [{ data: planned }] = useQuery({
    query: EvaluationPlannedDocument,
    variables: { datasetVersion: datasetVersion ?? '', rows },
    pause: datasetVersion === null || split !== 'TEST' || task !== 'CLASSIFICATION',
  });
  return (
    <RunDialog
      run={run}
      action={`Evaluate version ${version}`}
      waits="Answering the rows…"
      disabled={datasetVersion === null}
      onStart={() =>
        datasetVersion !== null && run.start({ adapter: `${adapter}@${version}`, datasetVersion, split, rows })
      }
      onClose={onClose}
    >
      <Text size="sm">
        It answers rows that it did not learn from, and so does the base model alone; each figure comes with its
        interval.
      </Text>
      <Select
        label="Rows of"
        data={choices}
        value={datasetVersion}
        allowDeselect={false}
        onChange={setDatasetVersion}
      />
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
      {split === 'TEST' && planned && <Note>{planned.planEvaluation.sentence}</Note>}
    </RunDialog>
  );
}
