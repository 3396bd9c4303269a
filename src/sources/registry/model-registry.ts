import { badInput, GraftError, isGraftError, notFound } from '../../kernel/errors.js';
import type { Sha256 } from '../../kernel/hashing.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { Page, PageRequest } from '../../kernel/pagination.js';
import { checkedName } from '../../kernel/text.js';
import type { Erasure } from '../../platform/erasure/index.js';
import { nullIfLost, type ArtifactStore, type FileService } from '../../platform/artifacts/index.js';
import { catalogueEntry, type EmbedderEntry, type GeneratorEntry } from '../../platform/models-on-disk/index.js';
import type { ModelFileOnDisk, ModelsOnDisk, OnDownloadProgress } from '../../platform/models-on-disk/index.js';
import type { RunQueue, RunRow } from '../../platform/runs/index.js';
import type { WorkerClient } from '../../platform/worker/index.js';
import { MOST_TEMPLATE_CHARACTERS, type ChatForm, type EmbedderFiles } from '../../worker-protocol/index.js';
import { downloading, type DownloadContext, type DownloadOutput, type ModelSource } from './download-run.js';
import { modelNameOf, modelSource, storedChat, type ModelRow, type ModelSourceInput } from './model.js';
import type { MeasuredWording } from './wording.js';
import type { ServedVariant, VariantRow } from './model.js';
import { requireName, type ModelStore, type NewVariant, type VariantWithModel } from './model-store.js';

type Embedder = EmbedderFiles;

export interface RegisterModel extends ModelSourceInput {
  name?: string | null;
  idempotencyKey: string;
}

interface ModelRegistryParts {
  store: ModelStore;
  runs: RunQueue;
  files: FileService;
  artifacts: ArtifactStore;
  modelsOnDisk: ModelsOnDisk;
  erasure: Erasure;
  worker: Pick<WorkerClient, 'inspectModel' | 'readChat'>;
  /** GRAFT_MODEL, a catalogue name or a registered model as `resolve` takes it, and GRAFT_EMBEDDER, a catalogue name. */
  defaults: { model: string; embedder: string };
}

/** A GGUF file that is on this machine, and what becomes of it when it turns out useless. */
interface LocalModelFile extends Pick<NewVariant, 'sha256' | 'bytes' | 'location' | 'source'> {
  path: string;
  fileName: string;
  licence: string | null;
  discard(): Promise<void>;
}

/** The share of a download run's progress bar that the download takes; the rest is loading the file once. */
const DOWNLOAD_SHARE = 0.9;
const REPORT_MS = 500;

/** Base models and their variants: what a workspace can answer with. */
export class ModelRegistry {
  /** Variants never change, and a file that was intact once in this process is trusted until its end. */
  readonly #served = new Map<string, ServedVariant>();
  /** What was found in the default model's file, which each new workspace registers. */
  #defaultFile: NewVariant | undefined;
  #embedder: Embedder | undefined;
  #default: string;

  constructor(private readonly parts: ModelRegistryParts) {
    this.#default = parts.defaults.model;
    parts.erasure.addDependant({ needs: (workspaceId, contents) => parts.store.uploadsInUse(workspaceId, contents) });
  }

  /** Makes a model of the catalogue the default in GRAFT_MODEL's place, before `ensureDefaults`. */
  answerWith(name: string): void {
    this.#default = name;
    this.#served.clear();
  }

