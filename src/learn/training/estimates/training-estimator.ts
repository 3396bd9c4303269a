import { z } from 'zod';
import { factsOf, learnedOf, renderExample, type Data } from '../../../sources/data/index.js';
import { GraftError } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { record, float, boolean } from '../../../kernel/record.js';
import type { TrainWorker, WorkerClient } from '../../../platform/worker/index.js';
import { renderAccepted, type PromptSegment } from '../../../sources/prompting/index.js';
import { modelFileOf } from '../../../sources/registry/index.js';
import { Groups, shownBy } from '../runs/encode-examples.js';
import { openRows, workerRecipe } from '../runs/trainer.js';
import type { CheckedTraining, StartTraining, TrainingService } from '../runs/training-service.js';
import { paceOf, type PaceParts } from './pace.js';
import { plannedSteps, plannedTokens } from './planned.js';

/** Answers of the sample; a conversation has many, and the worker counts 10,000 texts at a time. */
const MOST_ANSWERS = 4_000;

interface TrainingEstimatorParts extends PaceParts {
  training: Pick<TrainingService, 'checked'>;
  data: Data;
  /** Counts tokens as the model that answers does, without waiting for a training. */
  serve: Pick<WorkerClient, 'countTokens'>;
  worker: Pick<TrainWorker, 'call'>;
}

export const trainingEstimate = record(
  'TrainingEstimate',
  'What a training would take. `AdapterVersion.metrics` keeps beside it what then happened.',
  {
    examples: z
      .int()
      .describe(
        'Answers that would be learned: one a row, of a conversation all; counted on a sample of at most 256 rows.',
      ),
    /** Rows whose tokens were counted. */
    sampled: z.int(),
    meanTokens: float('Mean length of an example in tokens, prompt and answer.'),
    tokens: z.int().meta({ shown: 'BigInt' }).describe('Tokens of all steps, general text included, without padding.'),
    steps: z.int().describe('Steps of the whole run.'),
    memoryBytes: z
      .int()
      .meta({ shown: 'BigInt' })
      .describe('Memory that the train worker would take at most, in bytes.'),
    availableBytes: z.int().meta({ shown: 'BigInt' }).describe('Memory that the machine has for it, in bytes.'),
    fits: boolean('Whether that is enough; a run that it isn’t enough for is refused.'),
    tokensPerSecond: float(
      'Tokens learned a second on this machine, as seen or timed; null before this model was trained here.',
    ).nullable(),
    seconds: float(
      'Seconds of all steps at that pace, without measurements on validation rows; null where it is unknown.',
    ).nullable(),
  },
);
export type TrainingEstimate = z.infer<typeof trainingEstimate>;

/** Rows whose tokens are counted; of more, every so-manieth. */
const SAMPLE = 256;

/** Says what a training takes: memory by the graph that it would run, time by the tokens of its rows and the pace seen here. */
export class TrainingEstimator {
  constructor(private readonly parts: TrainingEstimatorParts) {}

