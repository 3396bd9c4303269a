import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { openData, type Data, type OpenData } from '../../../src/sources/data/index.js';
import type { NewImport, NewImportFile, TaskKind } from '../../../src/sources/data/index.js';
import type { ExportFormat } from '../../../src/sources/data/datasets/export-rows.js';
import { exporting } from '../../../src/sources/data/datasets/export-run.js';
import { importing, type ImportOutput } from '../../../src/sources/data/datasets/import-run.js';
import type { VersionRecord } from '../../../src/sources/data/datasets/dataset.js';
import type { Clock } from '../../../src/kernel/clock.js';
import { isGraftError } from '../../../src/kernel/errors.js';
import { DEFAULT_WORKSPACE_ID, newId, type WorkspaceId } from '../../../src/kernel/ids.js';
import { openErasure } from '../../../src/kit/erasure/index.js';
import { openKnowledge } from '../../../src/sources/knowledge/index.js';
import type { FileService, LocalArtifactStore, StoredFileRow } from '../../../src/platform/artifacts/index.js';
import type { EventLog } from '../../../src/platform/events/index.js';
import type { RunQueue, RunRow } from '../../../src/platform/runs/index.js';
import type { TestDatabase } from '../../support/database.js';
import { endedRun } from '../../support/ended-run.js';
import { TestPlatform, type Opened } from '../../support/test-platform.js';

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

  /** Over a platform that its owner disposes of. */
  constructor(
    readonly test: TestPlatform,
    readonly domains: Opened & { data: OpenData },
  ) {}

  static async start({ clock, working = true }: { clock?: Clock; working?: boolean } = {}): Promise<DataKit> {
    const test = await TestPlatform.start({ ...(clock && { clock }), queue: { leaseMs: 3_000 } });
    const { platform } = test;
    // Without a model, sizes of texts are estimated.
    const registry = { embedder: nothing, countTokens: null };
    const knowledge = openKnowledge(platform, registry);
    const data = await openData(platform, { registry, knowledge });
    const domains = { data, knowledge, erasure: openErasure(platform) };
    test.handle(domains);
    // Prisma loads its compiler at the first query, which jest refuses between two tests.
    await test.database.prisma.run.count();
    if (working) platform.runs.start();
    return new DataKit(test, domains);
  }

  dispose(): Promise<void> {
    return this.test.dispose();
  }

  get data(): Data {
    return this.domains.data.data;
  }

  get database(): TestDatabase {
    return this.test.database;
  }

  get folder(): string {
    return this.test.folder;
  }

  get artifacts(): LocalArtifactStore {
    return this.test.platform.artifacts as LocalArtifactStore;
  }

  get files(): FileService {
    return this.test.platform.files;
  }

  get events(): EventLog {
    return this.test.platform.events;
  }

  get runs(): RunQueue {
    return this.test.platform.runs;
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
