import { GraftError, isGraftError } from '../../kernel/errors.js';
import { newId, type WorkspaceId } from '../../kernel/ids.js';
import type { ArtifactStore } from '../../platform/artifacts/index.js';
import type { WorkerClient } from '../../platform/worker/index.js';
import type { EmbedderFiles } from '../../worker-protocol/index.js';
import type { CollectionRow, SearchIndexRow } from '../collection.js';
import type { DocumentRow, StoredChunk } from '../document-store.js';
import type { IsolatedParser } from '../parsing/isolated-parser.js';
import type { DocumentJob, DocumentReport, IngestionContext, IngestionReport } from './ingestion-run.js';
import { indexText } from './lexical-text.js';
import { sweepIfPossible, type SweepParts } from './sweep.js';

export interface IndexingParts extends SweepParts {
  artifacts: ArtifactStore;
  parser: IsolatedParser;
  worker: Pick<WorkerClient, 'embed'>;
  embedder: () => EmbedderFiles;
}

/** Texts per call of the worker: about a second of work on two cores, so that progress moves and questions get in between. */
export const EMBED_BATCH = 16;

/**
 * An INGESTION run: each document is parsed, chunked, embedded, stored, and then goes live in one step, so that search
 * sees the old content until all of the new one is there. A document's own fault is written into the report and the run
 * goes on; a fault of database, worker or vector store fails the attempt, and the next one continues behind the documents
 * that are done. Between documents it lets other ingestions take turns. The run fails when every document did.
 */
export async function indexDocuments(parts: IndexingParts, context: IngestionContext): Promise<IngestionReport> {
  const { input } = context;
  const workspaceId = context.run.workspaceId as WorkspaceId;
  const [collection] = await parts.collections.byIds(workspaceId, [input.collectionId]);
  if (collection === undefined) throw new GraftError('NOT_FOUND', 'The collection no longer exists.');
  await sweepIfPossible(parts, context.run.id);
  const embedder = parts.embedder();
  const index = await parts.collections.ensureIndex(collection, embedder);
  await parts.vectors.ensure(workspaceId, index.id, embedder.dimensions);

  const report: IngestionReport = { documents: [...(context.resumed?.documents ?? [])] };
  const progress = new Progress(context, input.documents);
  for (const job of input.documents) {
    const done = report.documents.some(({ name }) => name === job.name);
    if (!done) {
      await context.takeTurns();
      await indexOne({ parts, context, collection, index, embedder, report, progress }, job);
    }
    progress.documentDone(job);
  }
  await sweepIfPossible(parts, context.run.id);
  return summarize(report);
}

interface Scope {
  parts: IndexingParts;
  context: IngestionContext;
  collection: CollectionRow;
  index: SearchIndexRow;
  embedder: EmbedderFiles;
  report: IngestionReport;
  progress: Progress;
}

async function indexOne(scope: Scope, job: DocumentJob): Promise<void> {
  const { parts, context, collection, report, progress } = scope;
  const before = await parts.documents.live(collection.workspaceId as WorkspaceId, collection.id, job.name);
  if (before !== null && isSame(before, job)) {
    await parts.documents.setMetadata(before.id, job.metadata);
    return record(scope, job, reported(job, 'UNCHANGED', before.id, before.chunkCount));
  }
  await progress.tell(job, 0, 'parsing');
  let staged: { documentId: string; chunks: number; notes: string[] };
  try {
    staged = await stageAndEmbed(scope, job);
  } catch (error) {
    if (!isOwnFault(error)) throw error;
    const { code, message } = error;
    return record(scope, job, { ...reported(job, 'FAILED', null, 0), error: { code, message } });
  }
  const entry = { ...reported(job, 'INDEXED', staged.documentId, staged.chunks), notes: staged.notes };
  await context.fenced(async (tx) => {
    await parts.documents.goLive(tx, { id: staged.documentId, collectionId: collection.id, name: job.name });
    await context.checkpoint(withEntry(report, entry), tx);
  });
  report.documents.push(entry);
  await progress.tell(job, 1, before === null ? 'ready' : 'replaced', entry);
}

async function stageAndEmbed(scope: Scope, job: DocumentJob) {
  const { parts, context, collection, index, embedder, progress } = scope;
  const workspaceId = collection.workspaceId as WorkspaceId;
  const { document, chunks } = await parts.parser.parse(
    await parts.artifacts.local(job.sha256),
    job.sha256,
    job,
    context.signal,
  );
  const stored: StoredChunk[] = chunks.map((chunk) => ({ ...chunk, id: newId() }));
  const documentId = await parts.documents.stage(
    {
      workspaceId,
      collectionId: collection.id,
      name: job.name,
      sha256: job.sha256,
      bytes: BigInt(job.bytes),
      metadata: job.metadata,
      runId: context.run.id,
      parsed: document,
    },
    collection.language,
    stored,
  );
  const cut = await embedChunks(
    parts,
    { workspaceId, indexId: index.id, embedder, documentId, signal: context.signal },
    stored,
    (done) => progress.tell(job, done / stored.length, `${done} of ${stored.length} chunks embedded`),
  );
  return { documentId, chunks: stored.length, notes: [...document.notes, ...cutNote(cut, stored.length)] };
}