  /** @throws as `TrainingService.start` for what could never be trained, DATASET_UNUSABLE when no row is short enough */
  async estimate(
    workspaceId: WorkspaceId,
    input: Pick<StartTraining, 'datasetVersionId' | 'model' | 'recipe'>,
    signal: AbortSignal,
  ): Promise<TrainingEstimate> {
    const training = await this.parts.training.checked(workspaceId, input);
    const { recipe, variant } = training;
    const { counted, sampled, refused, together } = await this.#sample(workspaceId, training, signal);
    if (counted.length === 0 && refused > 0)
      throw new GraftError('DATASET_UNUSABLE', 'The model’s chat template has no form for any of the rows.', {
        field: 'input.datasetVersion',
        hint: 'Give rows in which user and assistant speak in turns, or choose another model.',
      });
    const short = counted.filter(({ prompt, answer }) => prompt + answer <= recipe.maxTokens);
    if (short.length === 0)
      throw new GraftError('DATASET_UNUSABLE', `No row has an answer and at most ${recipe.maxTokens} tokens.`, {
        field: 'input.recipe.maxTokens',
        hint: 'Raise maxTokens, or give rows with answers.',
      });
    const lengths = short.map(({ prompt, answer }) => prompt + answer);
    const examples = Math.round((training.version.counts.train * short.length) / sampled);
    const replay = recipe.retention.weight > 0 ? recipe.retention.tokens : 0;
    const { bytes, availableBytes } = await this.parts.worker.call(
      'estimateMemory',
      workspaceId,
      {
        model: modelFileOf(variant),
        recipe: workerRecipe(recipe, Math.max(1, examples)),
        replay,
        together,
        longest: Math.max(...lengths),
        shortest: Math.min(...lengths),
        answer: Math.max(...short.map(({ answer }) => answer)),
        validates: recipe.validationRows > 0 && training.version.counts.validation > 0,
        labelTokens: recipe.answer === 'LABEL_TOKEN',
      },
      { signal, priority: 'interactive' },
    );
    const meanTokens = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
    const workload = { examples, meanTokens, replay };
    const tokens = plannedTokens(recipe, workload);
    const tokensPerSecond = await paceOf(this.parts, workspaceId, variant);
    return {
      examples,
      sampled,
      meanTokens,
      tokens,
      steps: plannedSteps(recipe, examples),
      memoryBytes: Math.round(bytes),
      availableBytes: Math.round(availableBytes),
      fits: bytes <= availableBytes,
      tokensPerSecond,
      seconds: tokensPerSecond === null ? null : tokens / tokensPerSecond,
    };
  }

  /**
   * Tokens of prompt and answer of rows from all over the split for training, how many more the model's template refuses, and how many
   * neighbours at most show the same passages.
   */
  async #sample(
    workspaceId: WorkspaceId,
    { dataset, version, recipe, variant }: CheckedTraining,
    signal: AbortSignal,
  ): Promise<{ counted: { prompt: number; answer: number }[]; sampled: number; refused: number; together: number }> {
    const { data, serve } = this.parts;
    const { rows } = await openRows(data, workspaceId, { task: dataset.task, datasetVersionId: version.id });
    const stride = Math.max(1, Math.ceil(version.counts.train / SAMPLE));
    const rendered: { messages: PromptSegment[]; answer: string }[] = [];
    const groups = new Groups();
    let [rowCount, sampled, refusals] = [0, 0, 0];
    for await (const batch of rows.stream('TRAIN')) {
      signal.throwIfAborted();
      for (const row of batch) {
        if (row.content === null) continue;
        const shows = shownBy(row.content);
        if (shows !== null) groups.of(shows);
        if (rowCount++ % stride !== 0 || rendered.length > MOST_ANSWERS) continue;
        const facts = factsOf(row, rows.views);
        sampled += 1;
        for (const content of learnedOf(row.content)) {
          const { messages, answer } = renderExample(content, rows.context, { facts, passages: null });
          const prompt = renderAccepted(variant.chat, messages);
          if (!prompt) refusals += 1;
          else if (answer.trim() !== '') rendered.push({ messages: prompt, answer });
        }
      }
    }
    if (rendered.length === 0) return { counted: [], sampled, refused: refusals, together: 1 };
    const texts = [...rendered.map(({ messages }) => messages), ...rendered.map(({ answer }) => answer)];
    const counts = await serve.countTokens(
      { workspaceId, model: modelFileOf(variant), texts },
      { signal, priority: 'bulk' },
    );
    const lengths = rendered.map((_, i) => ({
      prompt: counts[i]!,
      // A label is one token; a text is followed by the token that ends it.
      answer: recipe.answer === 'LABEL_TOKEN' ? 1 : counts[rendered.length + i]! + 1,
    }));
    return { counted: lengths, sampled, refused: refusals, together: groups.largest };
  }
}
