import type { WorkspaceId } from '../../../kernel/ids.js';
import { isOverseer } from '../workspaces/workspace-service.js';
import { createGraphContext, parseGlobalId, type GraphContext, type NodeRegistry } from '../../../kit/graphql/index.js';

/** Fields of an input that name what it is about, whatever that is. */
const SUBJECTS: readonly string[] = ['id', 'item'];

/** The global id of what a mutation is about: `id`, or a field that is called like the type whose id it has (`rollout`, `alert`, `proposal`). */
export function subjectOf(input: unknown): string | null {
  if (typeof input !== 'object' || input === null) return null;
  for (const [field, value] of Object.entries(input)) {
    if (typeof value !== 'string') continue;
    const type = parsed(value)?.type;
    if (type === undefined) continue;
    if (SUBJECTS.includes(field) || type.toLowerCase().endsWith(field.toLowerCase())) return value;
  }
  return null;
}

/**
 * What a mutation is about, as it is now; null where its input names nothing that is a node. In a context of its own: loaders of the
 * mutation's would go on showing it as it was.
 */
export async function lookAt(
  nodes: Pick<NodeRegistry, 'fetch'>,
  { caller, requestId, signal }: GraphContext,
  input: unknown,
): Promise<object | null> {
  const id = subjectOf(input);
  if (id === null) return null;
  const workspaceId = workspaceNamed(input);
  const actingCaller = workspaceId !== null && isOverseer(caller) ? { ...caller, workspaceId } : caller;
  return nodes.fetch(createGraphContext(actingCaller, requestId, { signal }), id);
}

/** Who looks after the installation names the workspace whose key it is. */
function workspaceNamed(input: unknown): WorkspaceId | null {
  const { workspaceId } = input as { workspaceId?: unknown };
  const reference = typeof workspaceId === 'string' ? parsed(workspaceId) : null;
  return reference?.type === 'Workspace' ? (reference.id as string as WorkspaceId) : null;
}

function parsed(globalId: string): ReturnType<typeof parseGlobalId> | null {
  try {
    return parseGlobalId(globalId, 'id');
  } catch {
    return null;
  }
}
