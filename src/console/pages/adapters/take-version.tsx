import { Anchor, Button, Group, SegmentedControl, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useClient, useMutation } from 'urql';
import { Link } from 'wouter';
import {
  ExportInConsoleDocument,
  ExportShownDocument,
  MergeInConsoleDocument,
  MergeShownDocument,
  TakenFileDocument,
  type ExportShownSubscription,
  type MergeShownSubscription,
  type TakenFileQuery,
} from '../../generated/operations';
import { bytes } from '../../parts/format';
import { RunProgress } from '../../parts/run-progress';
import { useDownload } from '../../parts/sign-in/download';
import { ErrorState } from '../../parts/states';
import { useRun } from '../../parts/use-run';
import { WaitingButton } from '../../parts/waiting-button';

type Form = 'peft' | 'merged';
type Taken = Extract<NonNullable<TakenFileQuery['node']>, { __typename: 'AdapterExportRun' | 'AdapterMergeRun' }>;

const FORMS: Record<Form, string> = {
  peft: 'A ZIP archive of the folder that Python’s peft loads. Graft takes it in again, here or elsewhere.',
  merged:
    'One GGUF file of base model and adapter that any llama.cpp serves. It is held against the two as they are served here, and refused where it answers otherwise. This takes some minutes.',
};

const exported = ({ adapterExportProgress }: ExportShownSubscription) => adapterExportProgress;
const merged = ({ adapterMergeProgress }: MergeShownSubscription) => adapterMergeProgress;

/** Takes an adapter version out of Graft: as PEFT's folder, or merged into its base model. */
export function TakeVersion({ adapter, version, onClose }: { adapter: string; version: number; onClose: () => void }) {
  const client = useClient();
  const { download, error: notSaved } = useDownload();
  const [form, setForm] = useState<Form>('peft');
  const [packing, pack] = useMutation(ExportInConsoleDocument);
  const [merging, merge] = useMutation(MergeInConsoleDocument);
  const exporting = useRun(ExportShownDocument, exported);
  const joining = useRun(MergeShownDocument, merged);
  const [busy, setBusy] = useState(false);
  const [taken, setTaken] = useState<Taken | null>(null);
  const start = async () => {
    setBusy(true);
    setTaken(null);
    const input = { adapter, version, idempotencyKey: crypto.randomUUID() };
    const id =
      form === 'peft'
        ? (await pack({ input })).data?.exportAdapter.run.id
        : (await merge({ input })).data?.mergeAdapter.run.id;
    if (id) {
      await (form === 'peft' ? exporting : joining).watch(id);
      const { data } = await client.query(TakenFileDocument, { id }, { requestPolicy: 'network-only' });
      const node = data?.node;
      if (node?.__typename === 'AdapterExportRun' || node?.__typename === 'AdapterMergeRun') setTaken(node);
    }
    setBusy(false);
  };
  const error = packing.error ?? merging.error;
  const { event, error: lost } = form === 'peft' ? exporting : joining;
  return (
    <Stack>
      <SegmentedControl
        aria-label="In which form"
        value={form}
        disabled={busy}
        onChange={(value) => setForm(value)}
        data={[
          { value: 'peft', label: 'Folder for peft' },
          { value: 'merged', label: 'One model' },
        ]}
      />
      <Text size="sm">
        {FORMS[form]} It goes on without this window: the file then stands at its{' '}
        <Anchor component={Link} href="/runs" inherit underline="always">
          run
        </Anchor>
        .
      </Text>
      <RunProgress event={event} error={lost} />
      {error && <ErrorState error={error} />}
      {notSaved !== null && <ErrorState error={notSaved} />}
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
        <WaitingButton waits={busy ? 'Writing it…' : null} onClick={() => void start()}>
          {form === 'peft' ? 'Pack it' : 'Merge it'}
        </WaitingButton>
      </Group>
    </Stack>
  );
}
