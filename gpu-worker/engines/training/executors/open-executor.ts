import { createRequire } from 'node:module';
import util from 'node:util';
import type * as TensorFlow from '@tensorflow/tfjs-core';
import { GraftError } from '../../../../src/kernel/errors.js';
import type { ExecutorName } from '../../../../src/worker-protocol/index.js';
import { errorFields, log } from '../../../log.js';
import type { Executor, Weights } from './executor.js';
import { OnnxExecutor, type OnnxOptions } from './onnx-executor.js';
import { TensorFlowExecutor } from './tensorflow-executor.js';

/** Builds of TensorFlow.js, the fastest first; all are optional, and a machine may have none. */
const BUILDS = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

/** @throws MODEL_UNAVAILABLE when the executor is not installed on this machine */
export async function openExecutor(name: ExecutorName, weights: Weights, options: OnnxOptions): Promise<Executor> {
  if (name === 'onnx') return new OnnxExecutor(weights, options);
  for (const build of BUILDS) {
    if (!isInstalled(build)) continue;
    const tf = await load(build, options.threads);
    if (tf !== null) return new TensorFlowExecutor(tf, weights, options.threads, build);
  }
  throw new GraftError('MODEL_UNAVAILABLE', 'Native TensorFlow.js is not installed on this machine.', {
    hint: 'Train with the executor onnx, or run `npm run engine:tensorflow`.',
  });
}

/** The executors that are installed, without loading them: a library of half a gigabyte stays where it is. */
export const installedExecutors = (): ExecutorName[] => [
  'onnx',
  ...(BUILDS.some(isInstalled) ? ['tensorflow' as const] : []),
];

function isInstalled(build: string): boolean {
  try {
    createRequire(import.meta.url).resolve(build);
    return true;
  } catch {
    return false;
  }
}

/** The library reads its thread counts and how much it says from the environment, once. */
async function load(build: string, threads: number): Promise<typeof TensorFlow | null> {
  process.env['TF_NUM_INTRAOP_THREADS'] ??= String(threads);
  process.env['TF_NUM_INTEROP_THREADS'] ??= '1';
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  restoreRemovedHelper();
  try {
    const loaded = (await import(build)) as typeof TensorFlow & { default?: typeof TensorFlow };
    const tf = loaded.default ?? loaded;
    await tf.ready();
    return tf;
  } catch (error) {
    log('warn', `${build} is installed but can’t be loaded`, errorFields(error));
    return null;
  }
}

/** tfjs-node 4.22 calls a helper that Node 23 took away. */
function restoreRemovedHelper(): void {
  const helpers: { isNullOrUndefined?: (value: unknown) => boolean } = util;
  helpers.isNullOrUndefined ??= (value) => value === null || value === undefined;
}
