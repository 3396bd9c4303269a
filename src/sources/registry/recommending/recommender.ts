import { z } from 'zod';
import { GraftError, isGraftError } from '../../../kernel/errors.js';
import type { ErrorCode } from '../../../kernel/error-codes.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { catalogue, type GeneratorEntry, type ModelsOnDisk } from '../../../platform/models-on-disk/index.js';
import type { OnDownloadProgress } from '../../../platform/models-on-disk/index.js';
import type { Logger } from '../../../platform/telemetry/index.js';
import type { MeasurementStore, WorkerClient } from '../../../platform/worker/index.js';
import { servedBytes, type ThreadCalibration } from '../../../worker-protocol/index.js';
import type { ModelRegistry } from '../model-registry.js';
import { fileBytes, memoryOf, servedFileBytes } from './memory.js';
import { fits, judged, preferred, type Bounds, type CandidateModel, type Fit } from './recommend.js';
import { nearest, scaled, secondsFor, sizeOf, speedOf, TYPICAL_ANSWER, type ModelSize, type Speed } from './speed.js';

/** A model that was chosen once for a machine. */
export const modelChoice = z.object({ model: z.string(), at: z.string() });
type ModelChoice = z.infer<typeof modelChoice>;

/** GRAFT_MODEL for the model that fits the machine. */
export const AUTO = 'auto';

export interface ModelRecommenderParts {
  modelsOnDisk: Pick<ModelsOnDisk, 'has' | 'files'>;
  worker: Pick<WorkerClient, 'measured' | 'prepareModel' | 'status'>;
  registry: Pick<ModelRegistry, 'defaultVariant' | 'answerWith'>;
  /** What `auto` chose on which machine, in the home. */
  choices: Pick<MeasurementStore<ModelChoice>, 'all' | 'set'>;
  bounds: Bounds;
  log: Logger;
  /** The catalogue's, unless a test has its own. */
  entries?: readonly GeneratorEntry[];
}

export type Recommended = CandidateModel & { fit: Fit };

/** The models of the catalogue as this machine would run them, smallest first. */
interface Recommendations {
  models: Recommended[];
  /** False where other programs kept the processors busy while a model was measured that others are scaled from: they may be faster than is said. */
  quiet: boolean;
  bounds: Bounds;
}

/** Has a model on this machine, loaded and measured. */
type Prepare = (entry: GeneratorEntry) => Promise<ThreadCalibration>;

interface MeasuredModel {
  name: string;
  size: ModelSize;
  speed: Speed;
  quiet: boolean;
}

/** Why a model can't be taken that another is taken for. */
const PASSED_OVER: readonly ErrorCode[] = [
  'MODEL_UNAVAILABLE',
  'MODEL_DIGEST_MISMATCH',
  'MODEL_FILE_INVALID',
  'MODEL_UNSUPPORTED',
  'STORAGE_FAILED',
  'DEADLINE_EXCEEDED',
  'WORKER_CRASHED',
  'WORKER_UNAVAILABLE',
];

/** Why a kept choice is given up: trying again doesn't help. All else passes or can be mended, and adapters belong to their base model. */
const GIVEN_UP: readonly ErrorCode[] = ['MODEL_FILE_INVALID', 'MODEL_UNSUPPORTED'];

/** Models by name, each with why another is taken: a code, or a text. */
type PassedOver = Partial<Record<string, string>>;
const NO_SPEED = 'no speed could be measured';

/** Says which models of the catalogue are fast enough for this machine, and lets `auto` answer with the largest of them. */
export class ModelRecommender {
  readonly #entries: readonly GeneratorEntry[];

  constructor(private readonly parts: ModelRecommenderParts) {
    const entries = parts.entries ?? catalogue.filter((entry) => entry.kind === 'generator');
    this.#entries = [...entries].sort((a, b) => fileBytes(a) - fileBytes(b));
  }

  /** @throws MODEL_UNAVAILABLE when no model was measured here yet, and what the worker throws */
  async recommendations(workspaceId: WorkspaceId): Promise<Recommendations> {
    const { bounds } = this.parts;
    const ofCatalogue = await this.#measuredEntries();
    const measuredModels = ofCatalogue.length > 0 ? ofCatalogue : await this.#measuredDefault(workspaceId);
    if (measuredModels.length === 0)
      throw new GraftError('MODEL_UNAVAILABLE', 'No model has been measured on this machine yet.', {
        hint: 'The model that answers is measured when Graft starts.',
      });
    const candidates = await this.#candidates(measuredModels);
    const scaledFrom = new Set(candidates.map(({ measuredOn }) => measuredOn));
    const quiet = measuredModels.every((model) => model.quiet || !scaledFrom.has(model.name));
    return { models: judged(candidates, bounds), quiet, bounds };
  }

