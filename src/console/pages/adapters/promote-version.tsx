import { Checkbox } from '@mantine/core';
import { useState } from 'react';
import { useMutation } from 'urql';
import { PromoteInConsoleDocument } from '../../generated/operations';
import { AliasMoveForm, type AliasMove } from './alias-move';

/** Moves an alias to a version, through the gate or, forced, past it. */
export function PromoteVersion({
  adapter,
  version,
  wantsConfirmation,
  onClose,
}: {
  adapter: string;
  version: number;
  /** Whether a simpler method does as well, so that production wants a word. */
  wantsConfirmation: boolean;
  onClose: () => void;
}) {
  const [force, setForce] = useState(false);
  const [confirmNotBetter, setConfirmNotBetter] = useState(false);
  const [{ error, fetching }, promote] = useMutation(PromoteInConsoleDocument);
  const move = async (wanted: AliasMove) => {
    const { data } = await promote({ input: { adapter, version, force, confirmNotBetter, ...wanted } });
    if (data) onClose();
  };
  return (
    <AliasMoveForm
      what={`${adapter}@${version}`}
      action="Promote"
      first="CANDIDATE"
      moving={fetching}
      error={error}
      onMove={(wanted) => void move(wanted)}
      onClose={onClose}
    >
      {wantsConfirmation && (
        <Checkbox
          label="Although a simpler method is as good"
          description="Production wants this word: it isn’t shown to be better than a regression or the nearest rows."
          checked={confirmNotBetter}
          onChange={(event) => setConfirmNotBetter(event.currentTarget.checked)}
        />
      )}
      <Checkbox
        label="Whatever the gate says"
        description="That it was forced is kept with the move."
        checked={force}
        onChange={(event) => setForce(event.currentTarget.checked)}
      />
    </AliasMoveForm>
  );
}
