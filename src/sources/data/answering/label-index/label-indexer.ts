import { GraftError, isGraftError } from '../../../../kernel/errors.js';
import { newId, type WorkspaceId } from '../../../../kernel/ids.js';
import { embedderDigest } from '../../../knowledge/index.js';
import type { RunQueue, RunRow } from '../../../../platform/runs/index.js';
import type { VectorStore } from '../../../../platform/vectors/index.js';
import type { WorkerClient } from '../../../../platform/worker/index.js';
import type { EmbedderFiles } from '../../../../worker-protocol/index.js';
import type { DatasetService } from '../../datasets/dataset-service.js';
import type { DatasetStore } from '../../datasets/dataset-store.js';
import type { StoredRow, VersionRows } from '../../datasets/version-rows.js';
import { Split } from '../../datasets/importing/splits.js';
import { hasLabel, inputText, rightLabel } from '../../datasets/tasks/index.js';
import type { LabelIndexRecord } from './label-index.js';
import type { LabelIndexStore } from './label-index-store.js';
import { labelIndexing, type LabelIndexingContext } from './label-index-run.js';
import { fitVote, NEIGHBOURS, type LabelledNeighbours, type Neighbour } from './vote.js';

interface LabelIndexParts {
  runs: RunQueue;
  datasets: DatasetService;
  datasetStore: Pick<DatasetStore, 'require'>;
  rows: VersionRows;
  store: LabelIndexStore;
  vectors: VectorStore;
  worker: Pick<WorkerClient, 'embed'>;
  embedder: () => EmbedderFiles;
}

/** Rows between two checkpoints, each batch one call of the worker: a second or two on two cores. */
const BATCH = 256;
/** Rows that are judged by the others to choose how votes are weighed: enough for a third digit, in seconds. */
const JUDGED = 500;
/** Share of the progress bar that embedding takes. */
const EMBEDDED = 0.9;

interface LabelIndexingResult {
  indexId: string;
  rows: number;
  accuracy: number;
}

/** A labelled row for training. */
interface LabelledRow {
  ordinal: number;
  text: string;
  label: string;
}

/** Labelled rows as vectors: made by a run, asked by whoever wants the rows nearest to a text. */
export class LabelIndexes {
  constructor(private readonly parts: LabelIndexParts) {}

  get store(): LabelIndexStore {
    return this.parts.store;
  }

  /**
   * @returns the LABEL_INDEXING run
   * @throws NOT_FOUND, DATASET_UNUSABLE also for rows without labels, IDEMPOTENCY_CONFLICT
   */
  async start(workspaceId: WorkspaceId, datasetVersionId: string, idempotencyKey: string): Promise<RunRow> {
    const { dataset } = await this.parts.datasets.trainableVersion(
      workspaceId,
      datasetVersionId,
      'input.datasetVersion',
    );
    if (!hasLabel(dataset.task))
      throw new GraftError('DATASET_UNUSABLE', `Rows for ${dataset.task} have no labels to vote with.`, {
        field: 'input.datasetVersion',
        hint: 'Index a dataset for CLASSIFICATION.',
      });
    return this.parts.runs.enqueue(labelIndexing, {
      workspaceId,
      idempotencyKey,
      input: { datasetVersionId },
      subjectId: datasetVersionId,
    });
  }

  /**
   * The work of a LABEL_INDEXING run; an interrupted one goes on behind the rows whose vectors are stored. Only rows for training are
   * indexed: those for validation and testing shall not find themselves.
   * @throws DATASET_UNUSABLE, VECTOR_STORE_UNAVAILABLE, and what the worker throws
   */
  async index(context: LabelIndexingContext): Promise<LabelIndexingResult> {
    const { run, input } = context;
    try {
      return await this.#index(context);
    } catch (error) {
      // Nobody goes on from what was cancelled, or from rows that were erased.
      if (context.signal.reason === 'cancel' || isGraftError(error, 'DATASET_UNUSABLE'))
        await this.forget(run.workspaceId as WorkspaceId, [input.datasetVersionId], 'begun');
      throw error;
    }
  }

  async #index(context: LabelIndexingContext): Promise<LabelIndexingResult> {
    const { run, input, signal, resumed } = context;
    const { datasets, rows, store, vectors, worker } = this.parts;
    const workspaceId = run.workspaceId as WorkspaceId;
    const { dataset, version, rowGroups } = await datasets.trainableVersion(
      workspaceId,
      input.datasetVersionId,
      'input.datasetVersion',
    );
    const embedder = this.parts.embedder();
    const total = version.counts.train;
    const digest = embedderDigest(embedder);
    const indexId = resumed?.indexId ?? newId();
    let [ordinal, embeddedRows] = [resumed?.ordinal ?? 0, resumed?.rows ?? 0];
    const newIndex = { id: indexId, workspaceId, datasetVersionId: version.id, embedderDigest: digest };
    await store.begin(newIndex);
    await context.checkpoint({ indexId, ordinal, rows: embeddedRows });
    await vectors.ensure(workspaceId, indexId, embedder.dimensions);
    const stream = rows.stream(dataset.task, rowGroups, { split: Split.TRAIN, quarantined: false });
    const labels = new Set<string>();
    const judges = new Judges(total);
    for await (const batch of batches(stream)) {
      for (const { label } of batch) labels.add(label);
      judges.pick(batch);
      const fresh = batch.filter((row) => row.ordinal > ordinal);
      if (fresh.length === 0) continue;
      signal.throwIfAborted();
      const texts = fresh.map(({ text }) => text);
      const embedded = await worker.embed({ workspaceId, embedder, texts }, { signal, priority: 'bulk' });
      await vectors.upsert(
        workspaceId,
        indexId,
        fresh.map(({ ordinal: rowOrdinal, label }, i) => ({
          id: String(rowOrdinal),
          vector: embedded.vectors[i]!,
          metadata: { label },
        })),
      );
      [ordinal, embeddedRows] = [fresh.at(-1)!.ordinal, embeddedRows + fresh.length];
      await context.checkpoint({ indexId, ordinal, rows: embeddedRows });
      await context.progress(
        (EMBEDDED * embeddedRows) / Math.max(total, embeddedRows),
        `${embeddedRows} of ${total} rows are embedded.`,
      );
      await context.takeTurns();
    }
    if (embeddedRows === 0)
      throw new GraftError('DATASET_UNUSABLE', `Version ${version.version} has no rows for training.`);
    await context.progress(EMBEDDED, 'Choosing how the rows vote.');
    const sorted = [...labels].sort();
    const fitted = fitVote(await this.#judge(workspaceId, indexId, judges.rows, signal), sorted);
    const fit = { labels: sorted, rule: fitted.rule, texts: fitted.texts, accuracy: fitted.accuracy };
    // Rows that were erased meanwhile must not come back as vectors.
    await datasets.trainableVersion(workspaceId, version.id, 'input.datasetVersion');
    let replaced: string[] = [];
    await context.fenced(async (tx) => {
      replaced = await store.finish(tx, newIndex, { rows: embeddedRows, fit });
    });
    for (const id of replaced) await vectors.drop(workspaceId, id);
    return { indexId, rows: embeddedRows, accuracy: fitted.accuracy };
  }

