/*
 * A training run: audit and encode the examples, train in the train worker, store what it wrote as an adapter version.
 *
 * The worker writes checkpoints into a folder of the run's own; each is the run's checkpoint from the moment it is whole. A run that
 * was paused, or whose worker, gateway or database died, is encoded again (the same rows give the same tokens) and goes on from
 * there, to the same bits as one that never stopped: what that takes is written into the checkpoint itself.
 */
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { RENDERING_VERSION, type Data } from '../../../sources/data/index.js';
import { GraftError, isGraftError } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { ArtifactElsewhere, type FileService } from '../../../platform/artifacts/index.js';
import type { TrainWorker } from '../../../platform/worker/index.js';
import {
  modelFileOf,
  type AdapterRegistry,
  type AdapterUsage,
  type ModelRegistry,
  type ServedVariant,
} from '../../../sources/registry/index.js';
import type { TrainEvent, TrainingRecipe, TrainOutput, TrainRequest } from '../../../worker-protocol/index.js';
import { paceOf, type PaceParts } from '../estimates/pace.js';
import { plannedTokens } from '../estimates/planned.js';
import { storedRecipe, type Recipe } from '../recipes/recipe.js';
import type { ExecutorChoice } from './executor-choice.js';
import { encodeExamples, requireExamples, type EncodedExamples, type Rows, type Tokenize } from './encode-examples.js';
import type { TrainingContext, TrainingInput, TrainingOutput } from './training-run.js';

export interface TrainerParts {
  registry: Pick<ModelRegistry, 'variant'>;
  adapters: AdapterRegistry;
  data: Data;
  files: FileService;
  worker: Pick<TrainWorker, 'call' | 'stream'>;
  executors: ExecutorChoice;
  /** Where runs keep their checkpoints, below the installation's home. */
  folder: string;
}

/** Share of the progress bar that encoding takes. */
const ENCODED = 0.05;
/** Where storing the adapter begins. */
const STORED = 0.99;
const CHECKPOINT_STEPS = 25;
/** A warm-up takes at most one in so many steps. */
const WARMUP_SHARE = 10;
const PROGRESS_MS = 1_000;
const MAX_ADAPTER_BYTES = 2 ** 32;

/**
 * The work of a TRAINING run.
 * @throws DATASET_UNUSABLE, TRAINING_DIVERGED, STORAGE_FAILED, MODEL_UNAVAILABLE, and what the worker throws; what is of no use any more
 * is removed then
 */
export async function train(parts: TrainerParts, context: TrainingContext): Promise<TrainingOutput> {
  const folder = join(parts.folder, context.run.id);
  const forget = () => rm(folder, { recursive: true, force: true });
  try {
    const output = await trainIn(folder, parts, context);
    await forget();
    return output;
  } catch (failure) {
    const error = context.signal.aborted ? failure : await whyRowsWent(parts.data, context, failure);
    // Nobody may go on from checkpoints of a run that was cancelled, or of rows that were erased.
    if (context.signal.reason === 'cancel' || isGraftError(error, 'DATASET_UNUSABLE')) await forget();
    throw error;
  }
}

/** Reading rows while they are erased fails in many ways; what counts is that they went, and why. */
async function whyRowsWent(data: Data, { run, input }: TrainingContext, error: unknown): Promise<unknown> {
  const workspaceId = run.workspaceId as WorkspaceId;
  return data.datasets.trainableVersion(workspaceId, input.datasetVersionId, 'input.datasetVersion').then(
    () => error,
    (reason: unknown) => (isGraftError(reason, 'DATASET_UNUSABLE') ? reason : error),
  );
}

async function trainIn(folder: string, parts: TrainerParts, context: TrainingContext): Promise<TrainingOutput> {
  const { input, signal } = context;
  const workspaceId = context.run.workspaceId as WorkspaceId;
  await mkdir(folder, { recursive: true });
  await context.progress(0, 'Reading and checking the examples.');
  const variant = await parts.registry.variant(workspaceId, input.variantId);
  const { rows, stillUsable } = await openRows(parts.data, workspaceId, input);
  const { cancelling, pausing } = twoWays(signal);
  const tokenize: Tokenize = (texts) => {
    signal.throwIfAborted();
    const request = { model: modelFileOf(variant), texts };
    return parts.worker.call('tokenize', workspaceId, request, { signal: cancelling, priority: 'bulk' });
  };
  const job = { variant, recipe: input.recipe, askedAt: context.run.createdAt };
  const encoded = await encodeExamples(rows, job, tokenize, signal);
  if (context.resumed === null) await reportAudit(context, encoded);
  requireExamples(encoded);
  await context.progress(ENCODED, `Training on ${encoded.examples.length} examples.`);

  const result = await runWorker(parts, context, { variant, encoded, folder, stillUsable, cancelling, pausing });
  const { adapter } = result;
  // Paused: the run's signal says why.
  if (adapter === null) throw signal.reason;
  // The rows may have been erased since the last checkpoint.
  await stillUsable();
  const version = await register(parts, workspaceId, context, rows, encoded, { ...result, adapter });
  return {
    adapterVersionId: version,
    steps: result.step,
    adapterStep: result.adapterStep,
    stoppedEarly: result.outcome === 'stoppedEarly',
    averaged: result.averaged,
    validationLoss: result.bestValidationLoss,
  };
}

