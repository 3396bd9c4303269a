import { useGraphiQL } from '@graphiql/react';
import { useSyncExternalStore } from 'react';
import { filled, onSeen, seenIds } from './seen-ids.js';

/** Puts an id into the open tab’s variables: in place of the first placeholder, else where the cursor stands. */
function useFill() {
  const variableEditor = useGraphiQL(({ variableEditor }) => variableEditor);
  return (id) => {
    if (!variableEditor) return;
    const variables = filled(variableEditor.getValue(), id);
    if (variables !== null) variableEditor.setValue(variables);
    else variableEditor.trigger('ids', 'type', { text: JSON.stringify(id) });
    variableEditor.focus();
  };
}

/** The ids that results held, newest first; one click puts one into the variables. */
export function SeenIds() {
  const ids = useSyncExternalStore(onSeen, seenIds);
  const fill = useFill();
  if (ids.length === 0) return null;
  return (
    <>
      <h3>Ids of earlier results</h3>
      <ul aria-label="Ids of earlier results">
        {ids.map(({ id, type, label }) => (
          <li key={id}>
            <button type="button" title={`Put ${id} into the variables`} onClick={() => fill(id)}>
              <span>{type}</span>
              <small>{label}</small>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
