import { Button, Group, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useMutation } from 'urql';
import {
  AttestationShownDocument,
  AttestInConsoleDocument,
  type AttestationShownSubscription,
} from '../../generated/operations';
import { RunProgress } from '../../parts/run-progress';
import { ErrorState } from '../../parts/states';
import { useRun } from '../../parts/use-run';
import { WaitingButton } from '../../parts/waiting-button';

const eventOf = ({ attestationProgress }: AttestationShownSubscription) => attestationProgress;

export function AttestVersion({
  adapter,
  version,
  onClose,
}: {
  adapter: string;
  version: number;
  onClose: () => void;
}) {
  const [{ error, fetching }, attest] = useMutation(AttestInConsoleDocument);
  const { event, error: lost, watch } = useRun(AttestationShownDocument, eventOf);
  const [busy, setBusy] = useState(false);
  const start = async () => {
    setBusy(true);
    const { data } = await attest({ input: { adapter, version, idempotencyKey: crypto.randomUUID() } });
    if (data) await watch(data.attestAdapter.run.id);
    setBusy(false);
  };
  const done = event?.status === 'SUCCEEDED';
  return (
    <Stack>
      <Text size="sm">
        Eight fixed prompts are read by the model with and without the adapter, where it is served and where it was
        trained. The two changes must agree, and nothing may stay when it is off. This takes a minute or two.
      </Text>
      <RunProgress event={event} error={lost} />
      {error && <ErrorState error={error} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          {done ? 'Done' : 'Close'}
        </Button>
        {!done && (
          <WaitingButton waits={busy || fetching ? 'Reading the prompts…' : null} onClick={() => void start()}>
            Attest version {version}
          </WaitingButton>
        )}
      </Group>
    </Stack>
  );
}