/** A run that is cancelled or lost stops at once; one that is paused, or whose gateway stops, writes a checkpoint first. */
function twoWays(signal: AbortSignal): { cancelling: AbortSignal; pausing: AbortSignal } {
  const [cancelling, pausing] = [new AbortController(), new AbortController()];
  const pass = (): void =>
    signal.reason === 'cancel' || signal.reason === 'lost'
      ? cancelling.abort(new GraftError('CANCELLED', 'The training was cancelled.'))
      : pausing.abort();
  if (signal.aborted) pass();
  else signal.addEventListener('abort', pass, { once: true });
  return { cancelling: cancelling.signal, pausing: pausing.signal };
}

interface OpenedRows {
  rows: Rows;
  /** @throws DATASET_UNUSABLE when the rows were erased meanwhile */
  stillUsable(): Promise<void>;
}

export async function openRows(
  data: Data,
  workspaceId: WorkspaceId,
  input: Pick<TrainingInput, 'task' | 'datasetVersionId'>,
): Promise<OpenedRows> {
  const { task, datasetVersionId } = input;
  const { version, rowGroups } = await data.datasets.trainableVersion(
    workspaceId,
    datasetVersionId,
    'input.datasetVersion',
  );
  const context = await data.rows.taskContext(task, rowGroups);
  return {
    rows: {
      context,
      views: version.manifest.features.map(({ view }) => view),
      language: mainLanguage(version.statistics.languages),
      stream: (split) => data.rows.stream(task, rowGroups, { split, quarantined: false }),
    },
    async stillUsable() {
      await data.datasets.trainableVersion(workspaceId, datasetVersionId, 'input.datasetVersion');
    },
  };
}

/** Share of the rows whose language is sure that makes one the language of a version. */
const NEARLY_ALL = 0.9;

function mainLanguage(languages: readonly { language: string; rows: number }[]): string | null {
  const total = languages.reduce((sum, { rows }) => sum + rows, 0);
  const [leader] = [...languages].sort((a, b) => b.rows - a.rows);
  return leader && leader.rows >= NEARLY_ALL * total ? leader.language : null;
}

async function reportAudit(context: TrainingContext, { audit, examples, validation }: EncodedExamples): Promise<void> {
  await context.emit('audit', {
    examples: audit.examples,
    trained: examples.length,
    validated: validation.length,
    counts: { ...audit.counts },
    findings: audit.findings,
  });
}

/** What the worker is to train, and when it stops. */
interface TrainCall {
  variant: ServedVariant;
  encoded: EncodedExamples;
  folder: string;
  stillUsable(): Promise<void>;
  cancelling: AbortSignal;
  pausing: AbortSignal;
}

interface Trained extends TrainOutput {
  memory: Meter['memory'];
  time: { estimatedSeconds: number | null; seconds: number; tokensPerSecond: number };
}

