import { groupBy } from '../../../kernel/group-by.js';
import { GraftError } from '../../../kernel/errors.js';
import { newId, type WorkspaceId } from '../../../kernel/ids.js';
import type { ArtifactStore } from '../../../platform/artifacts/index.js';
import type { VectorStore } from '../../../platform/vectors/index.js';
import type { CollectionRow } from '../collection.js';
import type { ChunkRow, DocumentRow, DocumentStore, KeptChunk, StoredChunk } from '../document-store.js';
import type { EmbedderFiles } from '../../../worker-protocol/index.js';
import { CHUNKER, type DraftChunk } from '../chunking/chunk.js';
import type { IsolatedParser } from '../parsing/isolated-parser.js';
import type { EmbeddedChunk } from './embed-chunks.js';
import type { DocumentJob, StagedDocument } from './ingestion-run.js';

/** A document whose rows are there but that search does not see yet. */
export interface StagedChunks {
  documentId: string;
  /** Chunks that are new and still need a vector. */
  fresh: Omit<EmbeddedChunk, 'documentId'>[];
  /** Chunks of the document before that go over to this one with their ids and vectors, when it goes live. */
  kept: KeptChunk[];
  /** How many of the kept ones are longer than the embedder reads. */
  keptCut: number;
  /** Of the document's own chunks, how many have their vector already, and how many of these are longer than the embedder reads. */
  embedded: { chunks: number; cut: number };
  notes: string[];
}

/** More would keep the embedder busy for an hour on two cores. */
const MOST_CHUNKS = 20_000;

/**
 * Parses a document, cuts it into chunks and stores them.
 * @returns null, and nothing is stored, where it turns out to be what is live already, called by another name of its format
 * @throws PAYLOAD_TOO_LARGE for one of too many chunks, and what `ArtifactStore.local` and `IsolatedParser.parse` throw
 */
export async function stageDocument(
  parts: { artifacts: ArtifactStore; parser: IsolatedParser; documents: DocumentStore; vectors: VectorStore },
  target: { collection: CollectionRow; indexId: string; embedder: EmbedderFiles; runId: string; signal: AbortSignal },
  job: DocumentJob,
  liveDocument: DocumentRow | null,
): Promise<StagedChunks | null> {
  const { collection, indexId, embedder, runId, signal } = target;
  const workspaceId = collection.workspaceId as WorkspaceId;
  const path = await parts.artifacts.local(job.sha256);
  const { document, chunks } = await parts.parser.parse(path, job.sha256, job, { reader: embedder, signal });
  if (chunks.length > MOST_CHUNKS)
    throw new GraftError(
      'PAYLOAD_TOO_LARGE',
      `The document has ${chunks.length} chunks; at most ${MOST_CHUNKS} are taken.`,
      { hint: 'Split it into several documents.' },
    );
  if (liveDocument !== null && isCutAlike(liveDocument, job, embedder) && document.mediaType === liveDocument.mediaType)
    return null;
  const liveChunks = liveDocument === null ? [] : await parts.documents.chunksOf(liveDocument.id);
  const vectors = await parts.vectors.metadata(
    workspaceId,
    indexId,
    sameText(chunks, liveChunks).flatMap((chunk) => (chunk === null ? [] : [chunk.id])),
  );
  // What has no vector in this index, as after a change of the embedder, is embedded like any other.
  const matches = sameText(
    chunks,
    liveChunks.filter(({ id }) => vectors.has(id)),
  );
  const keptChunks: KeptChunk[] = [];
  const fresh: StoredChunk[] = [];
  chunks.forEach((chunk, index) => {
    const { ordinal, start, end, page } = chunk;
    const old = matches[index];
    if (old) keptChunks.push({ id: old.id, ordinal, start, end, page });
    else fresh.push({ ...chunk, id: newId() });
  });
  const documentId = await parts.documents.stage(
    {
      workspaceId,
      collectionId: collection.id,
      name: job.name,
      sha256: job.sha256,
      bytes: BigInt(job.bytes),
      metadata: job.metadata,
      runId,
      cutBy: chunkerOf(embedder),
      parsed: document,
    },
    collection.language,
    fresh,
  );
  const keptCut = keptChunks.filter(({ id }) => vectors.get(id)?.['cut'] === true).length;
  return { documentId, fresh, kept: keptChunks, keptCut, embedded: { chunks: 0, cut: 0 }, notes: document.notes };
}

/** What a run goes on from that is interrupted while the document's chunks are embedded. */
export const stagedOf = (
  { documentId, kept, keptCut, notes }: StagedChunks,
  { name }: DocumentJob,
  { embedder, before }: { embedder: EmbedderFiles; before: string | null },
): StagedDocument => ({ name, documentId, cutBy: chunkerOf(embedder), replaces: before, kept, keptCut, notes });

/** The document as an earlier attempt stored it; null where it is gone, or was made for another embedder or in another's place. */
export async function restage(
  parts: { documents: DocumentStore; vectors: VectorStore },
  target: { workspaceId: WorkspaceId; indexId: string; embedder: EmbedderFiles },
  staged: StagedDocument,
  liveDocument: DocumentRow | null,
): Promise<StagedChunks | null> {
  const { documentId, kept, keptCut, notes } = staged;
  if (staged.cutBy !== chunkerOf(target.embedder) || staged.replaces !== (liveDocument?.id ?? null)) return null;
  const chunks = await parts.documents.chunksOf(documentId);
  if (chunks.length === 0) return null;
  const ids = chunks.map(({ id }) => id);
  const vectors = await parts.vectors.metadata(target.workspaceId, target.indexId, ids);
  const cut = [...vectors.values()].filter((metadata) => metadata['cut'] === true).length;
  const fresh = chunks.filter(({ id }) => !vectors.has(id));
  return { documentId, fresh, kept, keptCut, embedded: { chunks: vectors.size, cut }, notes };
}

/** What cuts documents for an embedder: one that something else cut is cut anew when it is ingested again, though it is the same. */
const chunkerOf = ({ tokenizerSha256, maxTokens }: EmbedderFiles): string =>
  `${CHUNKER}:${maxTokens}:${tokenizerSha256.slice(0, 12)}`;

/** Whether a document is the live one's bytes, which are cut as they would be now. */
export const isCutAlike = (live: DocumentRow, job: DocumentJob, embedder: EmbedderFiles): boolean =>
  live.cutBy === chunkerOf(embedder) && live.sha256 === job.sha256;

/** For each new chunk the old one with the same text under the same headings, each at most once; null where there is none. */
function sameText(chunks: readonly DraftChunk[], liveChunks: readonly ChunkRow[]): (ChunkRow | null)[] {
  const chunkQueues = groupBy(liveChunks, identity);
  return chunks.map((chunk) => chunkQueues.get(identity(chunk))?.shift() ?? null);
}

const identity = ({ headings, text }: Pick<DraftChunk, 'headings' | 'text'>): string =>
  JSON.stringify([headings, text]);
