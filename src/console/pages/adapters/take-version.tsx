import { Anchor, Button, Group, SegmentedControl, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useClient } from 'urql';
import {
  ExportAdapterDocument,
  AdapterExportProgressDocument,
  MergeAdapterDocument,
  AdapterMergeProgressDocument,
  TakenFileDocument,
  type TakenFileQuery,
} from '../../generated/operations';
import { WaitingButton } from '../../parts/form';
import { bytes } from '../../parts/format';
import { ErrorState, To } from '../../parts/page';
import { RunProgress, useStartedRun } from '../../parts/runs';
import { useDownload } from '../../parts/sign-in/download';

type Form = 'peft' | 'merged';
type Taken = Extract<NonNullable<TakenFileQuery['node']>, { __typename: 'AdapterExportRun' | 'AdapterMergeRun' }>;

const FORMS: Record<Form, string> = {
  peft: 'A ZIP archive of the folder that Python’s peft loads. Graft takes it in again, here or elsewhere.',
  merged:
    'One GGUF file of base model and adapter that any llama.cpp serves. It is held against the two as they are served here, and refused where it answers otherwise. This takes some minutes.',
};

/** Takes an adapter version out of Graft: as PEFT's folder, or merged into its base model. */
export function TakeVersion({ adapter, version, onClose }: { adapter: string; version: number; onClose: () => void }) {
  const client = useClient();
  const { download, error: notSaved } = useDownload();
  const [form, setForm] = useState<Form>('peft');
  const pack = useStartedRun(ExportAdapterDocument, AdapterExportProgressDocument);
  const merge = useStartedRun(MergeAdapterDocument, AdapterMergeProgressDocument);
  const [finishedRun, setTaken] = useState<Taken | null>(null);
  const run = form === 'peft' ? pack : merge;
  const start = async () => {
    setTaken(null);
    const startedRun = await run.start({ adapter, version });
    if (!startedRun) return;
    const { data } = await client.query(TakenFileDocument, { id: startedRun.id }, { requestPolicy: 'network-only' });
    const node = data?.node;
    if (node?.__typename === 'AdapterExportRun' || node?.__typename === 'AdapterMergeRun') setTaken(node);
  };
  return (
    <Stack>
      <SegmentedControl
        aria-label="In which form"
        value={form}
        disabled={run.busy}
        onChange={(value) => setForm(value)}
        data={[
          { value: 'peft', label: 'Folder for peft' },
          { value: 'merged', label: 'One model' },
        ]}
      />
      <Text size="sm">
        {FORMS[form]} It goes on without this window: the file then stands at its{' '}
        <To href="/runs" inherit underline="always">
          run
        </To>
        .
      </Text>
      <RunProgress run={run} />
      <ErrorState error={notSaved} />
      {finishedRun?.file && (
        <Text size="sm">
          <Anchor href={finishedRun.file.path} download={finishedRun.file.name} onClick={download}>
            {finishedRun.file.name}
          </Anchor>
          , {bytes(finishedRun.file.bytes)}
        </Text>
      )}
      {finishedRun?.__typename === 'AdapterMergeRun' && finishedRun.parity && (
        <Text size="sm" data-testid="merge-parity">
          Against base model and adapter at {finishedRun.parity.places} places: mean KL divergence{' '}
          {finishedRun.parity.meanKl.toPrecision(2)} nats a token (the adapter itself makes{' '}
          {finishedRun.parity.effectKl.toPrecision(2)}), the same most probable token at{' '}
          {(100 * finishedRun.parity.topAgreement).toFixed(1)} %.
        </Text>
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          {finishedRun ? 'Done' : 'Close'}
        </Button>
        <WaitingButton waits={run.busy && 'Writing it…'} onClick={start}>
          {form === 'peft' ? 'Pack it' : 'Merge it'}
        </WaitingButton>
      </Group>
    </Stack>
  );
}
