import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import type { WorkspaceId } from '../../kernel/ids.js';
import { record } from '../../kernel/record.js';
import { packageRoot } from '../../platform/package-root.js';
import type { WorkerClient } from '../../platform/worker/index.js';
import type { ModelRegistry } from '../../registry/index.js';
import { accuracy, type ClassifiedRow } from '../metrics/classification.js';
import { estimate, pairedDifference } from '../statistics/bootstrap.js';
import { interval, metricDifference } from '../../kernel/interval.js';
import { mcnemar } from '../statistics/mcnemar.js';
import type { Fitting } from './choose-strength.js';

export const regression = record(
  'RegressionFigures',
  'How a logistic regression on the embedder’s vectors does on the same rows, fitted to the rows for training: what one would build instead.',
  {
    embedder: z.string().describe('The embedder whose vectors it reads.'),
    trainedOn: z.number().int().describe('Rows for training that it was fitted to.'),
    strength: z
      .number()
      .describe('Strength of the rows against the penalty (scikit-learn’s C), chosen on rows for validation.'),
    accuracy: interval.describe('Its accuracy, 0 to 1.'),
    difference: metricDifference.describe('Accuracy of the answers less its own; `p` is of McNemar’s exact test.'),
    onlyAnswers: z.number().int().describe('Rows that only the answers have right.'),
    onlyRegression: z.number().int().describe('Rows that only the regression has right.'),
  },
);
export type Regression = z.infer<typeof regression>;

export interface LabelledText {
  text: string;
  label: string;
}

export interface RegressionParts {
  worker: Pick<WorkerClient, 'embed'>;
  registry: Pick<ModelRegistry, 'embedder'>;
}

/** Texts that are embedded at once. */
const BATCH = 256;

/**
 * Fits the regression to rows for training, and asks it what the evaluated answers were asked.
 * @param answers to `rows`, in their order @throws what the worker throws
 */
export async function compareWithRegression(
  parts: RegressionParts,
  workspaceId: WorkspaceId,
  { train, validation, rows }: Record<'train' | 'validation' | 'rows', readonly LabelledText[]>,
  answers: readonly ClassifiedRow[],
  signal: AbortSignal,
): Promise<Regression | null> {
  const labels = [...new Set(train.map(({ label }) => label))].sort();
  if (labels.length < 2) return null;
  const vectors = (texts: readonly LabelledText[]): Promise<Float32Array> =>
    embedAll(parts, workspaceId, texts, signal);
  const known = validation.filter(({ label }) => labels.includes(label));
  const numbered = async (texts: readonly LabelledText[]) => ({
    vectors: await vectors(texts),
    labels: Int32Array.from(texts, ({ label }) => labels.indexOf(label)),
  });
  const fitting: Fitting = { train: await numbered(train), validation: await numbered(known), classes: labels.length };
  const fitted = await fitInThread({ ...fitting, asked: await vectors(rows) }, signal);
  const given = rows.map(({ label }, i): ClassifiedRow => ({
    gold: label,
    predicted: labels[fitted.labels[i]!]!,
    probability: fitted.probabilities[i]!,
  }));
  const right = (all: readonly ClassifiedRow[]): boolean[] => all.map(({ gold, predicted }) => gold === predicted);
  const { onlyFirst, onlySecond, p } = mcnemar(right(answers), right(given));
  const own = estimate(accuracy, given);
  const difference = pairedDifference(accuracy, given, answers);
  return {
    embedder: parts.registry.embedder().name,
    trainedOn: train.length,
    strength: fitted.strength,
    accuracy: { value: own.value, low: own.low, high: own.high },
    difference: { value: difference.value, low: difference.low, high: difference.high, p },
    onlyAnswers: onlyFirst,
    onlyRegression: onlySecond,
  };
}

/** Row-major, [texts, dimensions]. */
async function embedAll(
  { worker, registry }: RegressionParts,
  workspaceId: WorkspaceId,
  texts: readonly LabelledText[],
  signal: AbortSignal,
): Promise<Float32Array> {
  const embedder = registry.embedder();
  const all = new Float32Array(texts.length * embedder.dimensions);
  for (let from = 0; from < texts.length; from += BATCH) {
    const batch = texts.slice(from, from + BATCH).map(({ text }) => text);
    const request = { workspaceId, embedder, texts: batch };
    const { vectors } = await worker.embed(request, { signal, priority: 'bulk' });
    vectors.forEach((vector, i) => all.set(vector, (from + i) * embedder.dimensions));
  }
  return all;
}

type Fitted = { strength: number; labels: Int32Array; probabilities: Float32Array };

function fitInThread(work: Fitting & { asked: Float32Array }, signal: AbortSignal): Promise<Fitted> {
  const program = join(packageRoot(), 'dist', 'src', 'evaluation', 'regression', 'fit-thread.js');
  return new Promise<Fitted>((resolve, reject) => {
    signal.throwIfAborted();
    const thread = new Worker(program, { workerData: work });
    const stop = (): void => {
      void thread.terminate();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', stop, { once: true });
    thread.once('message', resolve);
    thread.once('error', reject);
    thread.once('exit', () => {
      signal.removeEventListener('abort', stop);
      reject(new Error('the thread that fits ended without a result'));
    });
  });
}