  /**
   * Makes sure that the default model and embedder are on this machine and registered; quick when they are.
   * @throws SETUP_FAILED for a name that neither the catalogue has nor this workspace, MODEL_UNAVAILABLE, MODEL_DIGEST_MISMATCH, and what the worker's inspection throws
   */
  async ensureDefaults(
    workspaceId: WorkspaceId,
    onProgress?: OnDownloadProgress,
    signal?: AbortSignal,
  ): Promise<ServedVariant> {
    await this.ensureEmbedder(onProgress, signal);
    const entry = this.#defaultGenerator();
    if (entry === null) return this.defaultVariant(workspaceId);
    const [file] = await this.parts.modelsOnDisk.files(entry.name, onProgress, signal);
    if (!(await this.parts.store.variantByDigest(workspaceId, file!.sha256))) {
      if (this.#defaultFile?.sha256 !== file!.sha256)
        this.#defaultFile = await this.#inspected(workspaceId, catalogued(entry, file!), null, signal);
      const variant = this.#defaultFile;
      await this.parts.store.transaction((tx) => this.parts.store.add(workspaceId, variant, tx));
    }
    return this.defaultVariant(workspaceId);
  }

  /**
   * Looks into the templates of models that were registered before that was done, of all workspaces, one after the other. One that can't be
   * used doesn't keep Graft from starting: who asks its model is told.
   * @param tell is called for each that can't be used
   * @throws what `WorkerClient.readChat` throws; what was found until then is kept
   */
  async readChats(tell: (unusable: { variantId: string; reason: string }) => void, signal: AbortSignal): Promise<void> {
    for (const row of await this.parts.store.variantsWithoutChat()) {
      const chat = await this.#chatOf(row, signal);
      if (chat.kind === 'unusable') tell({ variantId: row.id, reason: chat.reason });
    }
  }

  /** The embedder alone, for what doesn't answer questions. @throws as `ensureDefaults` */
  async ensureEmbedder(onProgress?: OnDownloadProgress, signal?: AbortSignal): Promise<Embedder> {
    const entry = this.#defaultEmbedder();
    const files = await this.parts.modelsOnDisk.files(entry.name, onProgress, signal);
    const model = files.find((file) => file.role === 'model')!;
    const tokenizer = files.find((file) => file.role === 'tokenizer')!;
    const { name, dimensions, pooling, normalised, maxTokens } = entry;
    return (this.#embedder = {
      name,
      dimensions,
      pooling,
      normalised,
      maxTokens,
      modelPath: model.path,
      tokenizerPath: tokenizer.path,
      sha256: model.sha256,
      tokenizerSha256: tokenizer.sha256,
    });
  }

