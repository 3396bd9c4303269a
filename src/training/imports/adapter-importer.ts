import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RENDERING_VERSION, TaskKind } from '../../data/index.js';
import { badInput } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { checkedName, checkedText } from '../../kernel/text.js';
import type { FileService } from '../../platform/artifacts/index.js';
import type { RunQueue, RunRow } from '../../platform/runs/index.js';
import type { TrainWorker } from '../../platform/worker/index.js';
import type { AdapterRegistry, ModelRegistry } from '../../registry/index.js';
import { adapterImport, type AdapterImportContext } from './import-run.js';

export interface AdapterImporterParts {
  runs: RunQueue;
  registry: Pick<ModelRegistry, 'resolve' | 'variant'>;
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
  configFileId: string;
  weightsFileId: string;
  labels: readonly string[];
  languages: { source: string; target: string } | null;
  idempotencyKey: string;
}

const MAX_DESCRIPTION = 2_000;
const MOST_LABELS = 1_000;
const MAX_LABEL = 200;
const MAX_GGUF_BYTES = 2 ** 32;

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
    const labelled = task === TaskKind.CLASSIFICATION || task === TaskKind.EXTRACTION;
    if (labelled !== labels.length > 0)
      throw badInput('input.labels', labelled ? `${task} needs its labels.` : `${task} has no labels.`);
    if ((task === TaskKind.TRANSLATION) !== (languages !== null))
      throw badInput('input.languages', 'TRANSLATION needs its languages, and no other task has some.');
    const config = await files.get(workspaceId, input.configFileId, 'input.config');
    const weights = await files.get(workspaceId, input.weightsFileId, 'input.weights');
    const { modelId, variantId } = await registry.resolve(workspaceId, input.model);
    return runs.enqueue(adapterImport, {
      ...{ workspaceId, idempotencyKey, subjectId: weights.id },
      input: {
        ...{ adapter, description, task, modelId, variantId, labels, languages },
        ...{ configFileId: config.id, weightsFileId: weights.id },
      },
    });
  }

  /** The work of an ADAPTER_IMPORT run. @throws ALREADY_EXISTS for a name of another task or model, NOT_FOUND, and what the worker throws */
  async import({ run, input, signal }: AdapterImportContext): Promise<{ adapterVersionId: string }> {
    const { adapters, files, registry, worker } = this.parts;
    const workspaceId = run.workspaceId as WorkspaceId;
    const folder = join(this.parts.folder, run.id);
    await mkdir(folder, { recursive: true });
    try {
      const { path, sha256, contextLength } = await registry.variant(workspaceId, input.variantId);
      const config = await files.get(workspaceId, input.configFileId);
      const weights = await files.get(workspaceId, input.weightsFileId);
      const fileOf = async (file: typeof config) => ({ path: await files.local(file), sha256: file.sha256 });
      const { gguf, rank, alpha, targets } = await worker.call(
        'importAdapter',
        workspaceId,
        {
          ...{ model: { path, sha256, contextLength }, folder },
          adapter: { config: await fileOf(config), weights: await fileOf(weights) },
        },
        { signal, priority: 'bulk', deadlineMs: null },
      );
      const stored = await files.store(workspaceId, {
        ...{ name: `${input.adapter}-adapter.gguf`, mediaType: 'application/octet-stream' },
        ...{ source: createReadStream(gguf.path), maxBytes: MAX_GGUF_BYTES },
      });
      const version = await adapters.add(
        workspaceId,
        { name: input.adapter, task: input.task, modelId: input.modelId, description: input.description },
        {
          ...{ digest: weights.sha256, weightsFileId: weights.id, configFileId: config.id, bytes: weights.bytes },
          ...{ ggufFileId: stored.id, ggufSha256: stored.sha256, rank, alpha, targets },
          ...{ variantId: input.variantId, runId: run.id, origin: 'IMPORTED' },
          usage: {
            ...{ v: 1, rendering: RENDERING_VERSION, reads: false, answer: { form: 'text' } },
            ...{ labels: input.labels, languages: input.languages },
          },
        },
      );
      return { adapterVersionId: version.id };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}
