import type { WorkspaceId } from '../../kernel/ids.js';
import type { GraphContext } from './context.js';
import { inOrder } from './in-order.js';
import { runObject, type RunObject, type RunRowLike } from './runs.js';

type Loading = Pick<GraphContext, 'loader'>;

/** A row by its id, with one statement for all that a request asks for under the key; null where there is none. */
export const loadRow = <Row extends { id: string }>(
  context: Loading,
  key: string,
  id: string | null,
  rowsOf: (ids: readonly string[]) => Promise<readonly Row[]>,
): Promise<Row | null> =>
  id === null
    ? Promise.resolve(null)
    : context.loader<string, Row>(key, async (ids) => inOrder(ids, await rowsOf(ids))).load(id);

/** The same for what belongs to a row, which comes by the row's id. */
export const loadValue = <Value>(
  context: Loading,
  key: string,
  id: string,
  valuesOf: (ids: readonly string[]) => Promise<ReadonlyMap<string, Value>>,
): Promise<Value | null> =>
  context
    .loader<string, Value>(key, async (ids) => {
      const values = await valuesOf(ids);
      return ids.map((valueId) => values.get(valueId) ?? null);
    })
    .load(id);

/** A run by its id, batched over the request; null where there is none. */
export async function loadRun(
  context: Loading & Pick<GraphContext, 'workspaceId'>,
  runs: { get(workspaceId: WorkspaceId, id: string): Promise<RunRowLike | null> },
  id: string | null,
): Promise<RunObject | null> {
  if (id === null) return null;
  const rows = context.loader<string, RunRowLike>('runs.byId', (ids) =>
    Promise.all(ids.map((rowId) => runs.get(context.workspaceId, rowId))),
  );
  const row = await rows.load(id);
  return row && runObject(row);
}
