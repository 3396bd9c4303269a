import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { badInput, GraftError, keyTaken } from '../../../kernel/errors.js';
import { digestOf } from '../../../kernel/hashing.js';
import { newId, type WorkspaceId } from '../../../kernel/ids.js';
import { checkedName, checkedText } from '../../../kernel/text.js';
import { erasureOf, requestErasure } from '../../../platform/erasure/index.js';
import type { FileService, StoredFileRow } from '../../../platform/artifacts/index.js';
import type { RunQueue, RunRow } from '../../../platform/runs/index.js';
import type { FeatureService } from '../features/feature-service.js';
import { buildRow } from './importing/build-row.js';
import { checkMapping, type DataField, type FileMapping } from './importing/mapping.js';
import type { RecordFault } from './files/records.js';
import type { FileShape } from './files/file-shape.js';
import type { Split, SplitRule } from './importing/splits.js';
import { suggestMapping } from './importing/suggest.js';
import type { IsolatedMaker } from './making/isolated-maker.js';
import { checkedSteps, type PreprocessingStep } from './preprocessing/steps.js';
import type { TaskKind, TaskRow } from './tasks/index.js';
import {
  checkedLabels,
  checkedLanguage,
  checkedSplitRule,
  unusableReason,
  type DatasetRecord,
  type RowGroupRecord,
  type VersionRecord,
} from './dataset.js';
import type { DatasetStore } from './dataset-store.js';
import { importing, type AddVersionInput, type DeleteRowsInput, type ImportFile } from './import-run.js';
import type { VersionRows } from './version-rows.js';

/** What the caller says of a file's form; what is left out is looked up in the file. */
export type MappingHints = { [K in keyof FileMapping]?: FileMapping[K] | null };

export interface NewImportFile {
  fileId: string;
  pairId?: string | null;
  split?: Split | null;
  mapping?: MappingHints | null;
}

export interface NewImport {
  dataset: string;
  files: NewImportFile[];
  extend: boolean;
  /** Left out: those of the version that is extended, or none; `features` too. */
  steps?: PreprocessingStep[] | null;
  splitRule?: SplitRule | null;
  features?: string[] | null;
  maxTokens: number;
  minRowsPerLabel: number;
  idempotencyKey: string;
}

interface ImportPreview {
  task: TaskKind | null;
  mapping: FileMapping;
  columns: string[];
  sample: unknown[][];
  rows: (TaskRow | { fault: RecordFault })[];
  /** Why this mapping can't be imported as it is; null when it can. */
  problem: string | null;
}

export interface UsableVersion {
  dataset: DatasetRecord;
  version: VersionRecord;
  rowGroups: RowGroupRecord[];
}

interface DatasetParts {
  store: DatasetStore;
  rows: VersionRows;
  files: FileService;
  features: FeatureService;
  runs: RunQueue;
  maker: IsolatedMaker;
  /** Working folder, for this home alone. */
  folder: string;
}

/** Files of one import. */
export const MAX_FILES = 20;
const MAX_FEATURES = 20;
const PREVIEW_ROWS = 10;
/** Deletions name rows by place in the run's input; more than these are a new import. */
const MAX_DELETED = 100_000;

/** What can be done with datasets. Long work is a run; see import-run.ts. */
/** Which rows are deleted: those about a person, or those with these keys. */
interface RowSelection {
  subject: string | null;
  keys: readonly string[];
  split: Split | null;
}

/** @throws BAD_USER_INPUT */
function checkedSelection(input: {
  subject?: string | null;
  keys?: string[] | null;
  split?: Split | null;
}): RowSelection {
  const { subject = null, split = null } = input;
  const keys = input.keys ?? [];
  if ((subject === null) === (keys.length === 0)) throw badInput('input', 'Give exactly one of subject and keys.');
  if (subject !== null && split !== null) throw badInput('input.split', 'A person is deleted from all splits.');
  if (keys.length > 1000) throw badInput('input.keys', 'At most 1,000 keys are taken.');
  return { subject, keys, split };
}

