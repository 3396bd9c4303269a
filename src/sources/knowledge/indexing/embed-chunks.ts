import type { WorkspaceId } from '../../../kernel/ids.js';
import type { VectorStore } from '../../../platform/vectors/index.js';
import type { WorkerClient } from '../../../platform/worker/index.js';
import type { EmbedderFiles } from '../../../worker-protocol/index.js';
import { indexText } from './lexical-text.js';

/** Texts and characters per call of the worker: about a second of work on two cores, so that progress moves and questions get in between. */
const BATCH = { texts: 256, characters: 14_400 } as const;

interface EmbeddingTarget {
  workspaceId: WorkspaceId;
  indexId: string;
  embedder: EmbedderFiles;
  signal: AbortSignal;
}

export interface EmbeddedChunk {
  id: string;
  documentId: string;
  headings: readonly string[];
  text: string;
}

/**
 * Embeds chunks, whatever documents they belong to, and stores their vectors.
 * @param report is called after each batch with the chunks done so far
 * @returns ids of the chunks that were longer than the embedder reads
 */
export async function embedChunks(
  { worker, vectors }: { worker: Pick<WorkerClient, 'embed'>; vectors: VectorStore },
  { workspaceId, indexId, embedder, signal }: EmbeddingTarget,
  chunks: readonly EmbeddedChunk[],
  report: (done: number) => Promise<void>,
): Promise<Set<string>> {
  const cut = new Set<string>();
  let count = 0;
  for (const batch of batches(chunks)) {
    const texts = batch.map(({ text }) => text);
    const embedded = await worker.embed({ workspaceId, embedder, texts }, { signal, priority: 'bulk' });
    for (const index of embedded.truncated) cut.add(batch[index]!.chunk.id);
    await vectors.upsert(
      workspaceId,
      indexId,
      batch.map(({ chunk: { id, documentId } }, i) => ({
        id,
        vector: embedded.vectors[i]!,
        metadata: { documentId, cut: cut.has(id) },
      })),
    );
    await report((count += batch.length));
  }
  return cut;
}

interface EmbeddingInput {
  chunk: EmbeddedChunk;
  /** What is embedded of it. */
  text: string;
}

function* batches(chunks: readonly EmbeddedChunk[]): Generator<EmbeddingInput[]> {
  let batch: EmbeddingInput[] = [];
  let characters = 0;
  for (const chunk of chunks) {
    const text = indexText(chunk);
    if (batch.length > 0 && (batch.length >= BATCH.texts || characters + text.length > BATCH.characters)) {
      yield batch;
      batch = [];
      characters = 0;
    }
    batch.push({ chunk, text });
    characters += text.length;
  }
  if (batch.length > 0) yield batch;
}
