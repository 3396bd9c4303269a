import { GraftError, isGraftError, messageWithHint } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { ArtifactStore } from '../../platform/artifacts/index.js';
import type { WorkerClient } from '../../platform/worker/index.js';
import type { EmbedderFiles } from '../../worker-protocol/index.js';
import type { CollectionRow, SearchIndexRow } from '../collection.js';
import type { DocumentRow } from '../document-store.js';
import type { IsolatedParser } from '../parsing/isolated-parser.js';
import { embedChunks } from './embed-chunks.js';
import { IngestionProgress } from './ingestion-progress.js';
import type { DocumentJob, DocumentReport, IngestionContext, IngestionReport } from './ingestion-run.js';
import { isCutAlike, stageDocument, type StagedChunks } from './stage-document.js';
import { sweepIfPossible, type SweepParts } from './sweep.js';

export interface IndexingParts extends SweepParts {
  artifacts: ArtifactStore;
  parser: IsolatedParser;
  worker: Pick<WorkerClient, 'embed'>;
  embedder: () => EmbedderFiles;
}

/** Documents go through together until they have so many new chunks: short ones share calls of the worker and writes. */
const GROUP = { documents: 32, chunks: 32 } as const;

/**
 * An INGESTION run: groups of documents are parsed, chunked, embedded, stored, and then go live in one step, so that search
 * sees the old content until all of the new one is there. Chunks whose text is the same as before keep their ids and vectors. A
 * document's own fault is written into the report and the run goes on; a fault of database, worker or vector store fails
 * the attempt, and the next one continues behind the groups that are done. Between groups it lets other ingestions take turns.
 * The run fails when every document did.
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

  const earlier = context.resumed?.documents ?? [];
  const report: IngestionReport = { documents: [...earlier] };
  const progress = new IngestionProgress(context, input.documents);
  const work = { parts, context, collection, index, embedder, report, progress };
  // The attempt before may have ended between its last group's going live and what the vectors say.
  for (const { documentId } of earlier.slice(-GROUP.documents))
    if (documentId !== null) await tellVectors(work, documentId, await parts.documents.chunksOf(documentId));
  let group: Prepared[] = [];
  for (const job of input.documents) {
    if (report.documents.some(({ name }) => name === job.name)) {
      progress.documentDone(job);
      continue;
    }
    // Behind a group of its own only: two runs that did nothing but give way would never end.
    if (group.length === 0 && report.documents.length > earlier.length) await context.takeTurns();
    group.push(await prepare(work, job));
    const chunks = group.reduce((sum, { staged }) => sum + (staged?.fresh.length ?? 0), 0);
    if (group.length < GROUP.documents && chunks < GROUP.chunks) continue;
    await finish(work, group);
    group = [];
  }
  if (group.length > 0) await finish(work, group);
  await sweepIfPossible(parts, context.run.id);
  return summarize(report);
}

/** An ingestion under way. */
interface IngestionWork {
  parts: IndexingParts;
  context: IngestionContext;
  collection: CollectionRow;
  index: SearchIndexRow;
  embedder: EmbedderFiles;
  report: IngestionReport;
  progress: IngestionProgress;
}

/** A document of a group: what was stored of it, or what became of it already. */
type Prepared = { job: DocumentJob; what: string } & (
  { staged: StagedChunks; settled: null } | { staged: null; settled: DocumentReport }
);

async function prepare(
  { parts, context, collection, index, embedder, progress }: IngestionWork,
  job: DocumentJob,
): Promise<Prepared> {
  const before = await parts.documents.live(collection.workspaceId as WorkspaceId, collection.id, job.name);
  if (before !== null && isSame(before, job, embedder)) return await leave(parts, job, before);
  await progress.tell(job, 0, 'parsing');
  try {
    const target = { collection, embedder, indexId: index.id, runId: context.run.id, signal: context.signal };
    const staged = await stageDocument(parts, target, job, before);
    if (staged === null) return await leave(parts, job, before!);
    return { job, what: before === null ? 'ready' : 'replaced', staged, settled: null };
  } catch (error) {
    if (!isOwnFault(error)) throw error;
    const { code } = error;
    const message = messageWithHint(error);
    const settled = { ...reported(job, 'FAILED', null, 0), error: { code, message } };
    return { job, what: message, staged: null, settled };
  }
}

