import { Checkbox } from '@mantine/core';
import { useInputState } from '@mantine/hooks';
import { useState, type ReactNode } from 'react';
import { PromoteAdapterDocument, RollbackAdapterDocument, type AdapterAlias } from '../../generated/operations';
import { Form, OneOf, useSend, Why, type Sending } from '../../parts/form';
import { Note } from '../../parts/page';
import type { Version } from './version-card';

const ALIASES: { value: AdapterAlias; label: string }[] = [
  { value: 'CANDIDATE', label: 'Candidate: through the gate, asked for by name' },
  { value: 'PRODUCTION', label: 'Production: answers from the next question on' },
];

/** The form that both ways of moving an alias share: which one, and why, which is kept with the move. */
function MoveForm(props: {
  what: string;
  action: string;
  /** The alias that is chosen at first. */
  first: AdapterAlias;
  sending: Sending;
  children?: ReactNode;
  onMove: (move: { alias: AdapterAlias; reason: string }) => unknown;
  onClose: () => void;
}) {
  const { what, action, first, sending, children, onMove, onClose } = props;
  const [alias, setAlias] = useState(first);
  const [reason, setReason] = useInputState('');
  return (
    <Form
      sending={sending}
      onSubmit={() => onMove({ alias, reason })}
      action={action}
      waits="Moving the alias…"
      disabled={reason.trim() === ''}
      justify="space-between"
      beside={<Note>{what}</Note>}
      onCancel={onClose}
    >
      <OneOf label="Alias" data={ALIASES} value={alias} onChange={setAlias} />
      <Why kept="the move, with the date and who made it" value={reason} onChange={setReason} />
      {children}
    </Form>
  );
}

/** Moves an alias to a version, through the gate or, forced, past it. */
export function PromoteVersion(props: { adapter: string; version: Version; onClose: () => void }) {
  const {
    adapter,
    version: { version, gate },
    onClose,
  } = props;
  const [force, setForce] = useInputState(false);
  const [confirmNotBetter, setConfirmNotBetter] = useInputState(false);
  const promote = useSend(PromoteAdapterDocument, onClose);
  return (
    <MoveForm
      what={`${adapter}@${version}`}
      action="Promote"
      first="CANDIDATE"
      sending={promote}
      onMove={(move) => promote.send({ adapter, version, force, confirmNotBetter, ...move })}
      onClose={onClose}
    >
      {gate.wantsConfirmation && (
        <Checkbox
          label="Although a simpler method is as good"
          description="Production wants this word: it isn’t shown to be better than a regression or the nearest rows."
          checked={confirmNotBetter}
          onChange={setConfirmNotBetter}
        />
      )}
      <Checkbox
        label="Whatever the gate says"
        description="That it was forced is kept with the move."
        checked={force}
        onChange={setForce}
      />
    </MoveForm>
  );
}

/** Takes the last move of an alias back. */
export function RollBack({ adapter, onClose }: { adapter: string; onClose: () => void }) {
  const rollBack = useSend(RollbackAdapterDocument, onClose);
  return (
    <MoveForm
      what={adapter}
      action="Roll back"
      first="PRODUCTION"
      sending={rollBack}
      onMove={(move) => rollBack.send({ adapter, ...move })}
      onClose={onClose}
    />
  );
}
