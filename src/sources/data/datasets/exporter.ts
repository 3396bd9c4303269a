import { GraftError } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { ArtifactStore, FileService } from '../../../platform/artifacts/index.js';
import type { RunQueue, RunRow } from '../../../platform/runs/index.js';
import type { RowGroupRecord, VersionRecord } from './dataset.js';
import type { DatasetService } from './dataset-service.js';
import type { DatasetStore } from './dataset-store.js';
import { stageRows, type ExportFormat } from './export-rows.js';
import { exporting, type ExportContext, type ExportOutput } from './export-run.js';
import type { RowFilter, VersionRows } from './version-rows.js';

interface ExporterParts {
  store: DatasetStore;
  datasets: DatasetService;
  rows: VersionRows;
  runs: RunQueue;
  files: FileService;
  artifacts: ArtifactStore;
  /** Working folder, for this home alone. */
  folder: string;
}

interface NewExport {
  versionId: string;
  format: ExportFormat;
  filter: RowFilter;
  idempotencyKey: string;
}

const erased = ({ version }: VersionRecord) =>
  new GraftError('DATASET_UNUSABLE', `The rows of version ${version} were erased in the meantime.`);

/** The runs that write rows of a version into a file. */
export class Exporter {
  constructor(private readonly parts: ExporterParts) {}

  /** @throws NOT_FOUND, DATASET_UNUSABLE when the rows were erased, IDEMPOTENCY_CONFLICT */
  async start(workspaceId: WorkspaceId, { idempotencyKey, ...input }: NewExport): Promise<RunRow> {
    const { store, datasets, runs } = this.parts;
    const version = await store.requireVersion(workspaceId, input.versionId, 'input.version');
    await datasets.readableRowGroups(version);
    return runs.enqueue(exporting, { workspaceId, input, idempotencyKey, subjectId: version.id });
  }

  /** The file gets its name and is noted as an export in one transaction: it can't outlive the rows of its version. */
  async run(context: ExportContext): Promise<ExportOutput> {
    const { store, datasets, files } = this.parts;
    const { versionId, format, filter } = context.input;
    const workspaceId = context.run.workspaceId as WorkspaceId;
    const version = await store.requireVersion(workspaceId, versionId, 'input.version');
    const rowGroups = await datasets.readableRowGroups(version);
    const [dataset] = await store.byIds(workspaceId, [version.datasetId]);
    const total = rowsAtMost(rowGroups, filter);
    const staged = await stageRows(this.parts, { dataset: dataset!, version, rowGroups, filter }, format, (rows) => {
      context.signal.throwIfAborted();
      return context.progress((0.95 * rows) / total, `${rows} rows written`);
    });
    try {
      const file = await context.fenced(async (tx) => {
        const storedFile = await files.adopt(tx, workspaceId, staged, staged.bytes);
        if (!(await store.addExport(tx, version.id, storedFile.id))) throw erased(version);
        return storedFile;
      });
      return { fileId: file.id, rows: staged.rows };
    } finally {
      await staged.bytes.discard();
    }
  }
}

const rowsAtMost = (groups: readonly RowGroupRecord[], { quarantined = null }: RowFilter): number =>
  groups
    .filter((group) => quarantined === null || group.quarantined === quarantined)
    .reduce((sum, group) => sum + group.rows, 0);
