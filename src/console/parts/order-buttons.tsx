import { Button, Group, Modal, Stack, Textarea } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { useMutation, type TypedDocumentNode } from 'urql';
import { ErrorState } from './states';
import { WaitingButton } from './waiting-button';

/** Something that a person can want, with a mutation whose input takes what it is wanted of, and a reason. */
export interface Order<Input> {
  label: string;
  /** Over the form that asks why. */
  title: string;
  document: TypedDocumentNode<object, { input: Input & { reason: string } }>;
  /** How its button looks; plain by default. */
  tone?: 'main' | 'danger';
}

interface OrderProps<Input> {
  /** What it is wanted of, as the mutations take it. */
  input: Input;
}

function OrderForm<Input>({ order, input, onDone }: OrderProps<Input> & { order: Order<Input>; onDone: () => void }) {
  const [reason, setReason] = useState('');
  const [{ error, fetching }, send] = useMutation(order.document);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { data } = await send({ input: { ...input, reason } });
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
            {order.label}
          </WaitingButton>
        </Group>
      </Stack>
    </form>
  );
}

/** A button for each order; each asks why before it is sent. */
export function OrderButtons<Input>({ orders, input }: OrderProps<Input> & { orders: readonly Order<Input>[] }) {
  const [open, setOpen] = useState<Order<Input> | null>(null);
  const close = () => setOpen(null);
  return (
    <>
      {orders.map((order) => (
        <Button
          key={order.label}
          variant={order.tone === 'main' ? 'filled' : 'default'}
          color={order.tone === 'danger' ? 'red' : undefined}
          onClick={() => setOpen(order)}
        >
          {order.label}
        </Button>
      ))}
      <Modal opened={open !== null} onClose={close} title={open?.title}>
        {open && <OrderForm order={open} input={input} onDone={close} />}
      </Modal>
    </>
  );
}
