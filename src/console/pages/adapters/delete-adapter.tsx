import { Button, Checkbox, Group, Stack, Text, Textarea } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { useMutation } from 'urql';
import { DeleteAdapterInConsoleDocument, type AdapterAlias } from '../../generated/operations';
import { words } from '../../parts/format';
import { ErrorState } from '../../parts/states';
import { WaitingButton } from '../../parts/waiting-button';

/** Deletes an adapter or one version of it, after saying what goes with it. */
export function DeleteAdapter({
  adapter,
  version,
  aliases,
  onClose,
}: {
  adapter: string;
  /** null: all of it. */
  version: number | null;
  /** The aliases that name what goes. */
  aliases: readonly AdapterAlias[];
  onClose: () => void;
}) {
  const [{ data, error, fetching }, remove] = useMutation(DeleteAdapterInConsoleDocument);
  const [reason, setReason] = useState('');
  const [force, setForce] = useState(false);
  const named = aliases.length > 0;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void remove({ input: { adapter, version, force, ...(reason.trim() !== '' && { reason }) } }).then((result) => {
      if (result.data?.deleteAdapter.erasure.keptFiles.length === 0) onClose();
    });
  };
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
    <form onSubmit={submit}>
      <Stack>
        <Text size="sm">
          {version === null ? 'All versions of it' : `Version ${version}`} and what was made of{' '}
          {version === null ? 'them' : 'it'} are deleted: weights, exported archives and evaluations with their rows.
          Answers stay and say that their adapter was deleted. This can’t be undone.
        </Text>
        {named && (
          <Checkbox
            label={`Delete it though it is ${aliases.map((alias) => words(alias)).join(' and ')}`}
            description="Nothing answers as that alias from then on."
            checked={force}
            onChange={(event) => setForce(event.currentTarget.checked)}
          />
        )}
        {named && version !== null && (
          <Textarea
            label="Why"
            description="Kept with the alias, with the date and who decided."
            maxLength={1_000}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
        )}
        {error && <ErrorState error={error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <WaitingButton type="submit" color="red" waits={fetching ? 'Deleting…' : null} disabled={named && !force}>
            {version === null ? `Delete ${adapter}` : `Delete version ${version}`}
          </WaitingButton>
        </Group>
      </Stack>
    </form>
  );
}
