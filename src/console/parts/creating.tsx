import { Button, Modal, Text, TextInput, type TextInputProps } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPlus } from '@tabler/icons-react';
import type { ComponentType } from 'react';

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
