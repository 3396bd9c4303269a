import { Button, Group, Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { RunProgress } from './run-progress';
import type { RunShown } from './use-run';
import { WaitingButton } from './waiting-button';

/** What starts a run in a dialog, and how far it is; it goes on when the dialog is closed. */
export function RunDialog({
  run,
  action,
  waits,
  disabled,
  onStart,
  onClose,
  children,
}: {
  run: RunShown;
  action: string;
  waits: string;
  disabled?: boolean;
  onStart: () => unknown;
  onClose: () => void;
  children: ReactNode;
}) {
  const done = run.event?.status === 'SUCCEEDED';
  return (
    <Stack>
      {children}
      <RunProgress run={run} />
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          {done ? 'Done' : 'Close'}
        </Button>
        {!done && (
          <WaitingButton waits={run.busy && waits} disabled={disabled} onClick={onStart}>
            {action}
          </WaitingButton>
        )}
      </Group>
    </Stack>
  );
}
