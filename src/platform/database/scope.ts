/**
 * For whom rows are read and written, which async context carries along. PostgreSQL is told before the first statement and shows no other
 * workspace's rows, whatever the statement asks for: the wall behind the queries.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { WorkspaceId } from '../../kernel/ids.js';

/** `system`: all workspaces, for what no caller asked for. `nobody`: none. */
export type Scope = WorkspaceId | 'system' | 'nobody';

const scopes = new AsyncLocalStorage<Scope>();

/** Undefined where nobody has said. */
export const currentScope = (): Scope | undefined => scopes.getStore();

/** Does the synchronous part of some work in a scope, and what that awaits by itself. What it returns unawaited may run elsewhere. */
export const inScope = <T>(scope: Scope, work: () => T): T => scopes.run(scope, work);

/** Prisma's promises do nothing before somebody takes them: that has to be in here. */
const begunIn = <T>(scope: Scope, work: () => PromiseLike<T>): Promise<T> =>
  scopes.run(scope, () => new Promise<T>((resolve, reject) => void work().then(resolve, reject)));

/** Work on the rows of one workspace: on no others, however deep below and whatever its queries say. */
export const inWorkspace = <T>(workspaceId: WorkspaceId, work: () => PromiseLike<T>): Promise<T> =>
  begunIn(workspaceId, work);

/** Work of the installation's own, on the rows of all workspaces: each use says why no workspace can be named. */
export const asSystem = <T>(work: () => PromiseLike<T>): Promise<T> => begunIn('system', work);

/** Does some work in each workspace, one after another; what goes wrong in one is no other's loss. @throws what went wrong last */
export async function inEachWorkspace<Item>(
  items: readonly Item[],
  workspaceOf: (item: Item) => WorkspaceId,
  work: (item: Item) => PromiseLike<unknown>,
): Promise<void> {
  const failures: unknown[] = [];
  for (const item of items)
    await inWorkspace(workspaceOf(item), () => work(item)).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures.at(-1);
}