export class DatasetService {
  constructor(private readonly parts: DatasetParts) {}

  /** @throws BAD_USER_INPUT, ALREADY_EXISTS */
  createDataset(
    workspaceId: WorkspaceId,
    input: {
      name: string;
      task: TaskKind;
      description?: string | null;
      labels?: string[] | null;
      language?: string | null;
    },
  ): Promise<DatasetRecord> {
    return this.parts.store.create({
      workspaceId,
      name: checkedName(input.name, 'input.name'),
      description: checkedText(input.description ?? '', 'input.description', 1000, { allowEmpty: true }),
      task: input.task,
      labels: checkedLabels(input.labels ?? [], 'input.labels'),
      language: checkedLanguage(input.language, 'input.language'),
    });
  }

  /**
   * Looks at a file and suggests what its columns mean; nothing is stored.
   * @throws NOT_FOUND, UNSUPPORTED_MEDIA_TYPE, DATA_FILE_INVALID, PAYLOAD_TOO_LARGE
   */
  async preview(
    workspaceId: WorkspaceId,
    input: { fileId: string; task?: TaskKind | null; mapping?: MappingHints | null },
  ): Promise<ImportPreview> {
    const file = await this.parts.files.get(workspaceId, input.fileId, 'input.file');
    const shape = await this.#sniff(file, input.mapping);
    const suggested = suggestMapping(shape, input.task);
    const mapping = complete(suggested.mapping, input.mapping);
    const { task } = suggested;
    const rows =
      task === null
        ? []
        : shape.sample.slice(0, PREVIEW_ROWS).map((values) => previewRow(task, shape, mapping, values));
    return {
      task,
      mapping,
      columns: shape.columns,
      sample: shape.sample.slice(0, PREVIEW_ROWS),
      rows,
      problem: problemOf(task, mapping, shape),
    };
  }