/** Trains in the worker; what it reports becomes the run's events and checkpoints. */
async function runWorker(
  { adapters, files, worker, executors }: TrainerParts,
  context: TrainingContext,
  { variant, encoded, folder, stillUsable, cancelling, pausing }: TrainCall,
): Promise<Trained> {
  const { input, resumed, run } = context;
  const { examples, validation, replay, labels } = encoded;
  const workspaceId = run.workspaceId as WorkspaceId;
  // Another gateway had it, whose home its checkpoint lies in: that one goes on.
  if (resumed && !existsSync(join(folder, resumed.file.name)))
    throw new ArtifactElsewhere(resumed.file.sha256, 'of the gateway that began it');
  const executor = resumed?.executor ?? (await executors.choose(run.workspaceId, modelFileOf(variant), cancelling));
  const estimatedSeconds = await estimated({ adapters, executors }, context, variant, encoded);
  const stream = worker.stream(
    'train',
    run.workspaceId,
    {
      model: modelFileOf(variant),
      examples,
      validation,
      replay,
      folder,
      executor,
      recipe: workerRecipe(input.recipe, examples.length),
      labelTokens: labels && labels.map(({ token }) => token),
      resume: resumed && { path: join(folder, resumed.file.name), sha256: resumed.file.sha256 },
      ...(input.parentId && { parent: await parentFiles({ adapters, files }, workspaceId, input.parentId) }),
    },
    { signal: cancelling, pause: pausing, deadlineMs: null, priority: 'bulk' },
  );
  const meter = new Meter();
  for await (const event of stream) {
    if (event.type === 'done')
      return { ...event.output, memory: meter.memory, time: { estimatedSeconds, ...meter.time } };
    if (event.type !== 'chunk') continue;
    await meter.tell(context, event.chunk);
    if (event.chunk.type !== 'checkpoint') continue;
    await stillUsable();
    const { step, path, sha256 } = event.chunk;
    await context.checkpoint({ step, file: { name: basename(path), sha256 }, executor });
  }
  throw new GraftError('WORKER_CRASHED', 'The train worker ended without a result.');
}

/** Turns what the worker reports of its steps into the run's events. */
class Meter {
  private steps = 0;
  /** Of the steps that were seen here; those before a restart are not. */
  private seen = { steps: 0, tokens: 0, milliseconds: 0 };
  private lastProgress = -Infinity;
  /** What the run was estimated to take, and the most that it was seen to take. */
  readonly memory: { estimatedBytes: number | null; peakBytes: number } = { estimatedBytes: null, peakBytes: 0 };

  get time(): { seconds: number; tokensPerSecond: number } {
    const { tokens, milliseconds } = this.seen;
    return { seconds: milliseconds / 1_000, tokensPerSecond: (1_000 * tokens) / Math.max(1, milliseconds) };
  }

  async tell(context: TrainingContext, event: TrainEvent): Promise<void> {
    switch (event.type) {
      case 'started':
        this.steps = event.steps;
        this.memory.estimatedBytes = event.memoryBytes ?? null;
        return;
      case 'validation':
        return context.emit('validation', {
          step: event.step,
          loss: event.loss,
          klToBase: event.klToBase,
          accuracy: event.accuracy,
          best: event.best,
        });
      case 'checkpoint':
        return;
      case 'validating': {
        const { step, done, examples } = event;
        const looking = `looking at validation rows, ${done} of ${examples}`;
        return this.progress(context, step, `Step ${step} of ${this.steps}; ${looking}.`);
      }
      case 'step':
        return this.step(context, event);
    }
  }

  private async step(context: TrainingContext, event: Extract<TrainEvent, { type: 'step' }>): Promise<void> {
    const { seen, steps } = this;
    seen.steps += 1;
    this.memory.peakBytes = Math.max(this.memory.peakBytes, event.memoryBytes);
    seen.tokens += event.tokens;
    seen.milliseconds += event.milliseconds;
    const etaSeconds = ((steps - event.step) * seen.milliseconds) / seen.steps / 1_000;
    const { step, epoch, loss, smoothedLoss, replayKl, learningRate, gradientNorm } = event;
    await context.emit('step', {
      step,
      steps,
      epoch,
      loss,
      smoothedLoss,
      replayKl,
      learningRate,
      gradientNorm,
      etaSeconds,
      tokensPerSecond: this.time.tokensPerSecond,
      memoryBytes: event.memoryBytes,
    });
    const etaText = step < steps ? `, ${Math.ceil(etaSeconds)} s left` : '';
    const message = `Step ${step} of ${steps}, loss ${smoothedLoss.toFixed(3)}${etaText}.`;
    await this.progress(context, step, message, step === steps);
  }

  /** Told once in a while, the last of the steps always. */
  private async progress(context: TrainingContext, step: number, message: string, last = false): Promise<void> {
    if (performance.now() - this.lastProgress < PROGRESS_MS && !last) return;
    this.lastProgress = performance.now();
    await context.progress(ENCODED + (STORED - ENCODED) * (step / this.steps), message);
  }
}

