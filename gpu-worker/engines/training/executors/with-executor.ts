import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutorName } from '../../../../src/worker-protocol/index.js';
import type { Executor, Weights } from './executor.js';
import type { OnnxOptions } from './onnx-executor.js';
import { openExecutor } from './open-executor.js';

/**
 * An executor for as long as `work` lasts. Its copy of the weights, which is of no use to anybody afterwards, lies in a folder of its
 * own below the one given, and goes with it.
 * @throws MODEL_UNAVAILABLE when the executor is not installed, and what `work` throws
 */
export async function withExecutor<T>(
  name: ExecutorName,
  weights: Weights,
  { folder, threads }: OnnxOptions,
  work: (executor: Executor) => Promise<T>,
): Promise<T> {
  await mkdir(folder, { recursive: true });
  const scratch = await mkdtemp(join(folder, 'executor-'));
  try {
    const executor = await openExecutor(name, weights, { folder: scratch, threads });
    try {
      return await work(executor);
    } finally {
      await executor.dispose();
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
