import { GraftError, isGraftError, messageWithHint } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { ArtifactStore } from '../../../platform/artifacts/index.js';
import type { Transaction } from '../../../platform/database/index.js';
import type { WorkerClient } from '../../../platform/worker/index.js';
import type { EmbedderFiles } from '../../../worker-protocol/index.js';
import type { LabelStore } from '../access/label-store.js';
import { lockCollection } from '../collection-store.js';
import type { CollectionRow, SearchIndexRow } from '../collection.js';
import type { DocumentRow } from '../document-store.js';
import { unseenThere } from '../ingestion.js';
import type { IsolatedParser } from '../parsing/isolated-parser.js';
import { embedChunks } from './embed-chunks.js';
import { IngestionProgress } from './ingestion-progress.js';
import type { DocumentJob, DocumentReport, IngestionContext, IngestionReport } from './ingestion-run.js';
import { isCutAlike, restage, stagedOf, stageDocument, type StagedChunks } from './stage-document.js';
import { sweepIfPossible, type SweepParts } from './sweep.js';

export interface IndexingParts extends SweepParts {
  artifacts: ArtifactStore;
  labels: LabelStore;
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
 * the attempt, and the next one continues behind the groups that are done. Between groups, and in the middle of a document that is
 * longer than a group, it lets other ingestions take turns. The run fails when every document did.
 */
export async function indexDocuments(parts: IndexingParts, context: IngestionContext): Promise<IngestionReport> {
  const { input } = context;
  const workspaceId = context.run.workspaceId as WorkspaceId;
  const [collection] = await parts.collections.byIds(workspaceId, [input.collectionId]);
  if (collection === undefined) throw new GraftError('NOT_FOUND', 'The collection no longer exists.');
  const runId = context.run.id;
  await sweepIfPossible(parts, { runId, goesOnWith: context.resumed?.staged?.documentId });
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
    const prepared = await prepare(work, job);
    if (isLong(prepared)) {
      await finish(work, group);
      group = [];
    }
    group.push(prepared);
    const chunks = group.reduce((sum, { staged }) => sum + (staged?.fresh.length ?? 0), 0);
    if (group.length < GROUP.documents && chunks < GROUP.chunks) continue;
    await finish(work, group);
    group = [];
  }
  await finish(work, group);
  await sweepIfPossible(parts, { runId });
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
  { staged: StagedChunks; settled: null; before: string | null } | { staged: null; settled: DocumentReport }
);

/** It goes through alone, and may be interrupted. */
const isLong = ({ staged }: Prepared): boolean =>
  staged !== null && staged.fresh.length + staged.embedded.chunks > GROUP.chunks;

async function prepare(work: IngestionWork, job: DocumentJob): Promise<Prepared> {
  const { parts, context, collection, index, embedder, progress } = work;
  const workspaceId = collection.workspaceId as WorkspaceId;
  const liveDocument = await parts.documents.live(workspaceId, collection.id, job.name);
  if (liveDocument !== null && (await hiddenAmong(work, [job])).length > 0) return failed(job, unseenThere());
  if (liveDocument !== null && isSame(liveDocument, job, embedder)) return unchanged(job, liveDocument);
  const outcome = liveDocument === null ? 'ready' : 'replaced';
  const earlier = context.resumed?.staged;
  if (earlier?.name === job.name) {
    const staged = await restage(parts, { workspaceId, indexId: index.id, embedder }, earlier, liveDocument);
    if (staged !== null) return { job, what: outcome, staged, settled: null, before: liveDocument?.id ?? null };
  }
  await progress.tell(job, 0, 'parsing');
  try {
    const target = { collection, embedder, indexId: index.id, runId: context.run.id, signal: context.signal };
    const staged = await stageDocument(parts, target, job, liveDocument);
    if (staged === null) return unchanged(job, liveDocument!);
    return { job, what: outcome, staged, settled: null, before: liveDocument?.id ?? null };
  } catch (error) {
    if (!isOwnFault(error)) throw error;
    return failed(job, error);
  }
}

function failed(job: DocumentJob, error: GraftError): Prepared {
  const message = messageWithHint(error);
  const settled = { ...reported(job, 'FAILED', null, 0), error: { code: error.code, message } };
  return { job, what: message, staged: null, settled };
}