  /** The embedder of new indexes. @throws MODEL_UNAVAILABLE before `ensureEmbedder` has succeeded */
  embedder(): Embedder {
    if (!this.#embedder)
      throw new GraftError('MODEL_UNAVAILABLE', `The embedder ${this.parts.defaults.embedder} is not ready yet.`);
    return this.#embedder;
  }

  /** Languages that the embedder was trained for, ISO 639-1; null: more than can be listed. */
  embedderLanguages(): readonly string[] | null {
    return this.#defaultEmbedder().languages;
  }

  /** The variant that answers when a request names none. @throws MODEL_UNAVAILABLE, SETUP_FAILED when there is none of its name */
  async defaultVariant(workspaceId: WorkspaceId): Promise<ServedVariant> {
    const entry = this.#defaultGenerator();
    if (entry === null) return this.#registeredDefault(workspaceId);
    const key = `${workspaceId} default`;
    const cachedVariant = this.#served.get(key);
    if (cachedVariant) return cachedVariant;
    const [file] = await this.parts.modelsOnDisk.files(entry.name);
    const row = await this.parts.store.variantByDigest(workspaceId, file!.sha256);
    if (!row) throw new GraftError('MODEL_UNAVAILABLE', `The default model ${entry.name} is not registered yet.`);
    const servedVariant = await this.#serve(row);
    this.#served.set(key, servedVariant);
    return servedVariant;
  }

  /**
   * The variant that a reference such as `qwen2.5-1.5b-instruct` or `qwen2.5-1.5b-instruct@Q8_0` means; null is the default's.
   * Without a quantization it is the one that was registered first.
   * @throws NOT_FOUND, MODEL_UNAVAILABLE when its file is gone or damaged
   */
  async resolve(workspaceId: WorkspaceId, reference: string | null, field = 'input.model'): Promise<ServedVariant> {
    if (reference === null) return this.defaultVariant(workspaceId);
    const [name = '', quantization, ...rest] = reference.split('@');
    const model = rest.length > 0 ? null : await this.parts.store.modelByName(workspaceId, name);
    const [variants = []] = model ? await this.variantsOf(workspaceId, [model.id]) : [];
    const match = variants.find((variant) => quantization === undefined || variant.quantization === quantization);
    if (!match) throw notFound('The model', reference, field);
    return this.variant(workspaceId, match.id);
  }

  /** @throws NOT_FOUND, MODEL_UNAVAILABLE when its file is gone or damaged */
  async variant(workspaceId: WorkspaceId, variantId: string): Promise<ServedVariant> {
    const key = `${workspaceId} ${variantId}`;
    const cachedVariant = this.#served.get(key);
    if (cachedVariant) return cachedVariant;
    const [row] = await this.parts.store.variantsById(workspaceId, [variantId]);
    if (!row) throw notFound('The model variant', variantId);
    const servedVariant = await this.#serve(row);
    this.#served.set(key, servedVariant);
    return servedVariant;
  }

  /**
   * Asks for a model to be fetched, checked and registered.
   * @returns the DOWNLOAD run; its output is a `DownloadOutput`
   * @throws BAD_USER_INPUT, NOT_FOUND for an unknown catalogue name or file, IDEMPOTENCY_CONFLICT
   */
  async register(workspaceId: WorkspaceId, input: RegisterModel): Promise<RunRow> {
    const source = modelSource(input);
    const name = input.name === null || input.name === undefined ? null : checkedName(input.name, 'input.name');
    if (source.from === 'upload') await this.parts.files.get(workspaceId, source.fileId, 'input.fileId');
    if (source.from === 'catalogue') generator(source.name, 'input.catalogueName');
    const { idempotencyKey } = input;
    return this.parts.runs.enqueue(downloading, { workspaceId, input: { source, name }, idempotencyKey });
  }

  models(workspaceId: WorkspaceId, page: PageRequest): Promise<Page<ModelRow>> {
    return this.parts.store.models(workspaceId, page);
  }

  /** What `compareWordings` found of a model; null where it wasn't run. */
  async measuredWording(workspaceId: WorkspaceId, modelId: string): Promise<MeasuredWording | null> {
    const [wording] = await this.measuredWordings(workspaceId, [modelId]);
    return wording ?? null;
  }

  /** The same of several models, in their order. */
  measuredWordings(workspaceId: WorkspaceId, modelIds: readonly string[]): Promise<(MeasuredWording | null)[]> {
    return this.parts.store.wordingsOf(workspaceId, modelIds);
  }

  /** Keeps what was found of a model, from the next question on. */
  setMeasuredWording(...args: Parameters<ModelStore['setWording']>): Promise<void> {
    return this.parts.store.setWording(...args);
  }

  modelByName(workspaceId: WorkspaceId, name: string): Promise<ModelRow | null> {
    return this.parts.store.modelByName(workspaceId, name);
  }

  /** In the order of `ids`; null where this workspace has none. */
  async modelsById(workspaceId: WorkspaceId, ids: readonly string[]): Promise<(ModelRow | null)[]> {
    const rows = new Map((await this.parts.store.modelsById(workspaceId, ids)).map((row) => [row.id, row]));
    return ids.map((id) => rows.get(id) ?? null);
  }

  /** In the order of `ids`; null where this workspace has none. */
  async variantsById(workspaceId: WorkspaceId, ids: readonly string[]): Promise<(VariantRow | null)[]> {
    const rows = new Map((await this.parts.store.variantsById(workspaceId, ids)).map((row) => [row.id, row]));
    return ids.map((id) => rows.get(id) ?? null);
  }

  /** One list a model, in the order of `modelIds`. */
  async variantsOf(workspaceId: WorkspaceId, modelIds: readonly string[]): Promise<VariantRow[][]> {
    const rows = await this.parts.store.variantsOf(workspaceId, modelIds);
    return modelIds.map((id) => rows.filter((row) => row.modelId === id));
  }

  /** The work of a DOWNLOAD run: fetch, look inside, register. Each step may be repeated. */
  async download(context: DownloadContext): Promise<DownloadOutput> {
    const { source, name } = context.input;
    const workspaceId = context.run.workspaceId as WorkspaceId;
    const candidate = await this.#obtain(workspaceId, source, context);
    const knownVariant = await this.parts.store.variantByDigest(workspaceId, candidate.sha256);
    if (knownVariant !== null) {
      const { id, modelId } = requireName(knownVariant, name);
      return { variantId: id, modelId };
    }
    await context.progress(DOWNLOAD_SHARE, 'Loading it once to check it.');
    const variant = await this.#inspected(workspaceId, candidate, name, context.signal);
    const row = await context.fenced((tx) => this.parts.store.add(workspaceId, variant, tx));
    return { variantId: row.id, modelId: row.modelId };
  }

  async #obtain(workspaceId: WorkspaceId, source: ModelSource, context: DownloadContext): Promise<LocalModelFile> {
    const { files, modelsOnDisk, store } = this.parts;
    if (source.from === 'upload') {
      const file = await files.get(workspaceId, source.fileId);
      return {
        path: await files.local(file),
        sha256: file.sha256,
        bytes: Number(file.bytes),
        fileName: file.name,
        location: `artifact:${file.sha256}`,
        source: 'upload',
        licence: null,
        discard: () => files.remove(workspaceId, file.id),
      };
    }
    const report = reporter(context);
    if (source.from === 'catalogue') {
      const entry = generator(source.name, 'input.catalogueName');
      const [file] = await modelsOnDisk.files(entry.name, report.onProgress, context.signal);
      await report.settled();
      return catalogued(entry, file!);
    }
    const file = await modelsOnDisk.hubFile(source.file, report.onProgress, context.signal);
    await report.settled();
    return {
      ...onDisk(file),
      fileName: source.file.file,
      source: `hf:${source.file.repo}`,
      licence: null,
      // The folder is one for all workspaces: another may answer with it.
      discard: async () => {
        if (!(await store.isUsed(onDisk(file)))) await modelsOnDisk.discard(file.location);
      },
    };
  }

