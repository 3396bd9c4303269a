import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runTraining } from '../../gpu-worker/engines/training/run-training.js';
import { tokenizeTexts } from '../../gpu-worker/engines/training/tokenize.js';
import { sha256 } from '../../src/kernel/hashing.js';
import { seededRandom, shuffled } from '../../src/kernel/random.js';
import { replayWindows, type Tokenize } from '../../src/learn/training/index.js';
import type { ModelFile, TrainEvent, TrainOutput } from '../../src/worker-protocol/index.js';
import { encodeReadings } from './encode-readings.js';
import { excerptsOf } from './excerpt-examples.js';
import { ownArticles } from './own-texts.js';
import { encyclopediaArticles } from './reading-data.js';
import { readingsOf, type Reading } from './reading-examples.js';
import { PASSES, READER_RECIPE, REPLAY_TOKENS } from './recipe.js';

export interface TrainedReader {
  /** Of the readings, 0 to 1. */
  share: number;
  examples: number;
  refused: number;
  readings: number;
  steps: number;
  smoothedLoss: number;
  files: NonNullable<TrainOutput['adapter']>;
}

/**
 * Trains the reader in this process, at its priority; the train worker's own would wait behind everything else.
 * @param folder keeps checkpoints: a run that was stopped goes on from the last
 * @param share of each kind of readings, for models that take hours for all
 */
export async function trainReader(model: ModelFile, folder: string, share = 1): Promise<TrainedReader> {
  const { signal } = new AbortController();
  const tokenize: Tokenize = (texts) => tokenizeTexts({ model, texts }, { signal });
  const readings = await everyReading(share);
  const examples = await encodeReadings(readings, model, tokenize);
  const replay = await replayWindows(REPLAY_TOKENS, tokenize);
  const questions = readings.flatMap((reading) => reading.questions);
  const last = { steps: 0, smoothedLoss: NaN };
  mkdirSync(folder, { recursive: true });
  const output = await runTraining(
    {
      model,
      recipe: READER_RECIPE,
      examples,
      validation: [],
      replay,
      labelTokens: null,
      folder,
      executor: 'onnx',
      resume: lastCheckpoint(folder),
    },
    {
      signal,
      pausing: signal,
      turn: () => Promise.resolve(),
      chunks: {
        send(event: TrainEvent) {
          if (event.type === 'started') say(`${examples.length} examples, step ${event.step} of ${event.steps}`);
          if (event.type === 'step') {
            Object.assign(last, { steps: event.step, smoothedLoss: event.smoothedLoss });
            say(describeStep(event));
          }
          return Promise.resolve();
        },
      },
    },
  );
  return {
    share,
    examples: examples.length,
    readings: readings.length,
    ...last,
    refused: questions.filter(({ refused }) => refused).length,
    files: output.adapter!,
  };
}

/** Passages and single sentences of all texts, as often as `PASSES` says, each time with other passages beside and other refusals. */
async function everyReading(share: number): Promise<Reading[]> {
  const sources = { encyclopedias: encyclopediaArticles(), own: await ownArticles() };
  return PASSES.flatMap(({ source, form, passes: whole }, index) => {
    const passes = whole * share;
    return Array.from({ length: Math.ceil(passes) }, (_, pass) => {
      const random = seededRandom(READER_RECIPE.seed + 100 * index + pass);
      const articles = sources[source];
      const made =
        form === 'sentences'
          ? excerptsOf(articles, random)
          : readingsOf(articles, random, source === 'own' ? 0 : undefined);
      const readings = shuffled(made, random);
      return readings.slice(0, Math.round(readings.length * Math.min(1, passes - pass)));
    }).flat();
  });
}

const say = (line: string): unknown => process.stdout.write(`${line}\n`);

const describeStep = ({
  step,
  smoothedLoss,
  replayKl,
  tokens,
  milliseconds,
  memoryBytes,
}: Extract<TrainEvent, { type: 'step' }>): string =>
  `step ${step}: ${smoothedLoss.toFixed(3)} nats, KL ${replayKl?.toFixed(4)}, ` +
  `${Math.round((1000 * tokens) / milliseconds)} tokens/s, ${Math.round(memoryBytes / 2 ** 20)} MiB`;

function lastCheckpoint(folder: string): { path: string; sha256: string } | null {
  const steps = readdirSync(folder).flatMap((name) => /^checkpoint-(\d+)\.safetensors$/.exec(name)?.[1] ?? []);
  if (steps.length === 0) return null;
  const path = join(folder, `checkpoint-${Math.max(...steps.map(Number))}.safetensors`);
  return { path, sha256: sha256(readFileSync(path)) };
}
