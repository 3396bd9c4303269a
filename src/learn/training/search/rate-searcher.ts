import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { badInput, GraftError, isGraftError } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { RunQueue, RunRow } from '../../../platform/runs/index.js';
import { modelFileOf } from '../../../sources/registry/index.js';
import type { ExecutorName, TrainingRecipe } from '../../../worker-protocol/index.js';
import { encodeExamples, requireExamples, type EncodedExamples, type Tokenize } from '../runs/encode-examples.js';
import { openRows, workerRecipe, type TrainerParts } from '../runs/trainer.js';
import type { StartTraining, TrainingService } from '../runs/training-service.js';
import { learningRateSearch, type LearningRateSearchContext, type TriedRate } from './search-run.js';

interface RateSearcherParts extends Omit<TrainerParts, 'adapters' | 'files'> {
  runs: RunQueue;
  training: Pick<TrainingService, 'checked'>;
}

interface StartRateSearch extends Pick<StartTraining, 'datasetVersionId' | 'model' | 'recipe' | 'idempotencyKey'> {
  /** null: a third of the preset's rate, the rate itself, and three times it. */
  rates: readonly number[] | null;
  /** null: `DEFAULT_SEARCH_STEPS`. */
  steps: number | null;
}

/** Enough for the loss of the answers to tell the rates apart; on SmolLM2-135M and 16 rows a step some two minutes each. */
const DEFAULT_SEARCH_STEPS = 40;
export const SEARCH_RATES = { least: 3, most: 5 } as const;
const MOST_SEARCH_STEPS = 1_000;
const LEAST_SEARCH_STEPS = 5;
const LARGEST_RATE = 0.1;
/** Where on the progress bar the short runs begin. */
const ENCODED = 0.1;

/**
 * Finds the learning rate by short runs: each trains anew for a few steps, its rate falling along the whole cosine as a long run's would,
 * and is measured once on rows for validation. It is the one setting that a preset can't know, and it matters most.
 */
export class RateSearcher {
  constructor(private readonly parts: RateSearcherParts) {}

  /** @returns the LEARNING_RATE_SEARCH run @throws BAD_USER_INPUT, also without rows for validation, and as `TrainingService.start` */
  async start(workspaceId: WorkspaceId, input: StartRateSearch): Promise<RunRow> {
    const { version, dataset, recipe, variant } = await this.parts.training.checked(workspaceId, input);
    if (version.counts.validation === 0 || recipe.validationRows === 0)
      throw badInput('input.datasetVersion', 'Rates are compared on rows for validation, and there are none.');
    const { learningRate } = recipe;
    const rates = input.rates ?? [learningRate / 3, learningRate, Math.min(LARGEST_RATE, 3 * learningRate)];
    const { least, most } = SEARCH_RATES;
    const usable = rates.every((rate) => rate > 0 && rate <= LARGEST_RATE) && new Set(rates).size === rates.length;
    if (!usable || rates.length < least || rates.length > most)
      throw badInput(
        'input.rates',
        `rates must be ${least} to ${most} different ones, above 0 and up to ${LARGEST_RATE}.`,
      );
    const steps = input.steps ?? DEFAULT_SEARCH_STEPS;
    if (steps < LEAST_SEARCH_STEPS || steps > MOST_SEARCH_STEPS)
      throw badInput('input.steps', `steps must be between ${LEAST_SEARCH_STEPS} and ${MOST_SEARCH_STEPS}.`);
    return this.parts.runs.enqueue(learningRateSearch, {
      workspaceId,
      idempotencyKey: input.idempotencyKey,
      subjectId: version.id,
      input: {
        task: dataset.task,
        datasetVersionId: version.id,
        recipe,
        steps,
        modelId: variant.modelId,
        variantId: variant.variantId,
        rates: [...rates].sort((a, b) => a - b),
      },
    });
  }

