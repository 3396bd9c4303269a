import type * as TensorFlow from '@tensorflow/tfjs-core';
import { GraftError } from '../../../../src/kernel/errors.js';
import type { Executor, Weights } from './executor.js';
import { OnnxExecutor, type OnnxOptions } from './onnx-executor.js';
import { TensorFlowExecutor } from './tensorflow-executor.js';

/** Builds of TensorFlow.js, the fastest first; all are optional, and a machine may have none. */
const BUILDS = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];

/** @throws MODEL_UNAVAILABLE when the executor is not installed on this machine */
export async function openExecutor(
  name: 'onnx' | 'tensorflow',
  weights: Weights,
  options: OnnxOptions,
): Promise<Executor> {
  if (name === 'onnx') return new OnnxExecutor(weights, options);
  for (const build of BUILDS) {
    const tf = await load(build);
    if (tf === null) continue;
    await tf.ready();
    return new TensorFlowExecutor(tf, weights, options.threads);
  }
  throw new GraftError('MODEL_UNAVAILABLE', 'Native TensorFlow.js is not installed on this machine.', {
    hint: 'Train with the executor onnx, or install @tensorflow/tfjs-node.',
  });
}

async function load(name: string): Promise<typeof TensorFlow | null> {
  try {
    const loaded = (await import(name)) as typeof TensorFlow & { default?: typeof TensorFlow };
    return loaded.default ?? loaded;
  } catch {
    return null;
  }
}
