import { z } from 'zod';
import { GraftError } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { storedJson } from '../../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../../platform/runs/index.js';
import { embedChunks } from './embed-chunks.js';
import type { IndexingParts } from './index-documents.js';

const rebuiltIndex = z.object({ chunks: z.number(), indexId: z.string() });

export const reindexing = defineRunKind({
  kind: 'REINDEXING',
  description: 'The chunks of a collection are embedded again.',
  subject: 'Collection',
  input: storedJson(z.object({ collectionId: z.string() })),
  output: storedJson(rebuiltIndex),
});

/** Chunks read at a time. */
const PAGE = 64;
/** Chunks that are looked up at a time to see whether they are still there. */
const CHECKED = 1_000;

/**
 * A REINDEXING run: embeds every chunk of a collection again, into the index of the embedder that is configured now, and
 * makes that the one that search uses. Until then search works as before. Documents that come in meanwhile are embedded
 * by the same embedder, so the index is complete at the end. It also repairs an index whose vectors were lost.
 */
export async function rebuildIndex(
  parts: IndexingParts,
  context: ContextOf<typeof reindexing>,
): Promise<z.infer<typeof rebuiltIndex>> {
  const { collectionId } = context.input;
  const workspaceId = context.run.workspaceId as WorkspaceId;
  const [collection] = await parts.collections.byIds(workspaceId, [collectionId]);
  if (collection === undefined) throw new GraftError('NOT_FOUND', 'The collection no longer exists.');
  const embedder = parts.embedder();
  const index = await parts.collections.ensureIndex(collection, embedder);
  await parts.vectors.ensure(workspaceId, index.id, embedder.dimensions);

  const total = (await parts.collections.counts(workspaceId, [collectionId])).get(collectionId)?.chunks ?? 0;
  const chunkIds: string[] = [];
  let embeddedCount = 0;
  for (let lastId: string | null = null; ;) {
    const chunks = await parts.documents.chunksAfter(collectionId, lastId, PAGE);
    if (chunks.length === 0) break;
    const target = { workspaceId, indexId: index.id, embedder, signal: context.signal };
    const baseCount = embeddedCount;
    await embedChunks(parts, target, chunks, (count) => {
      embeddedCount = baseCount + count;
      return context.progress(Math.min(0.99, embeddedCount / total), `${embeddedCount} of ${total} chunks embedded`);
    });
    chunkIds.push(...chunks.map(({ id }) => id));
    lastId = chunks.at(-1)?.id ?? null;
  }
  const forgotten = await context.fenced((tx) => parts.collections.activate(tx, index));
  for (const id of forgotten) await parts.vectors.drop(workspaceId, id);
  await forgetDeleted(parts, workspaceId, index.id, chunkIds);
  return { chunks: embeddedCount, indexId: index.id };
}

/** A document deleted while its chunks were embedded again got vectors once more, and no row reminds of them. */
async function forgetDeleted(
  { documents, vectors }: IndexingParts,
  workspaceId: WorkspaceId,
  indexId: string,
  chunkIds: readonly string[],
): Promise<void> {
  for (let from = 0; from < chunkIds.length; from += CHECKED) {
    const batch = chunkIds.slice(from, from + CHECKED);
    const live = new Set((await documents.chunksByIds(workspaceId, batch)).map(({ id }) => id));
    const deleted = batch.filter((id) => !live.has(id));
    if (deleted.length > 0) await vectors.delete(workspaceId, indexId, { ids: deleted });
  }
}