  /** The index of a dataset version, or of a dataset's newest indexed version; null when there is none by this embedder. */
  async find(
    workspaceId: WorkspaceId,
    source: { datasetVersionId: string } | { datasetId: string },
  ): Promise<LabelIndexRecord | null> {
    const digest = embedderDigest(this.parts.embedder());
    return 'datasetVersionId' in source
      ? this.store.ofVersion(workspaceId, source.datasetVersionId, digest)
      : this.store.newestOf(workspaceId, source.datasetId, digest);
  }

  /** That of the newest indexed version of a dataset. @throws NOT_FOUND when there is no such dataset, or none of it is indexed */
  async require(workspaceId: WorkspaceId, dataset: string, field: string): Promise<LabelIndexRecord> {
    const { id } = await this.parts.datasetStore.require(workspaceId, dataset, field);
    const index = await this.find(workspaceId, { datasetId: id });
    if (index) return index;
    throw new GraftError('NOT_FOUND', `No version of the dataset ${dataset} is indexed.`, {
      field,
      hint: 'Index one with indexDataset.',
    });
  }

  /** The labelled rows nearest to a text, by its vector, nearest first. @throws VECTOR_STORE_UNAVAILABLE */
  async nearest(
    workspaceId: WorkspaceId,
    indexId: string,
    vector: Float32Array,
    limit = NEIGHBOURS,
  ): Promise<Neighbour[]> {
    const { vectors } = this.parts;
    const hits = await vectors.query(workspaceId, indexId, vector, limit);
    const metadata = await vectors.metadata(
      workspaceId,
      indexId,
      hits.map(({ id }) => id),
    );
    return hits.flatMap(({ id, score }) => {
      const label = metadata.get(id)?.['label'];
      return typeof label === 'string' ? [{ ordinal: Number(id), label, similarity: score }] : [];
    });
  }

  /** Removes what was made of rows that are erased. @throws VECTOR_STORE_UNAVAILABLE */
  async forget(
    workspaceId: WorkspaceId,
    datasetVersionIds: readonly string[],
    scope: 'all' | 'begun' = 'all',
  ): Promise<void> {
    for (const id of await this.store.ofVersions(workspaceId, datasetVersionIds, scope)) {
      await this.parts.vectors.drop(workspaceId, id);
      await this.store.remove(workspaceId, id);
    }
  }

  /** Each row among the others: its own vector is the nearest of all and doesn't count. */
  async #judge(
    workspaceId: WorkspaceId,
    indexId: string,
    rows: readonly LabelledRow[],
    signal: AbortSignal,
  ): Promise<LabelledNeighbours[]> {
    const { worker, embedder } = this.parts;
    const examples: LabelledNeighbours[] = [];
    const texts = rows.map(({ text }) => text);
    const request = { workspaceId, embedder: embedder(), texts };
    const { vectors } = await worker.embed(request, { signal, priority: 'bulk' });
    for (const [i, { ordinal, label }] of rows.entries()) {
      signal.throwIfAborted();
      const hits = await this.nearest(workspaceId, indexId, vectors[i]!, NEIGHBOURS + 1);
      const neighbours = hits.filter((hit) => hit.ordinal !== ordinal).slice(0, NEIGHBOURS);
      examples.push({ label, neighbours });
    }
    return examples;
  }
}

/** Rows that judge the vote, evenly over all of them. */
class Judges {
  readonly rows: LabelledRow[] = [];
  private seen = 0;
  private readonly step: number;

  constructor(total: number) {
    this.step = Math.max(1, Math.ceil(total / JUDGED));
  }

  pick(batch: readonly LabelledRow[]): void {
    for (const row of batch) if (this.seen++ % this.step === 0 && this.rows.length < JUDGED) this.rows.push(row);
  }
}

async function* batches(stream: AsyncIterable<readonly StoredRow[]>): AsyncGenerator<LabelledRow[]> {
  let batch: LabelledRow[] = [];
  for await (const rows of stream)
    for (const { ordinal, content } of rows) {
      const label = content && rightLabel(content);
      if (label === null) continue;
      batch.push({ ordinal, text: inputText(content!), label });
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
    }
  if (batch.length > 0) yield batch;
}
