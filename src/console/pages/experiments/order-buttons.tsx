import { Button, Group, Modal, Stack, Textarea } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { useMutation } from 'urql';
import {
  EndExperimentInConsoleDocument,
  PauseExperimentInConsoleDocument,
  ResumeExperimentInConsoleDocument,
  StartExperimentInConsoleDocument,
  StopExperimentInConsoleDocument,
  type ExperimentInListFragment,
  type ExperimentStatus,
} from '../../generated/operations';
import { ErrorState } from '../../parts/states';
import { WaitingButton } from '../../parts/waiting-button';

const ORDERS = {
  start: { label: 'Start', title: 'Start the experiment', document: StartExperimentInConsoleDocument },
  pause: { label: 'Pause', title: 'Pause: production answers everything', document: PauseExperimentInConsoleDocument },
  resume: { label: 'Go on', title: 'Let the experiment go on', document: ResumeExperimentInConsoleDocument },
  end: { label: 'End it', title: 'End it with what it says now', document: EndExperimentInConsoleDocument },
  stop: { label: 'Give it up', title: 'Give the experiment up', document: StopExperimentInConsoleDocument },
} as const;
type OrderName = keyof typeof ORDERS;

const OFFERED: Record<ExperimentStatus, OrderName[]> = {
  DRAFT: ['start', 'stop'],
  RUNNING: ['pause', 'end', 'stop'],
  PAUSED: ['resume', 'end', 'stop'],
  ENDED: [],
  STOPPED: [],
};

function OrderForm({ id, name, onDone }: { id: string; name: OrderName; onDone: () => void }) {
  const [reason, setReason] = useState('');
  const [{ error, fetching }, send] = useMutation(ORDERS[name].document);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { data } = await send({ input: { experiment: id, reason } });
    if (data) onDone();
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        <Textarea
          label="Why"
          description="Kept with the decision, with the date and who made it."
          required
          maxLength={1_000}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          data-autofocus
        />
        {error && <ErrorState error={error} />}
        <Group justify="flex-end">
          <WaitingButton type="submit" waits={fetching ? 'Deciding…' : null}>
            {ORDERS[name].label}
          </WaitingButton>
        </Group>
      </Stack>
    </form>
  );
}

/** What a person can want of an experiment; each asks why. */
export function OrderButtons({ experiment, onDone }: { experiment: ExperimentInListFragment; onDone: () => void }) {
  const [open, setOpen] = useState<OrderName | null>(null);
  const close = () => setOpen(null);
  return (
    <>
      {OFFERED[experiment.status].map((name) => (
        <Button
          key={name}
          variant={name === 'start' ? 'filled' : 'default'}
          color={name === 'stop' ? 'red' : undefined}
          onClick={() => setOpen(name)}
        >
          {ORDERS[name].label}
        </Button>
      ))}
      <Modal opened={open !== null} onClose={close} title={open && ORDERS[open].title}>
        {open && (
          <OrderForm
            id={experiment.id}
            name={open}
            onDone={() => {
              close();
              onDone();
            }}
          />
        )}
      </Modal>
    </>
  );
}
