import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { badInput, notFound } from '../../../kernel/errors.js';
import { sha256 } from '../../../kernel/hashing.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { ArtifactStore, FileService } from '../../../platform/artifacts/index.js';
import type { RunQueue, RunRow } from '../../../platform/runs/index.js';
import { followCall, type TrainWorker, type WorkerClient } from '../../../platform/worker/index.js';
import type { ModelFile, QuantizationType, WorkerHello } from '../../../worker-protocol/index.js';
import { readGeneralTexts } from '../general-text.js';
import { modelFileOf, type ServedVariant, type VariantRow } from '../model.js';
import type { ModelRegistry } from '../model-registry.js';
import type { ModelStore } from '../model-store.js';
import { recommend, referenceOf, requireSmaller, storedMeasurement, type Recommendation } from './quantization.js';
import type { VariantMeasurement } from './quantization.js';
import { quantization, type QuantizationContext } from './quantization-run.js';

interface QuantizerParts {
  registry: Pick<ModelRegistry, 'resolve' | 'variant'>;
  store: ModelStore;
  runs: RunQueue;
  artifacts: ArtifactStore;
  files: FileService;
  /** Loads what was made once, as any new model. */
  worker: Pick<WorkerClient, 'inspectModel'>;
  train: Pick<TrainWorker, 'stream' | 'hello'>;
  /** Where files are made, below the installation's home. */
  folder: string;
}

interface QuantizeModel {
  /** `name` or `name@quantization`; the configured model by default. */
  model?: string | null;
  type: QuantizationType;
  idempotencyKey: string;
}

const WINDOW_TOKENS = 128;
/** Where on the progress bar quantizing, loading and comparing end. */
const QUANTIZED = 0.4;
const LOADED = 0.45;
const COMPARED = 0.95;
const MAX_BYTES = 2 ** 40;

/** Makes smaller variants of models, and says what each costs and gives. */
export class Quantizer {
  constructor(private readonly parts: QuantizerParts) {}

  /**
   * @returns the QUANTIZATION run; the same key with the same input is the same run
   * @throws NOT_FOUND, BAD_USER_INPUT when the variant takes no more bits than the type, MODEL_UNAVAILABLE, IDEMPOTENCY_CONFLICT
   */
  async start(workspaceId: WorkspaceId, { model, type, idempotencyKey }: QuantizeModel): Promise<RunRow> {
    const source = await this.parts.registry.resolve(workspaceId, model ?? null);
    requireSmaller(source.quantization, type);
    const input = { sourceId: source.variantId, modelId: source.modelId, type };
    return this.parts.runs.enqueue(quantization, { workspaceId, input, idempotencyKey, subjectId: source.variantId });
  }

