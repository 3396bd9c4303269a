import { Button, Checkbox, Group, Stack, Text } from '@mantine/core';
import { useInputState } from '@mantine/hooks';
import { DeleteAdapterDocument, type AdapterAlias } from '../../generated/operations';
import { Form, useSend, Why } from '../../parts/form';
import { words } from '../../parts/format';

/** Deletes an adapter or one version of it, after saying what goes with it. */
export function DeleteAdapter(props: {
  adapter: string;
  /** null: all of it. */
  version: number | null;
  /** The aliases that name what goes. */
  aliases: readonly AdapterAlias[];
  onClose: () => void;
}) {
  const { adapter, version, aliases, onClose } = props;
  const remove = useSend(DeleteAdapterDocument, ({ deleteAdapter }) => {
    if (deleteAdapter.erasure.keptFiles.length === 0) onClose();
  });
  const [reason, setReason] = useInputState('');
  const [force, setForce] = useInputState(false);
  const hasAliases = aliases.length > 0;
  const submit = () => remove.send({ adapter, version, force, ...(reason.trim() !== '' && { reason }) });
  const { data } = remove;
  if (data)
    return (
      <Stack>
        <Text size="sm">It is deleted. These files had to stay:</Text>
        {data.deleteAdapter.erasure.keptFiles.map((file) => (
          <Text key={file.id} size="sm">
            {file.name}: {file.reason}
          </Text>
        ))}
        <Group justify="flex-end">
          <Button onClick={onClose}>Done</Button>
        </Group>
      </Stack>
    );
  return (
    <Form
      sending={remove}
      onSubmit={submit}
      action={version === null ? `Delete ${adapter}` : `Delete version ${version}`}
      waits="Deleting…"
      color="red"
      disabled={hasAliases && !force}
      onCancel={onClose}
    >
      <Text size="sm">
        {version === null ? 'All versions of it' : `Version ${version}`} and what was made of{' '}
        {version === null ? 'them' : 'it'} are deleted: weights, exported archives and evaluations with their rows.
        Answers stay and say that their adapter was deleted. This can’t be undone.
      </Text>
      {hasAliases && (
        <Checkbox
          label={`Delete it though it is ${aliases.map((alias) => words(alias)).join(' and ')}`}
          description="Nothing answers as that alias from then on."
          checked={force}
          onChange={setForce}
        />
      )}
      {hasAliases && version !== null && (
        <Why kept="the alias, with the date and who decided" required={false} value={reason} onChange={setReason} />
      )}
    </Form>
  );
}
