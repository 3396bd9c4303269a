import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { badInput, GraftError } from '../../../kernel/errors.js';
import { newId, type WorkspaceId } from '../../../kernel/ids.js';
import type { FileService } from '../../../platform/artifacts/index.js';
import type { RunQueue, RunRow } from '../../../platform/runs/index.js';
import { DataFormat } from '../datasets/files/formats.js';
import { openRecords } from '../datasets/files/open-records.js';
import { losesDigits } from '../datasets/files/parse-json.js';
import type { DataFile, SourceRecord } from '../datasets/files/records.js';
import { suggestMapping } from '../datasets/importing/suggest.js';
import type { IsolatedMaker } from '../datasets/making/isolated-maker.js';
import { readTime } from '../datasets/making/read-time.js';
import {
  importingFeatures,
  type FeatureColumns,
  type FeatureImportContext,
  type FeatureImportInput,
  type WrittenRows,
} from './feature-import-run.js';
import type { FeatureService } from './feature-service.js';
import type { FeatureStore } from './feature-store.js';
import type { FeatureViewRecord, NewFeatureRow } from './feature-view.js';

interface FeatureFileParts {
  files: FileService;
  features: FeatureService;
  store: FeatureStore;
  maker: IsolatedMaker;
  runs: RunQueue;
  folder: string;
}

const MAX_BYTES = 256 * 1024 * 1024;
const TEXT_FORMATS: readonly DataFormat[] = [DataFormat.DELIMITED, DataFormat.JSONL, DataFormat.JSON];

/** Brings histories in from files: a column for each value of the view, by its name. */
export class FeatureFiles {
  constructor(private readonly parts: FeatureFileParts) {}

  /** @throws NOT_FOUND, PAYLOAD_TOO_LARGE, IDEMPOTENCY_CONFLICT */
  async start(
    workspaceId: WorkspaceId,
    { idempotencyKey, ...input }: FeatureImportInput & { idempotencyKey: string },
  ): Promise<RunRow> {
    const view = await this.parts.store.requireView(workspaceId, input.view, 'input.view');
    const storedFile = await this.parts.files.get(workspaceId, input.fileId, 'input.file');
    if (storedFile.bytes > MAX_BYTES)
      throw new GraftError(
        'PAYLOAD_TOO_LARGE',
        `${storedFile.name} is larger than ${MAX_BYTES / 1024 / 1024} MiB; split it.`,
      );
    return this.parts.runs.enqueue(importingFeatures, { workspaceId, input, idempotencyKey, subjectId: view.id });
  }

  /**
   * Adds the rows of a CSV, TSV, JSONL or JSON file to a view. The whole file is checked before the first row is written;
   * sending it twice changes nothing. A batch is written together with the checkpoint behind it.
   * @throws NOT_FOUND, BAD_USER_INPUT naming the row, DATA_FILE_INVALID, UNSUPPORTED_MEDIA_TYPE
   */
  async run(context: FeatureImportContext): Promise<WrittenRows> {
    const { features, files, store } = this.parts;
    const { input, run, signal } = context;
    const workspaceId = run.workspaceId as WorkspaceId;
    const view = await store.requireView(workspaceId, input.view, 'input.view');
    const storedFile = await files.get(workspaceId, input.fileId, 'input.file');
    const file = {
      path: await files.local(storedFile),
      name: storedFile.name,
      bytes: Number(storedFile.bytes),
      sha256: storedFile.sha256,
    };
    const batches = () => this.#rows(view, file, input.columns);

    let total = 0;
    for await (const batch of batches()) {
      signal.throwIfAborted();
      features.check(view, batch.rows, { first: batch.first, now: run.createdAt });
      total += batch.rows.length;
      await context.progress(0, `${total} rows checked`);
    }
    let totals = context.resumed ?? { rows: 0, added: 0 };
    let read = 0;
    for await (const { rows } of batches()) {
      signal.throwIfAborted();
      read += rows.length;
      if (read <= totals.rows) continue;
      totals = await context.fenced(async (tx) => {
        const added = totals.added + (await features.add(view, rows, { now: run.createdAt, tx }));
        const newTotals = { rows: read, added };
        await context.checkpoint(newTotals, tx);
        return newTotals;
      });
      await context.progress(totals.rows / total, `${totals.rows} of ${total} rows written`);
    }
    return totals;
  }

  async *#rows(
    view: FeatureViewRecord,
    file: DataFile,
    columns: FeatureColumns,
  ): AsyncGenerator<{ rows: NewFeatureRow[]; first: number }> {
    const folder = join(this.parts.folder, `features-${newId()}`);
    try {
      const shape = await this.parts.maker.sniff(file, folder);
      if (!TEXT_FORMATS.includes(shape.format))
        throw new GraftError(
          'UNSUPPORTED_MEDIA_TYPE',
          `${file.name} is ${shape.format}; features come from CSV, TSV, JSONL or JSON.`,
        );
      const columnNames = [
        columns.entity,
        columns.eventTime,
        ...(columns.createdTime === null ? [] : [columns.createdTime]),
        ...view.fields.map((f) => f.name),
      ];
      const missing = columnNames.find((column) => !shape.columns.includes(column));
      if (missing !== undefined)
        throw badInput(
          'input.file',
          `The file has no column ${JSON.stringify(missing)}; it has ${shape.columns.join(', ')}.`,
        );
      const { mapping } = suggestMapping(shape);
      for await (const batch of openRecords(file, mapping, columnNames, folder))
        yield { first: batch[0]!.row, rows: batch.map((record) => toRow(view, record, columns)) };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

function toRow(view: FeatureViewRecord, { row, values, fault }: SourceRecord, columns: FeatureColumns): NewFeatureRow {
  if (fault) throw badInput('input.file', `Row ${row}: ${fault.message}`);
  const [entity, eventTime, ...rest] = values;
  const createdTime = columns.createdTime === null ? null : timeOf(rest.shift(), row, columns.createdTime);
  if (losesDigits(entity))
    throw badInput(
      'input.file',
      `Row ${row}: ${columns.entity} is a number that may have lost digits: write it as text.`,
    );
  return {
    entity: typeof entity === 'string' ? entity : JSON.stringify(entity ?? ''),
    eventTime: timeOf(eventTime, row, columns.eventTime),
    createdTime,
    values: Object.fromEntries(view.fields.map(({ name }, i) => [name, rest[i]])),
  };
}

function timeOf(value: unknown, row: number, column: string): Date {
  const time = readTime(value);
  if (time === null || Number.isNaN(time))
    throw badInput('input.file', `Row ${row}: ${column} is not a date and time.`);
  return new Date(time);
}