  /**
   * Starts the import of a new version. Files are looked at and mappings checked before, so that what can be known at
   * once is said at once.
   * @throws NOT_FOUND, BAD_USER_INPUT, UNSUPPORTED_MEDIA_TYPE, DATA_FILE_INVALID, IDEMPOTENCY_CONFLICT
   */
  async addVersion(workspaceId: WorkspaceId, input: NewImport): Promise<RunRow> {
    const dataset = await this.parts.store.require(workspaceId, input.dataset, 'input.dataset');
    if (input.files.length === 0 || input.files.length > MAX_FILES)
      throw badInput('input.files', `1 to ${MAX_FILES} files are taken.`);
    const features = input.features ?? null;
    if (features && features.length > MAX_FEATURES)
      throw badInput('input.features', `At most ${MAX_FEATURES} feature views are joined.`);
    if (features) await this.parts.features.requireViews(workspaceId, features, 'input.features');
    const files: ImportFile[] = [];
    for (const [i, file] of input.files.entries())
      files.push(await this.#checkedFile(workspaceId, dataset, file, `input.files.${i}`));
    const run: AddVersionInput = {
      operation: 'add',
      datasetId: dataset.id,
      files,
      extend: input.extend,
      steps: input.steps ? checkedSteps(input.steps, 'input.steps') : null,
      splitRule: input.splitRule ? checkedSplitRule(input.splitRule, 'input.splitRule') : null,
      features,
      maxTokens: checkedWhole(input.maxTokens, 'input.maxTokens', 1, 1_000_000),
      minRowsPerLabel: checkedWhole(input.minRowsPerLabel, 'input.minRowsPerLabel', 0, 1_000_000),
    };
    return this.#enqueue(workspaceId, run, input.idempotencyKey);
  }

  /**
   * Deletes the rows about a person (or with certain keys) from a dataset: a new version without them is made as a run,
   * and every version that holds them is withdrawn, its rows erased with the files that hold them. What feature views know
   * of the person goes too.
   * @throws NOT_FOUND when no version holds such a row, BAD_USER_INPUT
   */
  async deleteRows(
    workspaceId: WorkspaceId,
    input: {
      dataset: string;
      subject?: string | null;
      keys?: string[] | null;
      split?: Split | null;
      reason: string;
      idempotencyKey: string;
    },
  ): Promise<RunRow> {
    const dataset = await this.parts.store.require(workspaceId, input.dataset, 'input.dataset');
    const selection = checkedSelection(input);
    const { subject } = selection;
    const reason = checkedText(input.reason, 'input.reason', 500);
    const request = digestOf({ dataset: dataset.id, ...selection, reason, salt: input.idempotencyKey });
    const earlier = await this.#sameRequest(workspaceId, input.idempotencyKey, request);
    if (earlier) return earlier;
    const { withdraw, newest } = await this.#versionsWith(dataset.id, selection);
    if (newest && newest.places.length > MAX_DELETED)
      throw badInput('input', `At most ${MAX_DELETED} rows are deleted at once.`);
    // Not by the run of the deletion: its input stays, so it may not name the person.
    const forgotten = subject === null ? 0 : await this.#forget(workspaceId, subject);
    const inVersions = withdraw.length > 0;
    // Where feature rows and answers went, something was deleted, and a run says so.
    if (!inVersions && forgotten === 0)
      throw new GraftError('NOT_FOUND', `No version of ${dataset.name} has such a row.`);
    const run: DeleteRowsInput = {
      operation: 'delete',
      datasetId: dataset.id,
      baseId: newest && inVersions ? newest.version.id : null,
      places: newest?.places ?? [],
      withdraw,
      reason,
      request,
    };
    return this.#enqueue(workspaceId, run, input.idempotencyKey);
  }

  /** The standing versions that hold such a row, and where the newest of all versions holds them. */
  async #versionsWith(
    datasetId: string,
    selection: RowSelection,
  ): Promise<{ withdraw: string[]; newest: { version: VersionRecord; places: number[] } | null }> {
    const withdraw: string[] = [];
    let newest: { version: VersionRecord; places: number[] } | null = null;
    for (const version of await this.parts.store.standing(datasetId)) {
      const places = await this.parts.rows.places(await this.parts.store.rowGroups(version.id), selection);
      if (places.length > 0) withdraw.push(version.id);
      if (!newest || version.version > newest.version.version) newest = { version, places };
    }
    return { withdraw, newest };
  }