/** A document that is live already: ingesting it again changes its metadata only, so that answers keep what they cite. */
const unchanged = (job: DocumentJob, live: DocumentRow): Prepared => ({
  job,
  what: 'unchanged',
  staged: null,
  settled: reported(job, 'UNCHANGED', live.id, live.chunkCount),
});

/** Names of those that somebody else has there: whoever asked for the run doesn't see them, and so doesn't change them. */
function hiddenAmong(
  { parts, context, collection }: IngestionWork,
  jobs: readonly DocumentJob[],
  tx?: Transaction,
): Promise<string[]> {
  const { groups = null } = context.input;
  const names = jobs.map(({ name }) => name);
  return parts.labels.hiddenIn(collection.workspaceId as WorkspaceId, collection.id, names, groups, tx);
}

/** Embeds what is new of a group. @returns ids of the chunks that were longer than the embedder reads */
async function embedGroup(work: IngestionWork, group: readonly Prepared[]): Promise<Set<string>> {
  const { parts, context, collection, index, embedder, report, progress } = work;
  const long = group.find(isLong);
  if (long?.settled === null)
    await context.checkpoint({
      documents: report.documents,
      staged: stagedOf(long.staged, long.job, { embedder, before: long.before }),
    });
  const fresh = group.flatMap(({ job, staged }) =>
    (staged?.fresh ?? []).map((chunk, i) => {
      const { documentId, fresh: chunks, embedded } = staged!;
      return { ...chunk, job, documentId, place: embedded.chunks + i + 1, of: embedded.chunks + chunks.length };
    }),
  );
  const target = { workspaceId: collection.workspaceId as WorkspaceId, indexId: index.id, embedder };
  return embedChunks(parts, { ...target, signal: context.signal }, fresh, async (count) => {
    const { job, place, of } = fresh[count - 1]!;
    await progress.tell(job, place / of, `${place} of ${of} chunks embedded`);
    if (long && count < fresh.length) await context.takeTurns();
  });
}

/** Embeds what is new of a group and makes its documents live together. */
async function finish(work: IngestionWork, group: readonly Prepared[]): Promise<void> {
  if (group.length === 0) return;
  const { parts, context, collection, report, progress } = work;
  const cut = await embedGroup(work, group);
  const result = await context.fenced(async (tx) => {
    // Behind the lock: nobody's document comes between this and what goes live.
    await lockCollection(tx, collection.id);
    const changing = group.filter(({ settled }) => settled?.outcome !== 'FAILED').map(({ job }) => job);
    const hidden = await hiddenAmong(work, changing, tx);
    const settling = group.map((item) => (hidden.includes(item.job.name) ? failed(item.job, unseenThere()) : item));
    const entries = settling.map((item) => item.settled ?? indexed(item.job, item.staged, cut));
    for (const { job, staged: stagedChunks, settled } of settling) {
      const place = { collectionId: collection.id, name: job.name };
      if (stagedChunks !== null)
        await parts.documents.goLive(tx, { ...place, id: stagedChunks.documentId, kept: stagedChunks.kept });
      else if (settled.outcome === 'UNCHANGED')
        await parts.documents.setMetadata(tx, settled.documentId!, job.metadata);
    }
    await context.checkpoint({ documents: [...report.documents, ...entries] }, tx);
    // With the checkpoint: an attempt that goes on from it passes these documents over without a word.
    for (const [i, { job, what }] of settling.entries()) {
      await progress.tell(job, 1, what, entries[i], tx);
      progress.documentDone(job);
    }
    return { settling, entries };
  });
  report.documents.push(...result.entries);
  for (const { staged: stagedChunks } of result.settling)
    if (stagedChunks !== null) await tellVectors(work, stagedChunks.documentId, stagedChunks.kept);
}

function indexed(job: DocumentJob, staged: StagedChunks, cut: ReadonlySet<string>): DocumentReport {
  const { embedded } = staged;
  const chunks = staged.fresh.length + staged.kept.length + embedded.chunks;
  const cutChunks = staged.keptCut + embedded.cut + staged.fresh.filter(({ id }) => cut.has(id)).length;
  return {
    ...reported(job, 'INDEXED', staged.documentId, chunks),
    notes: [...staged.notes, ...cutNote(cutChunks, chunks)],
  };
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
