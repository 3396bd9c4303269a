import { useMutation } from 'urql';
import { RollbackInConsoleDocument } from '../../generated/operations';
import { AliasMoveForm, type AliasMove } from './alias-move';

/** Takes the last move of an alias back. */
export function RollBack({ adapter, onClose }: { adapter: string; onClose: () => void }) {
  const [{ error, fetching }, rollBack] = useMutation(RollbackInConsoleDocument);
  const move = async (wanted: AliasMove) => {
    const { data } = await rollBack({ input: { adapter, ...wanted } });
    if (data) onClose();
  };
  return (
    <AliasMoveForm
      what={adapter}
      action="Roll back"
      first="PRODUCTION"
      moving={fetching}
      error={error}
      onMove={(wanted) => void move(wanted)}
      onClose={onClose}
    />
  );
}
