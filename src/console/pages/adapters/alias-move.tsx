import { Button, Group, Select, Stack, Text, Textarea } from '@mantine/core';
import { useState, type FormEvent, type ReactNode } from 'react';
import type { AdapterAlias } from '../../generated/operations';
import { ErrorState } from '../../parts/states';
import { WaitingButton } from '../../parts/waiting-button';

const ALIASES: { value: AdapterAlias; label: string }[] = [
  { value: 'CANDIDATE', label: 'Candidate: through the gate, asked for by name' },
  { value: 'PRODUCTION', label: 'Production: answers from the next question on' },
];

/** Which alias moves, and why, which is kept with the move. */
export interface AliasMove {
  alias: AdapterAlias;
  reason: string;
}

/** The form that both ways of moving an alias share. */
export function AliasMoveForm({
  what,
  action,
  first,
  moving,
  error,
  children,
  onMove,
  onClose,
}: {
  what: string;
  action: string;
  /** The alias that is chosen at first. */
  first: AdapterAlias;
  moving: boolean;
  error: unknown;
  children?: ReactNode;
  onMove: (move: AliasMove) => void;
  onClose: () => void;
}) {
  const [alias, setAlias] = useState(first);
  const [reason, setReason] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onMove({ alias, reason });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <Select
          label="Alias"
          data={ALIASES}
          value={alias}
          allowDeselect={false}
          onChange={(value) => value && setAlias(value)}
        />
        <Textarea
          label="Why"
          description="Kept with the move, with the date and who made it."
          required
          maxLength={1_000}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {children}
        {error !== undefined && error !== null && <ErrorState error={error} />}
        <Group justify="space-between">
          <Text size="sm" c="dimmed">
            {what}
          </Text>
          <Group gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <WaitingButton type="submit" waits={moving ? 'Moving the alias…' : null} disabled={reason.trim() === ''}>
              {action}
            </WaitingButton>
          </Group>
        </Group>
      </Stack>
    </form>
  );
}