  /** @returns from how many records, as far as that is done */
  async #forget(workspaceId: WorkspaceId, person: string): Promise<number> {
    const { runs } = this.parts;
    const { records } = await erasureOf(runs, await requestErasure(runs, workspaceId, { person }));
    return records.reduce((sum, { count }) => sum + count, 0);
  }

  /** The run of a deletion that was sent before: its rows are gone, so its input can't be made again and compared. */
  async #sameRequest(workspaceId: WorkspaceId, idempotencyKey: string, request: string): Promise<RunRow | null> {
    const earlier = await this.parts.runs.byKey(workspaceId, importing, idempotencyKey);
    const input = earlier && importing.inputOf(earlier);
    if (input && !(input.operation === 'delete' && input.request === request)) throw keyTaken();
    return earlier;
  }

  /**
   * The version, if nothing is wrong with it. It may be one to measure on, without a row for training.
   * @throws NOT_FOUND, DATASET_UNUSABLE with the reason
   */
  async usableVersion(workspaceId: WorkspaceId, versionId: string, field: string): Promise<UsableVersion> {
    const version = await this.parts.store.requireVersion(workspaceId, versionId, field);
    const reason = unusableReason(version);
    if (reason !== null)
      throw new GraftError('DATASET_UNUSABLE', `Version ${version.version} must not be used: ${reason}`, {
        field,
      });
    const [dataset] = await this.parts.store.byIds(workspaceId, [version.datasetId]);
    return { dataset: dataset!, version, rowGroups: await this.parts.store.rowGroups(versionId) };
  }

  /** The version, if nothing is wrong with it and it has rows for training. @throws NOT_FOUND, DATASET_UNUSABLE with the reason */
  async trainableVersion(workspaceId: WorkspaceId, versionId: string, field: string): Promise<UsableVersion> {
    const result = await this.usableVersion(workspaceId, versionId, field);
    if (result.version.counts.train === 0)
      throw new GraftError('DATASET_UNUSABLE', `Version ${result.version.version} has no row for training.`, {
        field,
        hint: 'It can be measured on. Train on a version whose splitRule, or whose files, leave rows for training.',
      });
    return result;
  }

  /** The row groups of a version whose rows are wanted. @throws DATASET_UNUSABLE when they were erased */
  async readableRowGroups(version: VersionRecord): Promise<RowGroupRecord[]> {
    if (version.withdrawnAt)
      throw new GraftError(
        'DATASET_UNUSABLE',
        `The rows of version ${version.version} were erased: ${version.withdrawnReason}`,
      );
    return this.parts.store.rowGroups(version.id);
  }

  async #checkedFile(
    workspaceId: WorkspaceId,
    dataset: DatasetRecord,
    file: NewImportFile,
    field: string,
  ): Promise<ImportFile> {
    const storedFile = await this.parts.files.get(workspaceId, file.fileId, `${field}.file`);
    const pair = file.pairId ? await this.parts.files.get(workspaceId, file.pairId, `${field}.pair`) : null;
    const shape = await this.#sniff(storedFile, file.mapping);
    const mapping = complete(suggestMapping(shape, dataset.task).mapping, file.mapping);
    checkMapping(mapping, dataset.task, shape.columns, `${field}.mapping`);
    return { fileId: storedFile.id, pairId: pair?.id ?? null, split: file.split ?? null, mapping };
  }

  async #sniff(file: StoredFileRow, mapping: MappingHints | null | undefined): Promise<FileShape> {
    const path = await this.parts.files.local(file);
    const data = { path, name: file.name, bytes: Number(file.bytes), sha256: file.sha256 };
    const { format, encoding, delimiter, quotes, header } = mapping ?? {};
    const folder = join(this.parts.folder, `sniff-${newId()}`);
    try {
      return await this.parts.maker.sniff(data, folder, { format, encoding, delimiter, quotes, header });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  #enqueue(
    workspaceId: WorkspaceId,
    input: AddVersionInput | DeleteRowsInput,
    idempotencyKey: string,
  ): Promise<RunRow> {
    return this.parts.runs.enqueue(importing, { workspaceId, input, idempotencyKey, subjectId: input.datasetId });
  }
}

/** The suggestion, overridden by what the caller said; columns that the caller names replace the suggested ones as a whole. */
function complete(suggested: FileMapping, hints: MappingHints | null | undefined): FileMapping {
  const overrides = Object.fromEntries(
    Object.entries(hints ?? {}).filter(([, value]) => value !== null && value !== undefined),
  );
  return { ...suggested, ...overrides };
}

function previewRow(
  task: TaskKind,
  shape: FileShape,
  mapping: FileMapping,
  values: unknown[],
): TaskRow | { fault: RecordFault } {
  const fields = Object.entries(mapping.columns) as [DataField, string][];
  const record = {
    ...mapping.constants,
    ...Object.fromEntries(fields.map(([field, column]) => [field, values[shape.columns.indexOf(column)]])),
  };
  const result = buildRow(task, record, mapping);
  return 'fault' in result ? result : result.row;
}

function problemOf(task: TaskKind | null, mapping: FileMapping, shape: FileShape): string | null {
  if (task === null) return 'No task fits these columns: choose one and map its fields.';
  try {
    checkMapping(mapping, task, shape.columns, 'input.mapping');
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

function checkedWhole(value: number, field: string, from: number, to: number): number {
  if (!Number.isInteger(value) || value < from || value > to)
    throw badInput(field, `${field} must be a whole number from ${from} to ${to}.`);
  return value;
}