  /**
   * Looks inside a file in a process of its own.
   * @throws MODEL_FILE_INVALID, MODEL_UNSUPPORTED; nothing of what only this registration brought is kept then
   */
  async #inspected(
    workspaceId: WorkspaceId,
    candidate: LocalModelFile,
    name: string | null,
    signal: AbortSignal | undefined,
  ): Promise<NewVariant> {
    try {
      const description = await this.parts.worker.inspectModel(
        { workspaceId, path: candidate.path },
        { signal, deadlineMs: INSPECTION_MS, priority: 'bulk' },
      );
      const { sha256, bytes, location, source } = candidate;
      return {
        sha256,
        bytes,
        location,
        source,
        description,
        name: name ?? modelNameOf(candidate.fileName),
        named: name !== null,
        licence: candidate.licence ?? description.licence,
      };
    } catch (error) {
      if (isGraftError(error, 'MODEL_FILE_INVALID') || isGraftError(error, 'MODEL_UNSUPPORTED'))
        await candidate.discard();
      throw error;
    }
  }

  async #serve(row: VariantWithModel): Promise<ServedVariant> {
    const path = await this.#pathOf(row);
    const chat = await this.#chatOf(row);
    const { quantization, sha256, contextLength, model } = row;
    return {
      variantId: row.id,
      modelId: model.id,
      model: model.name,
      quantization,
      path,
      sha256,
      bytes: Number(row.bytes),
      contextLength,
      chat,
      architecture: model.architecture,
      parameters: Number(model.parameters),
      licence: model.licence,
    };
  }

  /** Of a model that was registered before templates were looked into, it is found out now, and kept. */
  async #chatOf(row: VariantRow, signal?: AbortSignal): Promise<ChatForm> {
    if (row.chat !== null) return storedChat.decode(row.chat);
    const { workspaceId, chatTemplate, bosToken, eosToken } = row;
    const chat: ChatForm =
      (chatTemplate?.length ?? 0) > MOST_TEMPLATE_CHARACTERS
        ? { kind: 'unusable', reason: `it has more than ${MOST_TEMPLATE_CHARACTERS} characters` }
        : (await this.parts.worker.readChat({ workspaceId, template: chatTemplate, bosToken, eosToken }, { signal }))
            .chat;
    await this.parts.store.setChat(row, chat);
    return chat;
  }

  async #pathOf({ location, sha256, model }: VariantWithModel): Promise<string> {
    const { artifacts, modelsOnDisk } = this.parts;
    const colon = location.indexOf(':');
    const [area, rest] = [location.slice(0, colon), location.slice(colon + 1)];
    if (area === 'artifact') {
      const path = await artifacts.local(rest).catch(nullIfLost);
      if (path !== null) return path;
    } else if (await modelsOnDisk.isIntact(rest, sha256 as Sha256)) return modelsOnDisk.resolve(rest);
    throw new GraftError('MODEL_UNAVAILABLE', `The file of ${model.name} is gone or damaged.`, {
      hint: 'Register the model again.',
    });
  }

  /** null when the default is no model of the catalogue, but one that was registered. */
  #defaultGenerator(): GeneratorEntry | null {
    const entry = catalogueEntry(this.#default);
    return entry?.kind === 'generator' ? entry : null;
  }

  async #registeredDefault(workspaceId: WorkspaceId): Promise<ServedVariant> {
    const model = this.#default;
    return this.resolve(workspaceId, model).catch((error: unknown) => {
      if (!isGraftError(error, 'NOT_FOUND')) throw error;
      throw new GraftError(
        'SETUP_FAILED',
        `GRAFT_MODEL names ${JSON.stringify(model)}, which is neither a model of the catalogue nor a registered one.`,
        { hint: 'Start without it and register the model; its name, or name@quantization, may then stand there.' },
      );
    });
  }

  #defaultEmbedder(): EmbedderEntry {
    const { embedder } = this.parts.defaults;
    const entry = catalogueEntry(embedder);
    if (entry?.kind === 'embedder') return entry;
    throw new GraftError(
      'SETUP_FAILED',
      `GRAFT_EMBEDDER names ${JSON.stringify(embedder)}, which is no embedder of the catalogue.`,
    );
  }
}

