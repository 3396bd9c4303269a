import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GraftError } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { ArtifactStore, FileService } from '../../../platform/artifacts/index.js';
import type { RunQueue, RunRow } from '../../../platform/runs/index.js';
import { followCall, type TrainWorker } from '../../../platform/worker/index.js';
import type { PromptSegment } from '../../../sources/prompting/index.js';
import {
  modelFileOf,
  readGeneralTexts,
  type AdapterRegistry,
  type ModelRegistry,
  type ServedAdapter,
  type ServedVariant,
} from '../../../sources/registry/index.js';
import type { MergePrecision, ModelFile } from '../../../worker-protocol/index.js';
import { probePrompts } from '../adapters/probes.js';
import type { NamedVersion } from './adapter-exporter.js';
import { percent } from '../../../kernel/text.js';
import { adapterMerge, MERGE_TOLERANCE, type AdapterMergeContext, type MergeParity } from './export-run.js';

interface AdapterMergerParts {
  runs: RunQueue;
  registry: Pick<ModelRegistry, 'variant'>;
  adapters: AdapterRegistry;
  files: FileService;
  artifacts: ArtifactStore;
  worker: Pick<TrainWorker, 'stream'>;
  /** Where models are written before they are stored. */
  folder: string;
}

const WINDOW_TOKENS = 128;
/** Where on the progress bar merging and each of the two comparisons end. */
const MERGED = 0.4;
const COMPARED = 0.7;
const HELD_AGAINST_BASE = 0.95;
const MAX_BYTES = 2 ** 40;
const MAX_NAME = 200;

/** Makes one model file of a base model and an adapter version, and shows that it answers as the two do. */
export class AdapterMerger {
  constructor(private readonly parts: AdapterMergerParts) {}

  /** @param precision null: as the base model's own type asks for @returns the ADAPTER_MERGE run @throws NOT_FOUND, IDEMPOTENCY_CONFLICT */
  async start(
    workspaceId: WorkspaceId,
    { adapter, version, precision, idempotencyKey }: NamedVersion & { precision: MergePrecision | null },
  ): Promise<RunRow> {
    const { id } = await this.parts.adapters.requireVersion(workspaceId, adapter, version);
    const input = { adapterVersionId: id, precision };
    return this.parts.runs.enqueue(adapterMerge, { workspaceId, idempotencyKey, subjectId: id, input });
  }

  /**
   * The work of an ADAPTER_MERGE run.
   * @throws ADAPTER_UNPROVEN when the merged model is further from base + adapter than `MERGE_TOLERANCE`, BAD_USER_INPUT when its numbers
   * don't fit into 16 bits, STORAGE_FAILED, and what the worker throws; nothing is kept then
   */
  async merge(context: AdapterMergeContext): Promise<{ fileId: string; modules: number; parity: MergeParity }> {
    const { adapters, registry } = this.parts;
    const workspaceId = context.run.workspaceId as WorkspaceId;
    const { version, adapter } = await adapters.requireVersionById(workspaceId, context.input.adapterVersionId);
    const servedAdapter = await adapters.served(workspaceId, adapter, version);
    const variant = await registry.variant(workspaceId, version.variantId);
    const folder = join(this.parts.folder, context.run.id);
    // What an interrupted attempt left is of no use.
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    try {
      return await this.#mergeIn(folder, { workspaceId, version, served: servedAdapter, variant }, context);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async #mergeIn(folder: string, subject: Merged, context: AdapterMergeContext) {
    const { artifacts, files, worker } = this.parts;
    const { workspaceId, version, served, variant } = subject;
    const name = `${served.adapter}-v${served.version}`;
    const fileOf = (id: string) => files.localFile(workspaceId, id);
    const mergedFile = await followCall(
      worker.stream(
        'mergeAdapter',
        workspaceId,
        {
          model: modelFileOf(variant),
          scale: served.file.scale,
          type: context.input.precision,
          adapter: { config: await fileOf(version.configFileId), weights: await fileOf(version.weightsFileId) },
          name: `${variant.model} + ${name}`.slice(0, MAX_NAME),
          target: join(folder, `${name}.gguf`),
        },
        { signal: context.signal, priority: 'bulk', deadlineMs: null },
      ),
      (fraction, message) => context.progress(MERGED * fraction, message),
    );
    const parity = await this.#parity({ ...subject, merged: { ...modelFileOf(variant), ...mergedFile } }, context);
    const staged = await artifacts.stage(createReadStream(mergedFile.path), { maxBytes: MAX_BYTES });
    try {
      if (staged.sha256 !== mergedFile.sha256) throw new GraftError('STORAGE_FAILED', 'The merged model was changed.');
      const described = { name: `${name}.gguf`, mediaType: 'application/octet-stream' };
      const file = await context.fenced((tx) => files.adopt(tx, workspaceId, described, staged));
      return { fileId: file.id, modules: mergedFile.modules, parity };
    } finally {
      await staged.discard();
    }
  }

  /** @throws ADAPTER_UNPROVEN beyond `MERGE_TOLERANCE` */
  async #parity(
    { workspaceId, served, variant, merged }: Merged & { merged: ModelFile },
    context: AdapterMergeContext,
  ): Promise<MergeParity> {
    const texts: (string | PromptSegment[])[] = [...probePrompts(served, variant), ...(await readGeneralTexts())];
    const agreementWith = (model: ModelFile, [from, to]: readonly [number, number]) => {
      const reference = modelFileOf(variant, [served.file]);
      const events = this.parts.worker.stream(
        'agree',
        workspaceId,
        { reference, model, texts, windowTokens: WINDOW_TOKENS },
        { signal: context.signal, priority: 'bulk', deadlineMs: null },
      );
      return followCall(events, (fraction, message) => context.progress(from + (to - from) * fraction, message));
    };
    const { places, meanKl, klStandardError, topAgreement } = await agreementWith(modelFileOf(merged), [
      MERGED,
      COMPARED,
    ]);
    const { meanKl: effectKl } = await agreementWith(modelFileOf(variant), [COMPARED, HELD_AGAINST_BASE]);
    return requireParity({ places, meanKl, klStandardError, topAgreement, effectKl });
  }
}

interface Merged {
  workspaceId: WorkspaceId;
  version: { configFileId: string; weightsFileId: string };
  served: ServedAdapter;
  variant: ServedVariant;
}

/** @throws ADAPTER_UNPROVEN beyond `MERGE_TOLERANCE`, naming the figure */
function requireParity(parity: MergeParity): MergeParity {
  const { meanKl, topAgreement, effectKl } = parity;
  const refusal = (reason: string): GraftError =>
    new GraftError('ADAPTER_UNPROVEN', `The merged model doesn’t answer as base model and adapter do: ${reason}.`, {
      hint: 'Merge in F32, or serve the adapter beside its base model.',
    });
  if (!(meanKl <= MERGE_TOLERANCE.meanKl))
    throw refusal(`its mean KL divergence is ${meanKl.toPrecision(3)}, above ${MERGE_TOLERANCE.meanKl}`);
  if (!(topAgreement >= MERGE_TOLERANCE.topAgreement))
    throw refusal(
      `both agree about the next token at ${percent(topAgreement, 1)} of the places, below ${percent(MERGE_TOLERANCE.topAgreement, 1)}`,
    );
  if (!(meanKl <= MERGE_TOLERANCE.shareOfEffect * effectKl))
    throw refusal(
      `its mean KL divergence of ${meanKl.toPrecision(3)} is more than ${percent(MERGE_TOLERANCE.shareOfEffect, 1)} of what the adapter changes, ${effectKl.toPrecision(3)}`,
    );
  return parity;
}
