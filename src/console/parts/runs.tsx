import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { Badge, Button, Group, Progress, Stack, Text } from '@mantine/core';
import { useCallback, useEffect, useRef, useState, type ReactNode } from 'react';
import { useClient } from 'urql';
import type { RunStatus } from '../generated/operations';
import { follow } from './follow';
import { WaitingButton } from './form';
import { runLine, words } from './format';
import { GatewayError } from './gateway-error';
import { ErrorState } from './page';

/** What every run's event has. */
interface RunEventShown {
  id: string;
  status: RunStatus;
  progress: number;
  message: string;
  error: { code: string; message: string } | null;
}

/** The progress of one kind of run: a subscription with one field. */
type Progress<Event> = TypedDocumentNode<
  Readonly<Record<string, Event>>,
  { runId: string; after?: string | null | undefined }
>;

/** A mutation that starts a run. */
type Start<Input> = TypedDocumentNode<Readonly<Record<string, { run: { id: string } }>>, { input: Input }>;

function only<Value>(data: Readonly<Record<string, Value>>): Value {
  return Object.values(data)[0]!;
}

export const isOpen = (status: RunStatus | undefined): boolean =>
  status === 'QUEUED' || status === 'RUNNING' || status === 'PAUSED';

/** What a run is doing, for whoever shows it; the error is that of its start, or of following it. */
export interface RunShown<Event = RunEventShown> {
  event: Event | null;
  error: unknown;
  busy: boolean;
}

/**
 * Follows one run at a time to its end, also over restarts of the gateway.
 * @param onEvent sees every event once, the last one included
 * @returns `watch` gives the last event; null where it was not followed to its end
 */
export function useRun<Event extends RunEventShown>(document: Progress<Event>, onEvent?: (event: Event) => void) {
  const [state, setShown] = useState<RunShown<Event>>({ event: null, error: null, busy: false });
  const running = useRef<AbortController | null>(null);
  const onEventNow = useRef(onEvent);
  onEventNow.current = onEvent;
  useEffect(() => () => running.current?.abort(), []);

  const watch = useCallback(
    async (runId: string): Promise<Event | null> => {
      running.current?.abort();
      const controller = new AbortController();
      running.current = controller;
      const show = (part: Partial<RunShown<Event>>) => {
        if (running.current === controller) setShown((previousState) => ({ ...previousState, ...part }));
      };
      show({ event: null, error: null, busy: true });
      let last: Event | null = null;
      try {
        const eventVariables = (lastData: Readonly<Record<string, Event>> | undefined) => ({
          runId,
          after: lastData && only(lastData).id,
        });
        for await (const data of follow(document, eventVariables, controller.signal)) {
          last = only(data);
          show({ event: last });
          onEventNow.current?.(last);
        }
      } catch (error) {
        show({ error });
        last = null;
      }
      show({ busy: false });
      return controller.signal.aborted ? null : last;
    },
    [document],
  );
  return { ...state, watch, setShown };
}

/** A run that was started: its id, and its last event where it was followed to its end. */
interface Begun<Event> {
  id: string;
  last: Event | null;
}

/**
 * Starts a run and follows it to its end.
 * @returns `start` gives null where the run was refused
 */
export function useStartedRun<Input extends { idempotencyKey: string }, Event extends RunEventShown>(
  document: Start<Input>,
  progress: Progress<Event>,
  onEvent?: (event: Event) => void,
): RunShown<Event> & { start: (input: Omit<Input, 'idempotencyKey'>) => Promise<Begun<Event> | null> } {
  const client = useClient();
  const { watch, setShown, ...shown } = useRun(progress, onEvent);
  const start = async (input: Omit<Input, 'idempotencyKey'>): Promise<Begun<Event> | null> => {
    setShown({ event: null, error: null, busy: true });
    const request = { ...input, idempotencyKey: crypto.randomUUID() } as unknown as Input;
    const { data, error } = await client.mutation(document, { input: request });
    if (data) {
      const { id } = only(data).run;
      return { id, last: await watch(id) };
    }
    setShown({ event: null, error, busy: false });
    return null;
  };
  return { ...shown, start };
}

const COLOURS: Partial<Record<RunStatus, string>> = {
  RUNNING: 'blue',
  SUCCEEDED: 'green',
  FAILED: 'red',
  CANCELLED: 'gray',
};

export const RunBadge = ({ status }: { status: RunStatus }) => (
  <Badge color={COLOURS[status] ?? 'yellow'}>{words(status)}</Badge>
);

/** How far a run is, what it is doing, and why it failed. */
export function RunProgress({ run: { event, error } }: { run: Omit<RunShown, 'busy'> }) {
  if (error) return <ErrorState error={error} />;
  if (event === null) return null;
  if (event.error) return <ErrorState error={new GatewayError(event.error.code, event.error.message)} />;
  return (
    <div aria-live="polite">
      <Group justify="space-between" mb={4}>
        <Text size="sm">{runLine(event)}</Text>
        <RunBadge status={event.status} />
      </Group>
      <Progress value={event.progress * 100} aria-label="Progress" />
    </div>
  );
}

/** What starts a run in a dialog, and how far it is; it goes on when the dialog is closed. */
export function RunDialog(props: {
  run: RunShown;
  action: string;
  waits: string;
  disabled?: boolean;
  onStart: () => unknown;
  onClose: () => void;
  children: ReactNode;
}) {
  const { run, action, waits, disabled, onStart, onClose, children } = props;
  const hasSucceeded = run.event?.status === 'SUCCEEDED';
  return (
    <Stack>
      {children}
      <RunProgress run={run} />
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          {hasSucceeded ? 'Done' : 'Close'}
        </Button>
        {!hasSucceeded && (
          <WaitingButton waits={run.busy && waits} disabled={disabled} onClick={onStart}>
            {action}
          </WaitingButton>
        )}
      </Group>
    </Stack>
  );
}