  /**
   * The work of a QUANTIZATION run; a variant that this source already has in this type is its result.
   * @throws MODEL_UNAVAILABLE, MODEL_DIGEST_MISMATCH, MODEL_FILE_INVALID, BAD_USER_INPUT when it would not be smaller, STORAGE_FAILED when the
   * disk is full; nothing is kept then
   */
  async quantize(context: QuantizationContext): Promise<{ variantId: string }> {
    const workspaceId = context.run.workspaceId as WorkspaceId;
    const { sourceId, modelId, type } = context.input;
    const variants = await this.parts.store.variantsOf(workspaceId, [modelId]);
    const knownVariant = variants.find((variant) => variant.sourceId === sourceId && variant.quantization === type);
    if (knownVariant) return { variantId: knownVariant.id };
    const source = await this.parts.registry.variant(workspaceId, sourceId);
    const reference = await this.parts.registry.variant(workspaceId, rootOf(variants, sourceId));
    const folder = join(this.parts.folder, context.run.id);
    try {
      await mkdir(folder, { recursive: true });
      return await this.#quantizeIn(folder, workspaceId, { source, reference, type }, context);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /**
   * The fastest variant of a model whose divergence from its most precise one is within the bound.
   * @param maxKl nats a token
   * @throws BAD_USER_INPUT, NOT_FOUND
   */
  async recommend(workspaceId: WorkspaceId, model: string, maxKl: number): Promise<Recommendation> {
    if (!(maxKl >= 0)) throw badInput('maxKl', 'maxKl must be 0 or more, in nats a token.');
    const { store } = this.parts;
    const row = await store.modelByName(workspaceId, model);
    const variants = row ? await store.variantsOf(workspaceId, [row.id]) : [];
    const reference = referenceOf(variants);
    if (!reference) throw notFound('The model', model, 'model');
    const candidates = variants.flatMap(({ id, measurement }) =>
      measurement === null ? [] : [{ variantId: id, measurement: storedMeasurement.decode(measurement) }],
    );
    return recommend(reference.id, candidates, maxKl);
  }

  async #quantizeIn(
    folder: string,
    workspaceId: WorkspaceId,
    { source, reference, type }: { source: ServedVariant; reference: ServedVariant; type: QuantizationType },
    context: QuantizationContext,
  ): Promise<{ variantId: string }> {
    const { artifacts, files, store, train, worker } = this.parts;
    const { signal } = context;
    const target = join(folder, 'model.gguf');
    const job = { model: modelFileOf(source), type, target };
    const quantizing = train.stream('quantize', workspaceId, job, callOptions(context));
    await followCall(quantizing, (fraction, message) => context.progress(QUANTIZED * fraction, message));
    await context.progress(QUANTIZED, 'Loading it once to check it.');
    const description = await worker.inspectModel({ workspaceId, path: target }, { signal, priority: 'bulk' });
    await context.progress(LOADED, `Comparing it with ${reference.quantization}.`);
    const staged = await artifacts.stage(createReadStream(target), { maxBytes: MAX_BYTES });
    try {
      const newModel = { path: target, sha256: staged.sha256, contextLength: source.contextLength };
      const measurement = await this.#measure(reference, newModel, context);
      const name = `${source.model}.${type}.gguf`;
      const variant = {
        name: source.model,
        named: true,
        licence: source.licence,
        source: 'quantized',
        sha256: staged.sha256,
        bytes: staged.bytes,
        location: `artifact:${staged.sha256}`,
        description,
        quantized: { sourceId: source.variantId, measurement },
      };
      const row = await context.fenced(async (tx) => {
        await files.adopt(tx, workspaceId, { name, mediaType: 'application/octet-stream' }, staged);
        return store.add(workspaceId, variant, tx);
      });
      return { variantId: row.id };
    } finally {
      await staged.discard();
    }
  }

  async #measure(
    reference: ServedVariant,
    model: ModelFile,
    context: QuantizationContext,
  ): Promise<VariantMeasurement> {
    const texts = await readGeneralTexts();
    const request = { reference: modelFileOf(reference), model, texts, windowTokens: WINDOW_TOKENS };
    const { train } = this.parts;
    const comparing = train.stream('compare', context.run.workspaceId, request, callOptions(context));
    const { speed, ...agreement } = await followCall(comparing, (fraction, message) =>
      context.progress(LOADED + (COMPARED - LOADED) * fraction, message),
    );
    const { device } = await train.hello({ signal: context.signal });
    return {
      referenceVariantId: reference.variantId,
      texts: sha256(texts.join('\0')),
      ...agreement,
      speed: { reference: speed.reference, variant: speed.model },
      machine: machineOf(device),
    };
  }
}

const callOptions = ({ signal }: QuantizationContext) => ({ signal, priority: 'bulk', deadlineMs: null }) as const;

/** What the chain of sources that ends in a variant began with. */
function rootOf(variants: readonly VariantRow[], id: string): string {
  const source = variants.find((variant) => variant.id === id)?.sourceId;
  return source ? rootOf(variants, source) : id;
}

/** `2 x AMD EPYC 9B14 (avx2 avx512f)` */
const machineOf = ({ cpu: { model, cores, flags } }: WorkerHello['device']): string =>
  `${cores} x ${model}${flags.length > 0 ? ` (${flags.join(' ')})` : ''}`;
