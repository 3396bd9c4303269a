import {
  Button,
  Group,
  Loader,
  Modal,
  Select,
  Stack,
  Text,
  Textarea,
  TextInput,
  type ButtonProps,
  type SelectProps,
  type StackProps,
  type TextInputProps,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPlus } from '@tabler/icons-react';
import { useState, type ChangeEvent, type ComponentType, type FormEvent, type MouseEvent, type ReactNode } from 'react';
import { useMutation, type CombinedError, type OperationContext, type TypedDocumentNode } from 'urql';
import { ErrorState } from './page';

/**
 * A button that says what it waits for instead of going grey. While it waits a press does nothing, and it keeps the focus,
 * which a disabled button would lose.
 */
export function WaitingButton({
  waits,
  children,
  onClick,
  ...rest
}: Omit<ButtonProps, 'loading'> & {
  /** In words, `Creating…`; null or false while there is nothing to wait for. */
  waits?: string | null | false;
  type?: 'button' | 'submit';
  children: ReactNode;
  onClick?: () => unknown;
  'aria-label'?: string;
}) {
  const waiting = typeof waits === 'string';
  const press = (event: MouseEvent) => {
    if (waiting) event.preventDefault();
    else onClick?.();
  };
  return (
    <Button
      {...rest}
      {...(waiting && {
        'aria-disabled': true,
        'aria-label': waits,
        leftSection: <Loader size={14} color="currentColor" aria-hidden />,
      })}
      onClick={press}
    >
      {waiting ? waits : children}
    </Button>
  );
}

/** What a mutation is doing, for whoever shows it. */
export interface Sending {
  fetching: boolean;
  error?: CombinedError | undefined;
}

/**
 * A mutation by its input, once at a time.
 * @param onDone gets what came back where it went well
 */
export function useSend<Data, Input>(
  document: TypedDocumentNode<Data, { input: Input }>,
  onDone?: (data: Data) => void,
): Sending & {
  data: Data | undefined;
  send: (input: Input, context?: Partial<OperationContext>) => Promise<Data | null>;
} {
  const [{ data, error, fetching }, execute] = useMutation(document);
  const send = async (input: Input, context?: Partial<OperationContext>): Promise<Data | null> => {
    if (fetching) return null;
    const result = await execute({ input }, context);
    if (!result.data) return null;
    onDone?.(result.data);
    return result.data;
  };
  return { data, error, fetching, send };
}

/** One key for one form: what it sends twice is done once. */
export const useOneKey = (): string => useState(() => crypto.randomUUID())[0];

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

/** Fields beside each other, and the button behind them. One that sends nothing says neither `sending` nor `waits`. */
export function LineForm({
  sending: { fetching, error } = { fetching: false },
  onSubmit,
  action,
  waits = '',
  disabled,
  leftSection,
  beside,
  below,
  children,
}: Omit<FormProps, 'sending' | 'waits'> &
  Partial<Pick<FormProps, 'sending' | 'waits'>> &
  Pick<ButtonProps, 'leftSection'> & { beside?: ReactNode; below?: ReactNode }) {
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
export function Why(props: {
  value: string;
  onChange: (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) => void;
  label?: string;
  /** With what it is kept; in a line without one. */
  kept?: string;
  required?: boolean;
  miw?: number;
  'data-autofocus'?: boolean;
}) {
  const { kept, ...rest } = props;
  const field = { label: 'Why', required: true, maxLength: 1_000, ...rest };
  return kept ? <Textarea description={`Kept with ${kept}.`} {...field} /> : <TextInput {...field} />;
}

/** What makes a thing of a list: a button, and the dialog that it opens. */
export function useCreating(label: string, Dialog: ComponentType<{ onClose: () => void }>) {
  const [opened, { open, close }] = useDisclosure();
  return {
    button: (
      <Button leftSection={<IconPlus size={16} />} onClick={open}>
        {label}
      </Button>
    ),
    dialog: (
      <Modal opened={opened} onClose={close} title={<Text fw={600}>{label}</Text>}>
        <Dialog onClose={close} />
      </Modal>
    ),
  };
}

/** The name of what is made. */
export const NameField = ({
  label = 'Name',
  description = '1 to 63 letters, digits, “.”, “_” or “-”',
  ...rest
}: TextInputProps) => <TextInput label={label} description={description} required data-autofocus {...rest} />;

/** A text that something is narrowed by. What is typed holds when the field is left or Enter is pressed, if it is another than before. */
export function FilterField({
  value,
  onNarrow,
  ...rest
}: Omit<TextInputProps, 'value' | 'onChange'> & { value: string | null; onNarrow: (value: string | null) => void }) {
  const currentValue = value?.trim() || null;
  const leave = (typed: string) => {
    const next = typed.trim() || null;
    if (next !== currentValue) onNarrow(next);
  };
  return (
    <TextInput
      {...rest}
      // What changes from elsewhere stands in the field, too.
      key={currentValue}
      defaultValue={currentValue ?? ''}
      onBlur={({ currentTarget }) => leave(currentTarget.value)}
      onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()}
    />
  );
}

/** One of several, never none. */
export const OneOf = <Value extends string>({
  data,
  onChange,
  ...rest
}: Omit<SelectProps, 'data' | 'onChange' | 'value'> & {
  data: readonly (Value | { value: Value; label: string })[];
  value: Value | null;
  onChange: (value: Value) => void;
}) => (
  <Select
    allowDeselect={false}
    data={[...data] as SelectProps['data']}
    onChange={(value: string | null) => value !== null && onChange(value as Value)}
    {...rest}
  />
);
