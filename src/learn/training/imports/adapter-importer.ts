import { createReadStream } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RENDERING_VERSION, taskOf, usesLabels, type TaskKind } from '../../../sources/data/index.js';
import { badInput, GraftError } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { checkedName, checkedText } from '../../../kernel/text.js';
import type { FileService } from '../../../platform/artifacts/index.js';
import type { RunQueue, RunRow } from '../../../platform/runs/index.js';
import type { TrainWorker } from '../../../platform/worker/index.js';
import {
  modelFileOf,
  type AdapterRegistry,
  type AdapterUsage,
  type AdapterVersionRow,
  type ModelRegistry,
} from '../../../sources/registry/index.js';
import type { ImportAdapterInput } from '../../../worker-protocol/index.js';
import { decodeNotes } from '../exports/adapter-notes.js';
import { adapterImport, type AdapterImportContext, type AdapterImportInput } from './import-run.js';

interface AdapterImporterParts {
  runs: RunQueue;
  registry: Pick<ModelRegistry, 'resolve' | 'variant' | 'variantsById'>;
  adapters: AdapterRegistry;
  files: FileService;
  worker: Pick<TrainWorker, 'call'>;
  /** Where the served form is written before it is stored. */
  folder: string;
}

export interface StartAdapterImport {
  adapter: string;
  description: string;
  task: TaskKind;
  /** null: the default. */
  model: string | null;
  /** The two files of PEFT's folder, or an archive of it. */
  files: { configFileId: string; weightsFileId: string } | { archiveFileId: string };
  labels: readonly string[];
  languages: { source: string; target: string } | null;
  idempotencyKey: string;
}

const MAX_DESCRIPTION = 2_000;
const MOST_LABELS = 1_000;
const MAX_LABEL = 200;
const MAX_ADAPTER_BYTES = 2 ** 32;
const BYTES = 'application/octet-stream';

/** Takes in adapters that were trained elsewhere, in PEFT's form. Pickled weights are never read. */
export class AdapterImporter {
  constructor(private readonly parts: AdapterImporterParts) {}

  /** @returns the ADAPTER_IMPORT run @throws BAD_USER_INPUT, NOT_FOUND, IDEMPOTENCY_CONFLICT */
  async start(workspaceId: WorkspaceId, input: StartAdapterImport): Promise<RunRow> {
    const { files, registry, runs } = this.parts;
    const { task, languages, idempotencyKey } = input;
    const adapter = checkedName(input.adapter, 'input.adapter');
    const description = checkedText(input.description, 'input.description', MAX_DESCRIPTION, { allowEmpty: true });
    const labels = input.labels.map((label, i) => checkedText(label, `input.labels.${i}`, MAX_LABEL));
    if (labels.length > MOST_LABELS || new Set(labels).size !== labels.length)
      throw badInput('input.labels', `labels must be at most ${MOST_LABELS} different ones.`);
    const fileIds = input.files;
    // What an archive of ours tells itself needn't be said; it shows when it is opened.
    if ('configFileId' in fileIds || labels.length > 0 || languages !== null) requireAnswers(task, labels, languages);
    const subject =
      'archiveFileId' in fileIds
        ? await files.get(workspaceId, fileIds.archiveFileId, 'input.archive')
        : await files.get(workspaceId, fileIds.weightsFileId, 'input.weights');
    if ('configFileId' in fileIds) await files.get(workspaceId, fileIds.configFileId, 'input.config');
    const { modelId, variantId } = await registry.resolve(workspaceId, input.model);
    return runs.enqueue(adapterImport, {
      workspaceId,
      idempotencyKey,
      subjectId: subject.id,
      input: { adapter, description, task, modelId, variantId, labels, languages, ...fileIds },
    });
  }

