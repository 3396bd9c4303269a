import type { WorkspaceId } from '../kernel/ids.js';
import type { WorkerClient } from '../platform/worker/index.js';
import type { ModelRegistry } from '../sources/registry/index.js';

export interface EmbeddingParts {
  worker: Pick<WorkerClient, 'embed'>;
  registry: Pick<ModelRegistry, 'embedder'>;
}

/** Texts that are embedded at once. */
const BATCH = 256;

/** Vectors of texts, behind everybody who waits: row-major, [texts, dimensions]. @throws what the worker throws */
export async function embedTexts(
  { worker, registry }: EmbeddingParts,
  workspaceId: WorkspaceId,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<Float32Array> {
  const embedder = registry.embedder();
  const matrix = new Float32Array(texts.length * embedder.dimensions);
  for (let from = 0; from < texts.length; from += BATCH) {
    const request = { workspaceId, embedder, texts: texts.slice(from, from + BATCH) };
    const { vectors } = await worker.embed(request, { signal, priority: 'bulk' });
    vectors.forEach((vector, i) => matrix.set(vector, (from + i) * embedder.dimensions));
  }
  return matrix;
}

/** A vector of unit length of each text, in the shape of the texts. @throws what the worker throws */
export async function embedGroups(
  parts: EmbeddingParts,
  workspaceId: WorkspaceId,
  groups: readonly (readonly string[])[],
  signal: AbortSignal,
): Promise<Float32Array[][]> {
  const { dimensions } = parts.registry.embedder();
  const matrix = await embedTexts(parts, workspaceId, groups.flat(), signal);
  let from = 0;
  return groups.map((group) => group.map(() => matrix.subarray(from, (from += dimensions))));
}
