import { Button, Group, Modal, Stack, Textarea } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { useMutation } from 'urql';
import {
  AbortRolloutInConsoleDocument,
  AdvanceRolloutInConsoleDocument,
  PauseRolloutInConsoleDocument,
  ResumeRolloutInConsoleDocument,
  type RolloutShownFragment,
} from '../../generated/operations';
import { ErrorState } from '../../parts/states';
import { WaitingButton } from '../../parts/waiting-button';

const ORDERS = {
  pause: { label: 'Pause', title: 'Pause the rollout', document: PauseRolloutInConsoleDocument },
  resume: { label: 'Go on', title: 'Let the rollout go on', document: ResumeRolloutInConsoleDocument },
  advance: { label: 'Next step', title: 'Go to the next step now', document: AdvanceRolloutInConsoleDocument },
  abort: { label: 'End it', title: 'End the rollout: production stays', document: AbortRolloutInConsoleDocument },
} as const;
type OrderName = keyof typeof ORDERS;

function OrderForm({ id, name, onDone }: { id: string; name: OrderName; onDone: () => void }) {
  const [reason, setReason] = useState('');
  const [{ error, fetching }, send] = useMutation(ORDERS[name].document);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { data } = await send({ input: { rollout: id, reason } });
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

/** What a person can want of a live rollout; each asks why. */
export function OrderButtons({ rollout, onDone }: { rollout: RolloutShownFragment; onDone: () => void }) {
  const [open, setOpen] = useState<OrderName | null>(null);
  if (rollout.finishedAt !== null) return null;
  const offered: OrderName[] = rollout.status === 'PAUSED' ? ['resume', 'abort'] : ['pause', 'advance', 'abort'];
  const close = () => setOpen(null);
  return (
    <>
      {offered.map((name) => (
        <Button key={name} variant="default" color={name === 'abort' ? 'red' : undefined} onClick={() => setOpen(name)}>
          {ORDERS[name].label}
        </Button>
      ))}
      <Modal opened={open !== null} onClose={close} title={open && ORDERS[open].title}>
        {open && (
          <OrderForm
            id={rollout.id}
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
