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
  const [taken, setTaken] = useState<Taken | null>(null);
  const run = form === 'peft' ? pack : merge;
  const start = async () => {
    setTaken(null);
    const begun = await run.start({ adapter, version });
    if (!begun) return;
    const { data } = await client.query(TakenFileDocument, { id: begun.id }, { requestPolicy: 'network-only' });
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
      {taken?.file && (
        <Text size="sm">
          <Anchor href={taken.file.path} download={taken.file.name} onClick={download}>
            {taken.file.name}
          </Anchor>
          , {bytes(taken.file.bytes)}
        </Text>
      )}
      {taken?.__typename === 'AdapterMergeRun' && taken.parity && (
        <Text size="sm" data-testid="merge-parity">
          Against base model and adapter at {taken.parity.places} places: mean KL divergence{' '}
          {taken.parity.meanKl.toPrecision(2)} nats a token (the adapter itself makes{' '}
          {taken.parity.effectKl.toPrecision(2)}), the same most probable token at{' '}
          {(100 * taken.parity.topAgreement).toFixed(1)} %.
        </Text>
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          {taken ? 'Done' : 'Close'}
        </Button>
        <WaitingButton waits={run.busy && 'Writing it…'} onClick={start}>
          {form === 'peft' ? 'Pack it' : 'Merge it'}
        </WaitingButton>
      </Group>
    </Stack>
  );
}
