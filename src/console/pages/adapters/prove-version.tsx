import { Group, NumberInput, Text } from '@mantine/core';
import { useState } from 'react';
import { useQuery } from 'urql';
import {
  AttestationProgressDocument,
  AttestAdapterDocument,
  EvaluateDocument,
  PlanEvaluationDocument,
  EvaluationProgressDocument,
  type Split,
} from '../../generated/operations';
import { useChoices } from '../../parts/choices';
import { OneOf } from '../../parts/form';
import { rowsOf } from '../../parts/format';
import { Note } from '../../parts/page';
import { RunDialog, useStartedRun } from '../../parts/runs';
import type { Version } from './version-card';

export function AttestVersion(props: { adapter: string; version: number; onClose: () => void }) {
  const { adapter, version, onClose } = props;
  const run = useStartedRun(AttestAdapterDocument, AttestationProgressDocument);
  return (
    <RunDialog
      run={run}
      action={`Attest version ${version}`}
      waits="Reading the prompts…"
      onStart={() => run.start({ adapter, version })}
      onClose={onClose}
    >
      <Text size="sm">
        Eight fixed prompts are read by the model with and without the adapter, where it is served and where it was
        trained. The two changes must agree, and nothing may stay when it is off. This takes a minute or two.
      </Text>
    </RunDialog>
  );
}

const SPLITS: { value: Split; label: string }[] = [
  { value: 'TEST', label: 'Test' },
  { value: 'VALIDATION', label: 'Validation' },
];

/** The newest usable version of each dataset, and the one that it learned from. */
function useRows(trainedOn: Version['trainedOn']): { value: string; label: string }[] {
  const versions = useChoices().datasets.flatMap(({ name, latestVersion }) =>
    latestVersion?.usable ? [{ ...latestVersion, dataset: { name } }] : [],
  );
  const candidates = trainedOn && !versions.some(({ id }) => id === trainedOn.id) ? [trainedOn, ...versions] : versions;
  return candidates.map((version) => ({ value: version.id, label: rowsOf(version) }));
}

export function EvaluateVersion(props: { adapter: string; task: string; version: Version; onClose: () => void }) {
  const {
    adapter,
    task,
    version: { version, trainedOn },
    onClose,
  } = props;
  const choices = useRows(trainedOn);
  const run = useStartedRun(EvaluateDocument, EvaluationProgressDocument);
  const [datasetVersion, setDatasetVersion] = useState<string | null>(trainedOn?.id ?? null);
  const [split, setSplit] = useState<Split>('TEST');
  const [rows, setRows] = useState(500);
  const [{ data: plan }] = useQuery({
    query: PlanEvaluationDocument,
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
      <OneOf label="Rows of" data={choices} value={datasetVersion} onChange={setDatasetVersion} />
      <Group grow>
        <OneOf label="Split" data={SPLITS} value={split} onChange={setSplit} />
        <NumberInput
          label="Most rows"
          min={1}
          max={5_000}
          step={100}
          value={rows}
          onChange={(value) => setRows(Number(value) || 1)}
        />
      </Group>
      {split === 'TEST' && plan && <Note>{plan.planEvaluation.sentence}</Note>}
    </RunDialog>
  );
}
