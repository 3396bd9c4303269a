import { Button, Checkbox, Group, Select, Stack, Text, Textarea } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { useMutation } from 'urql';
import { PromoteInConsoleDocument, RollbackInConsoleDocument, type AdapterAlias } from '../../generated/operations';
import { ErrorState } from '../../parts/states';

const ALIASES = [
  { value: 'CANDIDATE', label: 'Candidate: through the gate, asked for by name' },
  { value: 'PRODUCTION', label: 'Production: answers from the next question on' },
];

/** Moves an alias to a version, or, without one, back to where it was. */
export function MoveAlias({
  adapter,
  version,
  onClose,
}: {
  adapter: string;
  version: number | null;
  onClose: () => void;
}) {
  const [alias, setAlias] = useState<AdapterAlias>(version === null ? 'PRODUCTION' : 'CANDIDATE');
  const [reason, setReason] = useState('');
  const [force, setForce] = useState(false);
  const [promoting, promote] = useMutation(PromoteInConsoleDocument);
  const [rolling, rollBack] = useMutation(RollbackInConsoleDocument);
  const error = promoting.error ?? rolling.error;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const input = { adapter, alias, reason };
    const result =
      version === null ? await rollBack({ input }) : await promote({ input: { ...input, version, force } });
    if (result.data) onClose();
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        <Select
          label="Alias"
          data={ALIASES}
          value={alias}
          allowDeselect={false}
          onChange={(value) => setAlias(value as AdapterAlias)}
        />
        <Textarea
          label="Why"
          description="Kept with the move, with the date and who made it."
          required
          maxLength={1_000}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {version !== null && (
          <Checkbox
            label="Whatever the gate says"
            description="That it was forced is kept with the move."
            checked={force}
            onChange={(event) => setForce(event.currentTarget.checked)}
          />
        )}
        {error && <ErrorState error={error} />}
        <Group justify="space-between">
          <Text size="sm" c="dimmed">
            {adapter}
            {version !== null && `@${version}`}
          </Text>
          <Group gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={promoting.fetching || rolling.fetching} disabled={reason.trim() === ''}>
              {version === null ? 'Roll back' : 'Promote'}
            </Button>
          </Group>
        </Group>
      </Stack>
    </form>
  );
}
