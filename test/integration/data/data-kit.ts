import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Data, dataDomain, type DataParts } from '../../../src/data/index.js';
import type { NewImport, NewImportFile, TaskKind } from '../../../src/data/index.js';
import type { ExportFormat } from '../../../src/data/datasets/export-rows.js';
import { exporting } from '../../../src/data/datasets/export-run.js';
import { importing, type ImportOutput } from '../../../src/data/datasets/import-run.js';
import type { VersionRecord } from '../../../src/data/datasets/dataset.js';
import { systemClock, type Clock } from '../../../src/kernel/clock.js';
import { isGraftError } from '../../../src/kernel/errors.js';
import { DEFAULT_WORKSPACE_ID, newId, type WorkspaceId } from '../../../src/kernel/ids.js';
import { Erasure } from '../../../src/platform/erasure/index.js';
import { erasureDomain } from '../../../src/erasure/index.js';
import { CollectionStore, DocumentStore } from '../../../src/knowledge/index.js';
import { FileService, LocalArtifactStore, type StoredFileRow } from '../../../src/platform/artifacts/index.js';
import type { Database } from '../../../src/platform/database/index.js';
import { EventLog } from '../../../src/platform/events/index.js';
import { RunQueue, type RunRow } from '../../../src/platform/runs/index.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';
import { ChromaVectorStore } from '../../../src/platform/vectors/index.js';
import { chromaUrl } from '../../support/chroma.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import { endedRun } from '../../support/ended-run.js';

export const ws: WorkspaceId = DEFAULT_WORKSPACE_ID;

/** Labelled messages with ids from `r<from>`, about ten people. */
export const messages = (n: number, from = 0) =>
  Array.from({ length: n }, (_, i) => ({
    id: `r${from + i}`,
    text: `message ${from + i} about ${['rain', 'sun', 'snow'][(from + i) % 3]} and ${(from + i) * 7919}`,
    label: ['wet', 'dry', 'cold'][(from + i) % 3]!,
    customer: `customer:${(from + i) % 10}`,
  }));

/** The code that work fails with, or `passed`. */
export const failure = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'passed',
    (e: unknown) => (isGraftError(e) ? e.code : String(e)),
  );

/** Nothing is embedded by this kit. */
const nothing = (): never => {
  throw new Error('nothing is embedded here');
};

/** The data domain on a real database, with its own artifacts and its own maker processes. */
export class DataKit {
  private datasets = 0;

  private constructor(
    readonly database: TestDatabase,
    readonly folder: string,
    readonly artifacts: LocalArtifactStore,
    readonly files: FileService,
    readonly events: EventLog,
    readonly runs: RunQueue,
    readonly data: Data,
  ) {}

  static async start({
    clock = systemClock,
    working = true,
    on,
    embedding = { worker: { embed: nothing }, embedder: nothing },
  }: {
    clock?: Clock;
    working?: boolean;
    on?: Database;
    embedding?: Pick<DataParts, 'worker' | 'embedder'>;
  } = {}): Promise<DataKit> {
    // A database that is given is its giver's to dispose of.
    const database = on ? { ...on, dispose: () => Promise.resolve() } : await testDatabase();
    const folder = await mkdtemp(join(tmpdir(), 'graft-data-'));
    const log = silentLogger();
    const artifacts = new LocalArtifactStore(join(folder, 'artifacts'));
    const files = new FileService(database, artifacts);
    const events = new EventLog({ database, log });
    const runs = new RunQueue({
      ...{ database, events, clock, log, owner: newId(), pollMs: 50, leaseMs: 3_000 },
      kinds: [...dataDomain.runs, ...erasureDomain.runs],
    });
    const erasure = new Erasure(files);
    const data = new Data({
      database,
      runs,
      files,
      artifacts,
      clock,
      folder: join(folder, 'data'),
      countTokens: null,
      erasure,
      vectors: new ChromaVectorStore({ url: chromaUrl() }),
      ...embedding,
      collections: new CollectionStore(database),
      documents: new DocumentStore(database),
      retriever: { scope: nothing, retrieve: nothing, termWeights: nothing },
    });
    await data.importer.sweep();
    runs.handle(dataDomain.runs, data);
    runs.handle(erasureDomain.runs, { erasure });
    // Prisma loads its compiler at the first query, which jest refuses between two tests.
    await database.prisma.run.count();
    if (working) runs.start();
    return new DataKit(database, folder, artifacts, files, events, runs, data);
  }

  async dispose(): Promise<void> {
    await this.runs.stop();
    await this.data.stop();
    await this.events.close();
    await this.database.dispose();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The name of a new dataset. */
  async dataset(task: TaskKind = 'CLASSIFICATION'): Promise<string> {
    const name = `set-${++this.datasets}`;
    await this.data.datasets.createDataset(ws, { name, task });
    return name;
  }

  upload(name: string, content: string | Uint8Array | Readable): Promise<StoredFileRow> {
    const source = content instanceof Readable ? content : Readable.from([Buffer.from(content)]);
    return this.files.store(ws, { name, mediaType: 'application/octet-stream', source, maxBytes: 4e9 });
  }

  import(dataset: string, files: NewImportFile[], more: Partial<NewImport> = {}): Promise<RunRow> {
    const usual = {
      extend: false,
      steps: [],
      features: [],
      maxTokens: 512,
      minRowsPerLabel: 1,
      idempotencyKey: newId(),
    };
    return this.data.datasets.addVersion(ws, { ...usual, dataset, files, ...more });
  }

  ended(run: RunRow, timeoutMs?: number): Promise<RunRow> {
    return endedRun(this.database, run, timeoutMs);
  }

  async output(run: RunRow): Promise<ImportOutput> {
    const ended = await this.ended(run);
    if (ended.status !== 'SUCCEEDED') throw new Error(`${ended.status}: ${ended.errorCode} ${ended.errorMessage}`);
    return importing.outputOf(ended)!;
  }

  async version(run: RunRow): Promise<VersionRecord> {
    return this.data.store.requireVersion(ws, (await this.output(run)).versionId!, 'id');
  }

  /** A version of rows given as objects. */
  async imported(
    dataset: string,
    rows: object[],
    more: Partial<NewImport> = {},
    file: Partial<NewImportFile> = {},
  ): Promise<VersionRecord> {
    const { id } = await this.upload('rows.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
    return this.version(await this.import(dataset, [{ fileId: id, ...file }], more));
  }

  /** The file that an export of all rows makes. */
  async exported(versionId: string, format: ExportFormat): Promise<StoredFileRow> {
    const request = { versionId, format, filter: {}, idempotencyKey: newId() };
    const ended = await this.ended(await this.data.exporter.start(ws, request));
    return this.files.get(ws, exporting.outputOf(ended)!.fileId);
  }

  /** Files below the working folder and artifacts. */
  async remains(): Promise<{ working: string[]; artifacts: string[] }> {
    const list = async (folder: string) =>
      (await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []))
        .filter((e) => e.isFile())
        .map((e) => e.name);
    return {
      working: await list(join(this.folder, 'data', 'making')),
      artifacts: await list(join(this.folder, 'artifacts')),
    };
  }
}
