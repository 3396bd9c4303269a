import { createRequire } from 'node:module';
import util from 'node:util';
import type * as TensorFlow from '@tensorflow/tfjs-core';
import { GraftError } from '../../../../src/kernel/errors.js';
import type { ExecutorName } from '../../../../src/worker-protocol/index.js';
import { errorFields, log } from '../../../log.js';
import type { Executor, Weights } from './executor.js';
import { OnnxExecutor, type OnnxOptions } from './onnx-executor.js';
import { TensorFlowExecutor } from './tensorflow-executor.js';

/** Optional: a machine may not have it. Its library has CUDA in it and loads it only where there is a GPU. */
const BUILD = '@tensorflow/tfjs-node-gpu';

/** @throws MODEL_UNAVAILABLE when the executor is not installed on this machine */
export async function openExecutor(name: ExecutorName, weights: Weights, options: OnnxOptions): Promise<Executor> {
  if (name === 'onnx') return new OnnxExecutor(weights, options);
  const tf = hasTensorFlow() ? await load(options.threads) : null;
  if (tf !== null) return new TensorFlowExecutor(tf, weights, options.threads, BUILD);
  throw new GraftError('MODEL_UNAVAILABLE', 'Native TensorFlow.js is not installed on this machine.', {
    hint: 'Train with the executor onnx, or run `npm run engine:tensorflow`.',
  });
}

/** The executors that are installed, without loading them: a library of a gigabyte stays where it is. */
export const installedExecutors = (): ExecutorName[] => ['onnx', ...(hasTensorFlow() ? ['tensorflow' as const] : [])];

function hasTensorFlow(): boolean {
  try {
    createRequire(import.meta.url).resolve(BUILD);
    return true;
  } catch {
    return false;
  }
}

/** The library reads its thread counts and how much it says from the environment, once. */
async function load(threads: number): Promise<typeof TensorFlow | null> {
  process.env['TF_NUM_INTRAOP_THREADS'] ??= String(threads);
  process.env['TF_NUM_INTEROP_THREADS'] ??= '1';
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  restoreRemovedHelper();
  try {
    const loaded = (await import(BUILD)) as typeof TensorFlow & { default?: typeof TensorFlow };
    const tf = loaded.default ?? loaded;
    await tf.ready();
    return tf;
  } catch (error) {
    log('warn', `${BUILD} is installed but can’t be loaded`, errorFields(error));
    return null;
  }
}

/** tfjs-node 4.22 calls a helper that Node 23 took away. */
function restoreRemovedHelper(): void {
  const helpers: { isNullOrUndefined?: (value: unknown) => boolean } = util;
  helpers.isNullOrUndefined ??= (value) => value === null || value === undefined;
}