/** The files of the version to go on from, here. @throws NOT_FOUND when it was deleted */
async function parentFiles(
  { adapters, files }: Pick<TrainerParts, 'adapters' | 'files'>,
  workspaceId: WorkspaceId,
  id: string,
): Promise<TrainRequest['parent']> {
  const { version } = await adapters.requireVersionById(workspaceId, id);
  return {
    config: await files.localFile(workspaceId, version.configFileId),
    weights: await files.localFile(workspaceId, version.weightsFileId),
    scale: version.scale,
  };
}

/** Seconds that the steps will take at the pace seen here; null before any was seen. */
async function estimated(
  parts: PaceParts,
  { input, run }: TrainingContext,
  variant: ServedVariant,
  { examples, replay }: EncodedExamples,
): Promise<number | null> {
  const pace = await paceOf(parts, run.workspaceId as WorkspaceId, variant);
  const total = examples.reduce((sum, { ids }) => sum + ids.length, 0);
  const { recipe } = input;
  const workload = { examples: examples.length, meanTokens: total / examples.length, replay: replay[0]?.length ?? 0 };
  return pace && plannedTokens(recipe, workload) / pace;
}

/** The recipe as the engine takes it; shares of an epoch become steps. */
export function workerRecipe(recipe: Recipe, examples: number): TrainingRecipe {
  const epochSteps = Math.max(1, Math.ceil(examples / recipe.batchExamples));
  return {
    lora: { rank: recipe.rank, alpha: recipe.alpha, targets: recipe.targets },
    learningRate: recipe.learningRate,
    // A short run would spend itself warming up.
    warmupSteps: Math.min(recipe.warmupSteps, Math.floor((epochSteps * recipe.epochs) / WARMUP_SHARE)),
    finalLearningRate: recipe.finalRateShare,
    weightDecay: recipe.weightDecay,
    clipNorm: recipe.clip,
    epochs: recipe.epochs,
    batchExamples: recipe.batchExamples,
    batchTokens: recipe.batchExamples * recipe.maxTokens,
    microBatchTokens: recipe.batchTokens,
    seed: recipe.seed,
    validateEvery: Math.max(1, Math.round(epochSteps * recipe.validateEvery)),
    patience: recipe.patience === 0 ? null : recipe.patience,
    checkpointEvery: CHECKPOINT_STEPS,
    replayWeight: recipe.retention.weight,
    ...(recipe.averageCheckpoints > 0 && { averageLast: recipe.averageCheckpoints }),
  };
}

/** Stores the adapter's files and adds the version; the same weights are never added twice. @returns the version's id */
async function register(
  { adapters, files }: TrainerParts,
  workspaceId: WorkspaceId,
  { input, run }: TrainingContext,
  rows: Rows,
  { labels, reads, refuses }: EncodedExamples,
  result: Trained & { adapter: NonNullable<TrainOutput['adapter']> },
): Promise<string> {
  const store = (file: { path: string }, mediaType: string) =>
    files.store(workspaceId, {
      name: `${input.adapter}-${basename(file.path)}`,
      mediaType,
      source: createReadStream(file.path),
      maxBytes: MAX_ADAPTER_BYTES,
    });
  const { adapter } = result;
  const weights = await store(adapter.weights, 'application/octet-stream');
  const config = await store(adapter.config, 'application/json');
  const gguf = await store(adapter.gguf, 'application/octet-stream');
  const usage: AdapterUsage = {
    v: 1,
    rendering: RENDERING_VERSION,
    reads,
    refuses,
    labels: [...rows.context.labels.labels],
    languages: rows.context.languages,
    ...(rows.language !== null && { language: rows.language }),
    answer: labels === null ? { form: 'text' } : { form: 'label-token', labels },
  };
  const { recipe, task, modelId, variantId, description, datasetVersionId } = input;
  const version = await adapters.add(
    workspaceId,
    { name: input.adapter, task, modelId, description },
    {
      digest: weights.sha256,
      weightsFileId: weights.id,
      configFileId: config.id,
      ggufFileId: gguf.id,
      ggufSha256: gguf.sha256,
      bytes: weights.bytes,
      rank: recipe.rank,
      alpha: recipe.alpha,
      targets: recipe.targets,
      variantId,
      datasetVersionId,
      runId: run.id,
      usage,
      origin: 'TRAINED',
      parentId: input.parentId ?? null,
      inheritedFrom: input.inheritedFrom ?? [],
      recipe: storedRecipe.encode(recipe),
      metrics: {
        steps: result.step,
        adapterStep: result.adapterStep,
        validationLoss: result.bestValidationLoss,
        memory: { ...result.memory },
        time: result.time,
      },
    },
  );
  return version.id;
}
