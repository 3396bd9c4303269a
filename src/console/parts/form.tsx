import { Button, Group, Stack, Textarea, TextInput, type ButtonProps, type StackProps } from '@mantine/core';
import type { ChangeEvent, FormEvent, ReactNode } from 'react';
import type { Sending } from './send';
import { ErrorState } from './states';
import { WaitingButton } from './waiting-button';

interface FormProps {
  /** What sends it: its error stands below the fields. */
  sending: Sending;
  onSubmit: () => unknown;
  /** On the button that sends it, and while it is sent. */
  action: ReactNode;
  waits: string;
  disabled?: boolean;
  children: ReactNode;
}

const submitted = (onSubmit: () => unknown) => (event: FormEvent) => {
  event.preventDefault();
  onSubmit();
};

/** Fields below each other, then the buttons. */
export function Form({
  sending: { fetching, error },
  onSubmit,
  action,
  waits,
  disabled,
  onCancel,
  beside,
  justify = 'flex-end',
  gap,
  color,
  leftSection,
  children,
}: FormProps &
  Pick<ButtonProps, 'color' | 'leftSection'> &
  Pick<StackProps, 'gap' | 'justify'> & {
    onCancel?: () => void;
    /** Stands in the line of the buttons. */
    beside?: ReactNode;
  }) {
  return (
    <form onSubmit={submitted(onSubmit)}>
      <Stack gap={gap}>
        {children}
        <ErrorState error={error} />
        <Group justify={justify}>
          {justify === 'space-between' && beside}
          <Group gap="xs">
            {onCancel && (
              <Button variant="default" onClick={onCancel}>
                Cancel
              </Button>
            )}
            <WaitingButton
              type="submit"
              color={color}
              leftSection={leftSection}
              waits={fetching && waits}
              disabled={disabled}
            >
              {action}
            </WaitingButton>
          </Group>
          {justify !== 'space-between' && beside}
        </Group>
      </Stack>
    </form>
  );
}

/** Fields beside each other, and the button behind them. */
export function LineForm({
  sending: { fetching, error },
  onSubmit,
  action,
  waits,
  disabled,
  leftSection,
  beside,
  below,
  children,
}: FormProps & Pick<ButtonProps, 'leftSection'> & { beside?: ReactNode; below?: ReactNode }) {
  return (
    <form onSubmit={submitted(onSubmit)}>
      <Group align="flex-end">
        {children}
        <WaitingButton type="submit" waits={fetching && waits} disabled={disabled} leftSection={leftSection}>
          {action}
        </WaitingButton>
        {beside}
      </Group>
      {below}
      <ErrorState error={error} />
    </form>
  );
}

/** Why something is wanted, which is kept with it. */
export function Why({
  kept,
  ...rest
}: {
  value: string;
  onChange: (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) => void;
  label?: string;
  /** With what it is kept; in a line without one. */
  kept?: string;
  required?: boolean;
  miw?: number;
  'data-autofocus'?: boolean;
}) {
  const field = { label: 'Why', required: true, maxLength: 1_000, ...rest };
  return kept ? <Textarea description={`Kept with ${kept}.`} {...field} /> : <TextInput {...field} />;
}