  /**
   * Makes the model that fits this machine the default: the one that was chosen for it before, else the first that is preferred, can be
   * had, and turns out to be as fast as was expected. The worker must have started.
   * @throws MODEL_UNAVAILABLE when none can be had, why the one that was chosen before can't be had now, and what the worker throws
   */
  async settle(workspaceId: WorkspaceId, onProgress?: OnDownloadProgress, signal?: AbortSignal): Promise<void> {
    const { choices, registry, bounds, log } = this.parts;
    const key = this.#machine();
    const passedOver: PassedOver = {};
    const prepare = (entry: GeneratorEntry) => this.#prepare(workspaceId, entry, onProgress, signal);

    const storedChoices = await choices.all();
    const choice = storedChoices[key];
    if (choice && (await this.#holds(choice, prepare, passedOver))) return registry.answerWith(choice.model);

    const candidate = await this.#first(prepare, passedOver);
    const { name } = candidate.entry;
    await choices.set(key, { model: name, at: new Date().toISOString() });
    registry.answerWith(name);
    const details = { model: name, seconds: rounded(candidate.seconds), wanted: bounds.seconds, passedOver };
    const earlierChoice = choice ?? latest(Object.values(storedChoices));
    if (!earlierChoice || earlierChoice.model === name)
      log.info(details, 'GRAFT_MODEL=auto answers with this model from now on');
    else
      log.warn(
        { ...details, before: earlierChoice.model },
        'GRAFT_MODEL=auto answers with another model from now on: adapters of the one before need that model, which GRAFT_MODEL may name',
      );
  }

  /** What a first start says; one that can't say it goes on all the same. */
  async tell(workspaceId: WorkspaceId): Promise<void> {
    const { log } = this.parts;
    try {
      const { models, quiet, bounds } = await this.recommendations(workspaceId);
      const best = models.find(({ fit }) => fit === 'RECOMMENDED');
      if (!best) return;
      log.info(
        { model: best.entry.name, seconds: rounded(best.seconds), wanted: bounds.seconds, quiet },
        'the model of the catalogue that fits this machine; `graft models recommend` shows all',
      );
    } catch (err) {
      log.warn({ err }, 'which model of the catalogue fits this machine can’t be said');
    }
  }

  /**
   * Whether the model that was chosen before is had again, and so remains the choice.
   * @throws why it can't be had, where that passes or can be mended
   */
  async #holds({ model }: ModelChoice, prepare: Prepare, passedOver: PassedOver): Promise<boolean> {
    const entry = this.#entries.find(({ name }) => name === model);
    // All of the memory, not half of it: a kernel that sees some less is no reason for another model.
    if (!entry || memoryOf(entry) > this.parts.bounds.memoryBytes) return false;
    try {
      await prepare(entry);
      return true;
    } catch (error) {
      if (!isGraftError(error) || error.code === 'CANCELLED') throw error;
      if (!GIVEN_UP.includes(error.code)) throw keptUnavailable(model, error);
      this.#passOver(entry, error, passedOver);
      return false;
    }
  }

  /** The first that is preferred once all before it were measured or passed over. */
  async #first(prepare: Prepare, passedOver: PassedOver): Promise<CandidateModel> {
    const remainingEntries = () => this.#entries.filter(({ name }) => !(name in passedOver));
    const prepared = new Set<string>();
    for (;;) {
      const measuredModels = await this.#measuredEntries();
      // Until one was measured: the smallest that is here, else the smallest.
      const candidates =
        measuredModels.length === 0 ? null : await this.#candidates(measuredModels, remainingEntries());
      const next = candidates ? preferred(candidates, this.parts.bounds)[0] : await this.#smallest(remainingEntries());
      if (!next)
        throw new GraftError('MODEL_UNAVAILABLE', 'No model of the catalogue can be had that this machine can hold.', {
          hint: 'GRAFT_MODEL may name a registered model; the log says why each of the others was passed over.',
        });
      const entry = 'entry' in next ? next.entry : next;
      if ('entry' in next && prepared.has(entry.name)) return next;
      try {
        if (speedOf(await prepare(entry))) prepared.add(entry.name);
        else this.#passOver(entry, NO_SPEED, passedOver);
      } catch (error) {
        if (!isGraftError(error) || !PASSED_OVER.includes(error.code)) throw error;
        this.#passOver(entry, error, passedOver);
      }
    }
  }

