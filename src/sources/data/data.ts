import { join } from 'node:path';
import type { Clock } from '../../kernel/clock.js';
import type { Erasure } from '../../platform/erasure/index.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { ArtifactStore, FileService } from '../../platform/artifacts/index.js';
import type { VectorStore } from '../../platform/vectors/index.js';
import type { WorkerClient } from '../../platform/worker/index.js';
import type { CollectionStore, DocumentStore, Retriever } from '../knowledge/index.js';
import type { EmbedderFiles } from '../../worker-protocol/index.js';
import type { Database } from '../../platform/database/index.js';
import type { RunQueue } from '../../platform/runs/index.js';
import { DatasetService } from './datasets/dataset-service.js';
import { DatasetStore } from './datasets/dataset-store.js';
import { Exporter } from './datasets/exporter.js';
import { Importer } from './datasets/importer.js';
import { VersionRows } from './datasets/version-rows.js';
import { datasetsNeedFiles, featureHolder, raftHolder } from './erasure.js';
import { FeatureFiles } from './features/feature-files.js';
import { FeatureService } from './features/feature-service.js';
import { FeatureStore } from './features/feature-store.js';
import { IsolatedMaker } from './datasets/making/isolated-maker.js';
import { LabelIndexes } from './answering/label-index/label-indexer.js';
import { blendHolder, LabelIndexStore } from './answering/label-index/label-index-store.js';
import { RaftMaker } from './answering/raft/raft-maker.js';
import type { TokenCounter } from './datasets/validation/index.js';

export interface DataParts {
  database: Database;
  runs: RunQueue;
  files: FileService;
  artifacts: ArtifactStore;
  clock: Clock;
  /** What holds traces of people, or needs files, registers with it. */
  erasure: Erasure;
  vectors: VectorStore;
  worker: Pick<WorkerClient, 'embed'>;
  embedder: () => EmbedderFiles;
  collections: CollectionStore;
  documents: DocumentStore;
  retriever: Pick<Retriever, 'scope' | 'retrieve' | 'termWeights'>;
  /** Folder for work in progress, below this installation's home. */
  folder: string;
  /** Counts tokens by the model that is trained by default; null: bytes are taken for an estimate. */
  countTokens: ((workspaceId: WorkspaceId) => TokenCounter) | null;
}

/** The parts of this domain, wired: datasets, features, RAFT sets and label indexes. */
export class Data {
  readonly store: DatasetStore;
  readonly featureStore: FeatureStore;
  readonly features: FeatureService;
  readonly featureFiles: FeatureFiles;
  readonly rows: VersionRows;
  readonly datasets: DatasetService;
  readonly importer: Importer;
  readonly exporter: Exporter;
  readonly labelIndexes: LabelIndexes;
  readonly raft: RaftMaker;

  readonly #maker = new IsolatedMaker();

  constructor(readonly parts: DataParts) {
    const { database, artifacts, files, clock, runs, countTokens } = parts;
    const folder = join(parts.folder, 'making');
    const maker = this.#maker;
    this.store = new DatasetStore(database);
    this.featureStore = new FeatureStore(database);
    this.features = new FeatureService(this.featureStore, clock);
    this.featureFiles = new FeatureFiles({
      files,
      features: this.features,
      store: this.featureStore,
      maker,
      runs,
      folder,
    });
    this.rows = new VersionRows(artifacts, join(parts.folder, 'reading'));
    const shared = { store: this.store, files, features: this.features, maker, folder };
    this.datasets = new DatasetService({ ...shared, rows: this.rows, runs });
    parts.erasure.addHolder(featureHolder(this.features));
    parts.erasure.addDependant(datasetsNeedFiles(this.store));
    const { vectors, worker, embedder } = parts;
    this.labelIndexes = new LabelIndexes({
      runs,
      datasets: this.datasets,
      datasetStore: this.store,
      rows: this.rows,
      store: new LabelIndexStore(database),
      vectors,
      worker,
      embedder,
    });
    this.importer = new Importer({ ...shared, artifacts, clock, countTokens, madeOfRows: this.labelIndexes });
    const { collections, documents, retriever } = parts;
    this.raft = new RaftMaker({
      runs,
      files,
      datasets: this.datasets,
      store: this.store,
      rows: this.rows,
      importer: this.importer,
      collections,
      documents,
      retriever,
    });
    parts.erasure.addHolder(blendHolder(database));
    parts.erasure.addHolder(raftHolder({ database, store: this.store, files, madeOfRows: this.labelIndexes, clock }));
    this.exporter = new Exporter({ ...shared, datasets: this.datasets, rows: this.rows, runs, artifacts });
  }

  async stop(): Promise<void> {
    this.#maker.close();
    await this.rows.close();
  }
}
