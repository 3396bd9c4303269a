import { Button, Group, Modal, Stack, Text } from '@mantine/core';

/** Asks before something goes for good; nothing is asked where `asked` is null. */
export function ConfirmDialog(props: {
  asked: { title: string; text: string } | null;
  /** What the button says that does it. */
  confirm: string;
  onConfirm: () => unknown;
  onClose: () => void;
}) {
  const { asked, confirm, onConfirm, onClose } = props;
  return (
    <Modal opened={asked !== null} onClose={onClose} title={<Text fw={600}>{asked?.title}</Text>}>
      <Stack>
        <Text size="sm">{asked?.text}</Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose} data-autofocus>
            Cancel
          </Button>
          <Button color="red" onClick={onConfirm}>
            {confirm}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