/** A document that is live already: ingesting it again changes its metadata only, so that answers keep what they cite. */
async function leave({ documents }: IndexingParts, job: DocumentJob, live: DocumentRow): Promise<Prepared> {
  await documents.setMetadata(live.id, job.metadata);
  return { job, what: 'unchanged', staged: null, settled: reported(job, 'UNCHANGED', live.id, live.chunkCount) };
}

/** Embeds what is new of a group and makes its documents live together. */
async function finish(work: IngestionWork, group: readonly Prepared[]): Promise<void> {
  const { parts, context, collection, index, embedder, report, progress } = work;
  const workspaceId = collection.workspaceId as WorkspaceId;
  const staged = group.flatMap(({ job, staged: one }) => (one === null ? [] : [{ job, ...one }]));
  const fresh = staged.flatMap(({ job, documentId, fresh: chunks }) =>
    chunks.map((chunk, i) => ({ ...chunk, job, documentId, place: i + 1, of: chunks.length })),
  );
  const cut = await embedChunks(
    parts,
    { workspaceId, indexId: index.id, embedder, signal: context.signal },
    fresh,
    (done) => {
      const { job, place, of } = fresh[done - 1]!;
      return progress.tell(job, place / of, `${place} of ${of} chunks embedded`);
    },
  );
  const entries = group.map(({ job, staged: one, settled }): DocumentReport => {
    if (one === null) return settled;
    const chunks = one.fresh.length + one.kept.length;
    const cutChunks = one.keptCut + one.fresh.filter(({ id }) => cut.has(id)).length;
    return {
      ...reported(job, 'INDEXED', one.documentId, chunks),
      notes: [...one.notes, ...cutNote(cutChunks, chunks)],
    };
  });
  await context.fenced(async (tx) => {
    for (const { documentId: id, job, kept } of staged)
      await parts.documents.goLive(tx, { id, collectionId: collection.id, name: job.name, kept });
    await context.checkpoint({ documents: [...report.documents, ...entries] }, tx);
    // With the checkpoint: an attempt that goes on from it passes these documents over without a word.
    for (const [i, { job, what }] of group.entries()) {
      await progress.tell(job, 1, what, entries[i], tx);
      progress.documentDone(job);
    }
  });
  report.documents.push(...entries);
  for (const { documentId, kept } of staged) await tellVectors(work, documentId, kept);
}

/** Has vectors that a document took over say whose they are. */
async function tellVectors(work: IngestionWork, documentId: string, chunks: readonly { id: string }[]): Promise<void> {
  const { parts, collection, index } = work;
  const ids = chunks.map(({ id }) => id);
  await parts.vectors.relabel(collection.workspaceId as WorkspaceId, index.id, ids, { documentId });
}

const cutNote = (cut: number, chunks: number): string[] =>
  cut === 0
    ? []
    : [
        `${cut} of ${chunks} chunks are longer than the embedder reads: search by meaning sees their beginning, search by words all of them.`,
      ];

/** Whether ingesting it again would change nothing but metadata, as far as that can be told without parsing: another media type may name the same format. */
const isSame = (live: DocumentRow, job: DocumentJob, embedder: EmbedderFiles): boolean =>
  isCutAlike(live, job, embedder) && (job.mediaType === null || job.mediaType === live.mediaType);

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

/** @throws the first document's fault when every document failed */
function summarize(report: IngestionReport): IngestionReport {
  const failed = report.documents.filter(({ outcome }) => outcome === 'FAILED');
  const first = failed[0]?.error;
  if (first && failed.length === report.documents.length)
    throw new GraftError(
      first.code,
      failed.length === 1
        ? first.message
        : `None of the ${failed.length} documents could be ingested; the first one: ${first.message}`,
    );
  return report;
}