  /**
   * The work of a LEARNING_RATE_SEARCH run: goes on behind the rates that are done.
   * @throws TRAINING_DIVERGED when every rate did, DATASET_UNUSABLE, and what the worker throws
   */
  async search(context: LearningRateSearchContext): Promise<{ learningRate: number; tried: TriedRate[] }> {
    const { data, executors, registry, worker } = this.parts;
    const { input, run, resumed, signal } = context;
    const workspaceId = run.workspaceId as WorkspaceId;
    const folder = join(this.parts.folder, run.id);
    await context.progress(0, 'Reading and checking the examples.');
    const variant = await registry.variant(workspaceId, input.variantId);
    const { rows, stillUsable } = await openRows(data, workspaceId, input);
    const tokenize: Tokenize = (texts) =>
      worker.call('tokenize', workspaceId, { model: modelFileOf(variant), texts }, { signal, priority: 'bulk' });
    const encoding = { variant, recipe: input.recipe, askedAt: run.createdAt };
    const encoded = await encodeExamples(rows, encoding, tokenize, signal);
    requireExamples(encoded);
    const executor = resumed?.executor ?? (await executors.choose(workspaceId, modelFileOf(variant), signal));
    const trials = [...(resumed?.tried ?? [])];
    try {
      for (const learningRate of input.rates.slice(trials.length)) {
        await stillUsable();
        const share = ENCODED + ((1 - ENCODED) * trials.length) / input.rates.length;
        await context.progress(share, `Trying a learning rate of ${learningRate.toPrecision(2)}.`);
        await rm(folder, { recursive: true, force: true });
        await mkdir(folder, { recursive: true });
        const job = { model: modelFileOf(variant), folder, executor };
        const trial = await this.#tried(workspaceId, job, encoded, shortRecipe(context, encoded, learningRate), signal);
        trials.push(trial);
        await context.emit('tried', trial);
        await context.checkpoint({ tried: trials, executor });
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    return { learningRate: best(trials), tried: trials };
  }

  async #tried(
    workspaceId: WorkspaceId,
    job: { model: ReturnType<typeof modelFileOf>; folder: string; executor: ExecutorName },
    { examples, validation, replay, labels }: EncodedExamples,
    recipe: TrainingRecipe,
    signal: AbortSignal,
  ): Promise<TriedRate> {
    const { learningRate } = recipe;
    const trial: TriedRate = { learningRate, validationLoss: null, klToBase: null, accuracy: null };
    const stream = this.parts.worker.stream(
      'train',
      workspaceId,
      {
        ...job,
        examples,
        validation,
        replay,
        recipe,
        resume: null,
        labelTokens: labels && labels.map(({ token }) => token),
      },
      { signal, deadlineMs: null, priority: 'bulk' },
    );
    try {
      for await (const event of stream)
        if (event.type === 'chunk' && event.chunk.type === 'validation') {
          const { loss, klToBase, accuracy } = event.chunk;
          Object.assign(trial, { validationLoss: loss, klToBase, accuracy });
        }
    } catch (error) {
      // That a rate is too large is what was to be found out.
      if (!isGraftError(error, 'TRAINING_DIVERGED')) throw error;
      Object.assign(trial, { validationLoss: null, klToBase: null, accuracy: null });
    }
    return trial;
  }
}

/** So many steps of the recipe, with one look at the rows for validation at their end. */
function shortRecipe(
  { input }: Pick<LearningRateSearchContext, 'input'>,
  { examples }: Pick<EncodedExamples, 'examples'>,
  learningRate: number,
): TrainingRecipe {
  const { recipe, steps } = input;
  const epochs = (steps * recipe.batchExamples) / examples.length;
  const short = { ...recipe, learningRate, epochs, patience: 0, averageCheckpoints: 0 };
  const whole = workerRecipe(short, examples.length);
  // Its one look is the last step's, and no checkpoint is worth its time.
  return { ...whole, validateEvery: Number.MAX_SAFE_INTEGER, checkpointEvery: Number.MAX_SAFE_INTEGER };
}

/** The rate of the least loss on validation rows. @throws TRAINING_DIVERGED when every run diverged */
function best(trials: readonly TriedRate[]): number {
  const [first] = trials
    .filter(({ validationLoss }) => validationLoss !== null)
    .sort((a, b) => a.validationLoss! - b.validationLoss!);
  if (first) return first.learningRate;
  throw new GraftError('TRAINING_DIVERGED', 'Every learning rate that was tried diverged.', {
    hint: 'Try smaller ones (`rates`).',
  });
}
