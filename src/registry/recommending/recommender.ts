import { z } from 'zod';
import { GraftError, isGraftError } from '../../kernel/errors.js';
import type { ErrorCode } from '../../kernel/error-codes.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { catalogue, type GeneratorEntry, type ModelsOnDisk } from '../../platform/models-on-disk/index.js';
import type { OnDownloadProgress } from '../../platform/models-on-disk/index.js';
import type { Logger } from '../../platform/telemetry/index.js';
import type { MeasurementStore, WorkerClient } from '../../platform/worker/index.js';
import type { ModelRegistry } from '../model-registry.js';
import { fileBytes, memoryOf } from './memory.js';
import { judged, preferred, type Bounds, type Candidate, type Fit } from './recommend.js';
import {
  nearest,
  scaled,
  secondsFor,
  sizeOf,
  speedOf,
  TYPICAL_ANSWER,
  slownessOf,
  type ModelSize,
  type Speed,
} from './speed.js';

/** A model that was chosen once for a machine. */
export const modelChoice = z.object({ model: z.string(), at: z.string() });
export type ModelChoice = z.infer<typeof modelChoice>;

/** GRAFT_MODEL for the model that fits the machine. */
export const AUTO = 'auto';

export interface ModelRecommenderParts {
  modelsOnDisk: Pick<ModelsOnDisk, 'has' | 'files'>;
  worker: Pick<WorkerClient, 'measured' | 'prepareModel' | 'status'>;
  registry: Pick<ModelRegistry, 'defaultVariant' | 'answerWith'>;
  /** What `auto` chose on which machine, in the home. */
  choices: Pick<MeasurementStore<ModelChoice>, 'get' | 'set'>;
  bounds: Bounds;
  log: Logger;
  /** The catalogue's, unless a test has its own. */
  entries?: readonly GeneratorEntry[];
}

export type Recommended = Candidate & { fit: Fit };