const INSPECTION_MS = 10 * 60_000;

function generator(name: string, field: string): GeneratorEntry {
  const entry = catalogueEntry(name);
  if (!entry) throw notFound('The catalogue entry', name, field);
  if (entry.kind === 'generator') return entry;
  throw badInput(field, `${name} is an embedder: it can’t answer questions.`);
}

const onDisk = ({ path, sha256, bytes, location }: ModelFileOnDisk) => ({
  path,
  sha256,
  bytes,
  location: `models:${location}`,
});

/** A catalogue file has the digest that the catalogue states: if it can't be loaded, the fault lies elsewhere, and it stays. */
const catalogued = (entry: GeneratorEntry, file: ModelFileOnDisk): LocalModelFile => ({
  ...onDisk(file),
  fileName: `${entry.name}.gguf`,
  source: 'catalogue',
  licence: entry.licence,
  discard: async () => undefined,
});

/** Download progress as run progress: at most two events a second, one after the other. */
function reporter(context: DownloadContext) {
  let last = -Infinity;
  let pending: Promise<void> = Promise.resolve();
  const onProgress: OnDownloadProgress = ({ file, bytes, total }) => {
    if (performance.now() - last < REPORT_MS) return;
    last = performance.now();
    const share = total > 0 ? (bytes / total) * DOWNLOAD_SHARE : 0;
    const write = () => context.progress(share, `Downloading ${file}.`, { bytes, totalBytes: total });
    pending = pending.then(write).catch(() => undefined);
  };
  return { onProgress, settled: () => pending };
}
