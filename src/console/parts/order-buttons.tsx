import { Button, Modal } from '@mantine/core';
import { useInputState } from '@mantine/hooks';
import { useState } from 'react';
import type { TypedDocumentNode } from 'urql';
import { Form, useSend, Why } from './form';

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
  const [reason, setReason] = useInputState('');
  const decide = useSend(order.document, onDone);
  return (
    <Form sending={decide} onSubmit={() => decide.send({ ...input, reason })} action={order.label} waits="Deciding…">
      <Why kept="the decision, with the date and who made it" value={reason} onChange={setReason} data-autofocus />
    </Form>
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
