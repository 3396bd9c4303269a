import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { OnnxExecutor } from '../../../gpu-worker/engines/training/executors/onnx-executor.js';
import { TensorFlowExecutor } from '../../../gpu-worker/engines/training/executors/tensorflow-executor.js';
import type { Executor, Feeds } from '../../../gpu-worker/engines/training/executors/executor.js';
import {
  adapterLayout,
  initialAdapter,
  TARGETS,
  viewOf,
  type LoraOptions,
} from '../../../gpu-worker/engines/training/model/adapter-layout.js';
import { GgufWeights } from '../../../gpu-worker/engines/training/model/gguf-weights.js';
import { indices, packSequences } from '../../../gpu-worker/engines/training/trainer/pack.js';
import { seededRandom } from '../../../src/kernel/random.js';
import { writeTinyModel, type TinyModelOptions } from '../../support/tiny-model.js';

tf.enableProdMode();

export const LONGEST = 64;
export const LORA: LoraOptions = { rank: 4, alpha: 8, targets: TARGETS };

/** A tiny model with both executors over its weights. */
export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'graft-training-'));
  readonly path = join(this.folder, 'model.gguf');
  readonly weights: GgufWeights;
  readonly onnx: Executor;
  readonly tensorflow: Executor;

  constructor(options: TinyModelOptions) {
    writeTinyModel(this.path, { variedGains: true, ...options });
    this.weights = new GgufWeights(this.path, LONGEST);
    this.onnx = new OnnxExecutor(this.weights, { folder: this.folder, threads: 1 });
    this.tensorflow = new TensorFlowExecutor(tf, this.weights, 1, '@tensorflow/tfjs-backend-cpu');
  }

  get config(): GgufWeights['config'] {
    return this.weights.config;
  }

  async dispose(): Promise<void> {
    await this.onnx.dispose();
    await this.tensorflow.dispose();
    rmSync(this.folder, { recursive: true });
  }

  /** An adapter that changes something: B is not zero. */
  adapter(seed: number): Float32Array {
    const random = seededRandom(seed);
    const flat = initialAdapter(this.config, LORA, random);
    for (const parameter of adapterLayout(this.config, LORA).parameters)
      if (parameter.factor === 'B') viewOf(flat, parameter).forEach((_, i, b) => (b[i] = (random() - 0.5) / 4));
    return flat;
  }

  adapterFeeds(flat: Float32Array): Feeds {
    const { parameters } = adapterLayout(this.config, LORA);
    return Object.fromEntries(
      parameters.map((parameter) => [parameter.name, { data: viewOf(flat, parameter), shape: parameter.shape }]),
    );
  }

  /** Random sequences of the given lengths. */
  sequences(lengths: readonly number[], seed: number): Int32Array[] {
    const random = seededRandom(seed);
    return lengths.map((length) => Int32Array.from({ length }, () => Math.floor(random() * this.config.vocabulary)));
  }

  /** Inputs of a training step: two answer places in each sequence but the last, whose last three places are replayed. */
  trainingFeeds(seed: number): Feeds {
    const random = seededRandom(seed);
    const sequences = this.sequences([9, 6, 7], seed);
    const { feeds, width } = packSequences(sequences, this.config);
    const answers = [7, 8, width + 4, width + 5];
    const replayed = [2 * width + 4, 2 * width + 5, 2 * width + 6];
    const places = answers.length + replayed.length;
    return {
      ...feeds,
      places: indices([...answers, ...replayed]),
      labels: indices(answers.map(() => Math.floor(random() * this.config.vocabulary))),
      teacher: {
        data: Float32Array.from({ length: replayed.length * this.config.hidden }, () => random() - 0.5),
        shape: [replayed.length, this.config.hidden],
      },
      weights: { data: Float32Array.from({ length: places }, () => 0.1 + random()), shape: [places, 1] },
    };
  }
}

/** Mean KL divergence of the distributions that two tables of logits [n, vocabulary] give, and how often both put the same token first. */
export function compareLogits(
  a: Float32Array,
  b: Float32Array,
  vocabulary: number,
): { meanKl: number; sameTop: number } {
  const rows = a.length / vocabulary;
  let kl = 0;
  let same = 0;
  for (let row = 0; row < rows; row++) {
    const [x, y] = [a, b].map((table) =>
      logProbabilities(table.subarray(row * vocabulary, (row + 1) * vocabulary)),
    ) as [Float64Array, Float64Array];
    kl += x.reduce((sum, value, token) => sum + Math.exp(value) * (value - y[token]!), 0);
    same += Number(x.indexOf(Math.max(...x)) === y.indexOf(Math.max(...y)));
  }
  return { meanKl: kl / rows, sameTop: same / rows };
}

function logProbabilities(logits: Float32Array): Float64Array {
  const largest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
  return Float64Array.from(logits, (logit) => logit - largest - Math.log(total));
}

/** |a - b| / |b| in the Euclidean norm. */
export function relativeError(a: Float32Array, b: Float32Array): number {
  const norm = (x: Float32Array): number => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
  return norm(a.map((value, index) => value - b[index]!)) / Math.max(norm(b), 1e-12);
}