  /** The work of an ADAPTER_IMPORT run. @throws ALREADY_EXISTS for a name of another task or model, or with the same weights at another strength, NOT_FOUND, and what `decodeNotes` and the worker throw */
  async import({ run, input, signal }: AdapterImportContext): Promise<{ adapterVersionId: string }> {
    const { adapters, files, registry, worker } = this.parts;
    const workspaceId = run.workspaceId as WorkspaceId;
    const folder = join(this.parts.folder, run.id);
    await mkdir(folder, { recursive: true });
    try {
      const model = modelFileOf(await registry.variant(workspaceId, input.variantId));
      const { gguf, rank, alpha, targets, unpacked } = await worker.call(
        'importAdapter',
        workspaceId,
        { model, adapter: await this.#given(workspaceId, input), folder },
        { signal, priority: 'bulk', deadlineMs: null },
      );
      const usage = await this.#usage(workspaceId, input, unpacked?.notes ?? null);
      const store = (file: { path: string }, name: string, mediaType: string) =>
        files.store(workspaceId, {
          name: `${input.adapter}-${name}`,
          mediaType,
          source: createReadStream(file.path),
          maxBytes: MAX_ADAPTER_BYTES,
        });
      const config = unpacked
        ? await store(unpacked.config, 'adapter_config.json', 'application/json')
        : await files.get(workspaceId, input.configFileId!);
      const weights = unpacked
        ? await store(unpacked.weights, 'adapter_model.safetensors', BYTES)
        : await files.get(workspaceId, input.weightsFileId!);
      const ggufFile = await store(gguf, 'adapter.gguf', BYTES);
      const version = await adapters.add(
        workspaceId,
        { name: input.adapter, task: input.task, modelId: input.modelId, description: input.description },
        {
          digest: weights.sha256,
          weightsFileId: weights.id,
          configFileId: config.id,
          bytes: weights.bytes,
          ggufFileId: ggufFile.id,
          ggufSha256: ggufFile.sha256,
          rank,
          alpha,
          targets,
          variantId: input.variantId,
          runId: run.id,
          origin: 'IMPORTED',
          usage,
        },
      );
      requireStrength(`${input.adapter}@${version.version}`, version, alpha);
      return { adapterVersionId: version.id };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async #given(workspaceId: WorkspaceId, input: AdapterImportInput): Promise<ImportAdapterInput['adapter']> {
    const { files } = this.parts;
    const fileOf = (id: string) => files.localFile(workspaceId, id);
    if (input.archiveFileId) return { archive: await fileOf(input.archiveFileId) };
    return { config: await fileOf(input.configFileId!), weights: await fileOf(input.weightsFileId!) };
  }

  /** How the adapter is asked: as the notes of an archive of ours say, unless the caller says it. */
  async #usage(
    workspaceId: WorkspaceId,
    { task, labels, languages, variantId }: AdapterImportInput,
    notes: { path: string } | null,
  ): Promise<AdapterUsage> {
    const hasUsage = labels.length > 0 || languages !== null;
    if (notes !== null && !hasUsage) {
      const [variant] = await this.parts.registry.variantsById(workspaceId, [variantId]);
      return decodeNotes(await readFile(notes.path), task, variant!.vocabulary).usage;
    }
    requireAnswers(task, labels, languages);
    return { v: 1, rendering: RENDERING_VERSION, reads: false, answer: { form: 'text' }, labels, languages };
  }
}

/**
 * Weights are one version of an adapter, whatever they are multiplied by: an earlier one stands for these only if it acts as strongly.
 * @throws ALREADY_EXISTS
 */
function requireStrength(name: string, version: Pick<AdapterVersionRow, 'alpha' | 'scale'>, alpha: number): void {
  const acts = version.alpha * version.scale;
  if (acts === alpha) return;
  throw new GraftError('ALREADY_EXISTS', `${name} has the same weights with an alpha of ${acts} instead of ${alpha}.`, {
    hint: 'Import it under another name, or choose the scale of that version (`chooseScale`), if no alias ever named it.',
  });
}

/** @throws BAD_USER_INPUT unless labels and languages are there just where the task has some */
function requireAnswers(task: TaskKind, labels: readonly string[], languages: object | null): void {
  const labelled = usesLabels(task);
  if (labelled !== labels.length > 0)
    throw badInput('input.labels', labelled ? `${task} needs its labels.` : `${task} has no labels.`);
  const translates = taskOf(task).twoLanguages;
  if (translates !== (languages !== null))
    throw badInput('input.languages', `${task} ${translates ? 'needs its' : 'has no'} languages.`);
}