const cutNote = (cut: number, chunks: number): string[] =>
  cut === 0
    ? []
    : [
        `${cut} of ${chunks} chunks are longer than the embedder reads: search by meaning sees their beginning, search by words all of them.`,
      ];

/**
 * Embeds chunks and stores their vectors.
 * @param told is called after each batch with the chunks done so far
 * @returns how many chunks were longer than the embedder reads
 */
export async function embedChunks(
  { worker, vectors }: Pick<IndexingParts, 'worker' | 'vectors'>,
  target: {
    workspaceId: WorkspaceId;
    indexId: string;
    embedder: EmbedderFiles;
    documentId?: string;
    signal: AbortSignal;
  },
  chunks: readonly { id: string; documentId?: string; headings: readonly string[]; text: string }[],
  told: (done: number) => Promise<void>,
): Promise<number> {
  let cut = 0;
  const { workspaceId, indexId, embedder, signal } = target;
  for (let from = 0; from < chunks.length; from += EMBED_BATCH) {
    const batch = chunks.slice(from, from + EMBED_BATCH);
    const texts = batch.map(indexText);
    const { vectors: embedded, truncated } = await worker.embed(
      { workspaceId, embedder, texts },
      { signal, priority: 'bulk' },
    );
    cut += truncated;
    await vectors.upsert(
      workspaceId,
      indexId,
      batch.map((chunk, i) => ({
        id: chunk.id,
        vector: embedded[i] as Float32Array,
        metadata: { documentId: target.documentId ?? (chunk.documentId as string) },
      })),
    );
    await told(from + batch.length);
  }
  return cut;
}

/** Whether ingesting it again would change nothing but metadata. */
const isSame = (live: DocumentRow, job: DocumentJob): boolean =>
  live.sha256 === job.sha256 && (job.mediaType === null || job.mediaType === live.mediaType);

/** Errors that this document would meet again, and that the others need not. */
const isOwnFault = (error: unknown): error is GraftError =>
  isGraftError(error, 'UNSUPPORTED_MEDIA_TYPE') ||
  isGraftError(error, 'DOCUMENT_UNREADABLE') ||
  isGraftError(error, 'PAYLOAD_TOO_LARGE') ||
  isGraftError(error, 'STORAGE_FAILED');

const reported = (
  job: DocumentJob,
  outcome: DocumentReport['outcome'],
  documentId: string | null,
  chunks: number,
): DocumentReport => ({ name: job.name, outcome, documentId, chunks, notes: [], error: null });

/** Writes an entry of the report that changes nothing else. */
async function record({ context, report, progress }: Scope, job: DocumentJob, entry: DocumentReport): Promise<void> {
  await context.checkpoint(withEntry(report, entry));
  report.documents.push(entry);
  await progress.tell(job, 1, entry.error?.message ?? 'unchanged', entry);
}

const withEntry = (report: IngestionReport, entry: DocumentReport): IngestionReport => ({
  documents: [...report.documents, entry],
});

/** @throws the first document's fault when every document failed */
function summarize(report: IngestionReport): IngestionReport {
  const failed = report.documents.filter(({ outcome }) => outcome === 'FAILED');
  const first = failed[0]?.error;
  if (first && failed.length === report.documents.length)
    throw new GraftError(
      first.code,
      failed.length === 1
        ? `${failed[0]?.name}: ${first.message}`
        : `None of the ${failed.length} documents could be ingested; the first one: ${first.message}`,
    );
  return report;
}

/** The run's progress: each document counts by its bytes. */
class Progress {
  private doneBytes = 0;
  private readonly totalBytes: number;

  constructor(
    private readonly context: IngestionContext,
    jobs: readonly DocumentJob[],
  ) {
    this.totalBytes = jobs.reduce((sum, job) => sum + weight(job), 0);
  }

  documentDone(job: DocumentJob): void {
    this.doneBytes += weight(job);
  }

  /** @param share of this document, 0..1 */
  tell(job: DocumentJob, share: number, what: string, entry?: DocumentReport): Promise<void> {
    const fraction = Math.min(1, (this.doneBytes + share * weight(job)) / this.totalBytes);
    return this.context.progress(fraction, `${job.name}: ${what}`, {
      document: job.name,
      share,
      ...(entry === undefined ? {} : { report: entry }),
    });
  }
}

const weight = (job: DocumentJob): number => Math.max(1_000, job.bytes);