  #passOver({ name }: GeneratorEntry, reason: GraftError | string, passedOver: PassedOver): void {
    passedOver[name] = typeof reason === 'string' ? reason : reason.code;
    const fields = typeof reason === 'string' ? { model: name, why: reason } : { model: name, err: reason };
    this.parts.log.warn(fields, 'this model can’t be taken; another one is');
  }

  /** Of those that memory can hold. */
  async #smallest(entries: readonly GeneratorEntry[]): Promise<GeneratorEntry | undefined> {
    const fittingEntries = entries.filter((entry) => fits({ memoryBytes: memoryOf(entry) }, this.parts.bounds));
    for (const entry of fittingEntries) if (await this.parts.modelsOnDisk.has(entry.name)) return entry;
    return fittingEntries[0];
  }

  /** Has it on this machine, loaded and measured. */
  async #prepare(workspaceId: WorkspaceId, entry: GeneratorEntry, ...options: [OnDownloadProgress?, AbortSignal?]) {
    const [file] = await this.parts.modelsOnDisk.files(entry.name, ...options);
    const { path, sha256 } = file!;
    return this.parts.worker.prepareModel({
      workspaceId,
      model: { path, sha256, contextLength: entry.contextLength },
    });
  }

  async #candidates(measuredModels: readonly MeasuredModel[], entries = this.#entries): Promise<CandidateModel[]> {
    return Promise.all(
      entries.map(async (entry) => {
        const size = sizeOf(servedFileBytes(entry), entry.shape);
        const from = measuredModels.find(({ name }) => name === entry.name) ?? nearest(measuredModels, size)!;
        const speed = from.name === entry.name ? from.speed : scaled(from.speed, from.size, size);
        return {
          entry,
          here: await this.parts.modelsOnDisk.has(entry.name),
          memoryBytes: memoryOf(entry),
          speed,
          measuredOn: from.name,
          seconds: secondsFor(TYPICAL_ANSWER, speed, size),
        };
      }),
    );
  }

  async #measuredEntries(): Promise<MeasuredModel[]> {
    const calibrations = await this.parts.worker.measured(this.#entries.map(digestOf));
    return this.#entries.flatMap((entry, index) => {
      const calibration = calibrations[index] ?? null;
      const speed = calibration && speedOf(calibration);
      const size = sizeOf(servedFileBytes(entry), entry.shape);
      return speed ? [{ name: entry.name, size, speed, quiet: calibration.quiet }] : [];
    });
  }

  /** Of a default that is no model of the catalogue, of whose shape only the number of weights is known. */
  async #measuredDefault(workspaceId: WorkspaceId): Promise<MeasuredModel[]> {
    const { model, quantization, parameters, bytes, sha256 } = await this.parts.registry.defaultVariant(workspaceId);
    const [calibration = null] = await this.parts.worker.measured([sha256]);
    const speed = calibration && speedOf(calibration);
    const size = {
      layerWeights: parameters,
      bytes: servedBytes(quantization, bytes, parameters),
      contextBytes: 0,
      slowing: 0,
    };
    return speed ? [{ name: `${model}@${quantization}`, size, speed, quiet: calibration.quiet }] : [];
  }

  /** What a choice holds for: another processor or wish asks for another. Memory is looked at by itself, as it differs a little from start to start. */
  #machine(): string {
    const device = this.parts.worker.status.hello?.device;
    const processor = device ? `${device.cpu.model} x${device.cpu.cores}; ${device.gpu?.name ?? 'no gpu'}` : 'unknown';
    return `${processor}; ${this.parts.bounds.seconds} s`;
  }
}

const digestOf = ({ files }: GeneratorEntry): string => files.find(({ role }) => role === 'model')?.sha256 ?? '';
const rounded = (seconds: number): number => Number(seconds.toPrecision(2));
const latest = (choices: readonly ModelChoice[]): ModelChoice | undefined =>
  [...choices].sort((a, b) => b.at.localeCompare(a.at))[0];

const keptUnavailable = (model: string, cause: GraftError): GraftError =>
  new GraftError(cause.code, `${model}, which GRAFT_MODEL=auto keeps to, can’t be had now: ${cause.message}`, {
    cause,
    hint: `${cause.hint ? `${cause.hint} ` : ''}Start again once that is mended: adapters of this model answer with no other. To have another chosen, remove chosen-model.json in GRAFT_HOME, or name one in GRAFT_MODEL.`,
  });