/** The models of the catalogue as this machine would run them, smallest first. */
export interface Recommendations {
  models: Recommended[];
  /** False where other programs kept the processors busy while a model was measured that others are scaled from: they may be faster than is said. */
  quiet: boolean;
  bounds: Bounds;
}

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
];

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
    const measured = ofCatalogue.length > 0 ? ofCatalogue : await this.#measuredDefault(workspaceId);
    if (measured.length === 0)
      throw new GraftError('MODEL_UNAVAILABLE', 'No model has been measured on this machine yet.', {
        hint: 'The model that answers is measured when Graft starts.',
      });
    const candidates = await this.#candidates(measured);
    const scaledFrom = new Set(candidates.map(({ measuredOn }) => measuredOn));
    const quiet = measured.every((one) => one.quiet || !scaledFrom.has(one.name));
    return { models: judged(candidates, bounds), quiet, bounds };
  }

  /**
   * Makes the model that fits this machine the default: the one that was chosen for it before, else the first that is preferred, can be
   * had, and turns out to be as fast as was expected. The worker must have started.
   * @throws MODEL_UNAVAILABLE when none can be had, and what the worker throws
   */
  async settle(workspaceId: WorkspaceId, onProgress?: OnDownloadProgress, signal?: AbortSignal): Promise<void> {
    const { choices, registry, bounds, log } = this.parts;
    const key = this.#machine();
    const passedOver: Partial<Record<string, ErrorCode>> = {};
    const prepare = async (entry: GeneratorEntry): Promise<boolean> => {
      try {
        await this.#prepare(workspaceId, entry, onProgress, signal);
        return true;
      } catch (error) {
        if (!isGraftError(error) || !PASSED_OVER.includes(error.code)) throw error;
        passedOver[entry.name] = error.code;
        log.warn({ model: entry.name, err: error }, 'this model can’t be taken; another one is');
        return false;
      }
    };

    const kept = await choices.get(key);
    const before = this.#entries.find(({ name }) => name === kept?.model);
    if (before && (await prepare(before))) return registry.answerWith(before.name);

    const chosen = await this.#first(prepare, () => passedOver);
    await choices.set(key, { model: chosen.entry.name, at: new Date().toISOString() });
    registry.answerWith(chosen.entry.name);
    const found = { model: chosen.entry.name, seconds: rounded(chosen.seconds), wanted: bounds.seconds, passedOver };
    log.info(found, 'GRAFT_MODEL=auto answers with this model from now on');
  }

  /** What a first start says. */
  async tell(workspaceId: WorkspaceId): Promise<void> {
    const { models, quiet, bounds } = await this.recommendations(workspaceId);
    const best = models.find(({ fit }) => fit === 'RECOMMENDED');
    if (!best) return;
    this.parts.log.info(
      { model: best.entry.name, seconds: rounded(best.seconds), wanted: bounds.seconds, quiet },
      'the model of the catalogue that fits this machine; `graft models recommend` shows all',
    );
  }

  /** The first that is preferred once all before it were measured or passed over. */
  async #first(
    prepare: (entry: GeneratorEntry) => Promise<boolean>,
    passedOver: () => Partial<Record<string, ErrorCode>>,
  ): Promise<Candidate> {
    const left = () => this.#entries.filter(({ name }) => !(name in passedOver()));
    const prepared = new Set<string>();
    for (;;) {
      const measured = await this.#measuredEntries();
      // Until one was measured: the smallest that is here, else the smallest.
      const candidates = measured.length === 0 ? null : await this.#candidates(measured, left());
      const next = candidates ? preferred(candidates, this.parts.bounds)[0] : await this.#smallest(left());
      if (!next)
        throw new GraftError('MODEL_UNAVAILABLE', 'No model of the catalogue can be had that this machine can hold.', {
          hint: 'GRAFT_MODEL may name a registered model; the log says why each of the others was passed over.',
        });
      const entry = 'entry' in next ? next.entry : next;
      if ('entry' in next && prepared.has(entry.name)) return next;
      if (await prepare(entry)) prepared.add(entry.name);
    }
  }

  async #smallest(entries: readonly GeneratorEntry[]): Promise<GeneratorEntry | undefined> {
    for (const entry of entries) if (await this.parts.modelsOnDisk.has(entry.name)) return entry;
    return entries[0];
  }

  async #prepare(workspaceId: WorkspaceId, entry: GeneratorEntry, ...how: [OnDownloadProgress?, AbortSignal?]) {
    const [file] = await this.parts.modelsOnDisk.files(entry.name, ...how);
    const { path, sha256 } = file!;
    await this.parts.worker.prepareModel({
      workspaceId,
      model: { path, sha256, contextLength: entry.contextLength },
    });
  }

  async #candidates(measured: readonly MeasuredModel[], entries = this.#entries): Promise<Candidate[]> {
    return Promise.all(
      entries.map(async (entry) => {
        const size = sizeOf(fileBytes(entry), entry.shape);
        const from = measured.find(({ name }) => name === entry.name) ?? nearest(measured, size)!;
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
    const found = await this.parts.worker.measured(this.#entries.map(digestOf));
    return this.#entries.flatMap((entry, index) => {
      const calibration = found[index] ?? null;
      const speed = calibration && speedOf(calibration);
      const size = sizeOf(fileBytes(entry), entry.shape);
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
      slowness: slownessOf(quantization),
      bytes,
      contextBytes: 0,
      slowing: 0,
    };
    return speed ? [{ name: `${model}@${quantization}`, size, speed, quiet: calibration.quiet }] : [];
  }

  /** What a choice holds for: another processor, memory or wish asks for another. */
  #machine(): string {
    const device = this.parts.worker.status.hello?.device;
    const processor = device ? `${device.cpu.model} x${device.cpu.cores}; ${device.gpu?.name ?? 'no gpu'}` : 'unknown';
    const { memoryBytes, seconds } = this.parts.bounds;
    return `${processor}; ${Math.round(memoryBytes / 2 ** 30)} GiB; ${seconds} s`;
  }
}

const digestOf = ({ files }: GeneratorEntry): string => files.find(({ role }) => role === 'model')?.sha256 ?? '';
const rounded = (seconds: number): number => Number(seconds.toPrecision(2));
