import { availableParallelism, cpus, totalmem } from 'node:os';
import { createRequire } from 'node:module';
import type { Llama } from 'node-llama-cpp';
import type { ServeOptions, TrainOptions } from '../src/worker-protocol/index.js';
import { llamaVersion } from './engines/inference/llama.js';
import { installedExecutors } from './engines/training/executors/open-executor.js';
import { processorFlags } from './processor-flags.js';
import type { Traits } from './server.js';

const versionOf = (name: string): string => (createRequire(import.meta.url)(name) as { version: string }).version;
const onnxruntime = (): string => versionOf('onnxruntime-node/package.json');
const cpu = (): Traits['device']['cpu'] => ({
  model: cpus()[0]?.model.trim() ?? process.arch,
  cores: availableParallelism(),
  flags: processorFlags(),
});

/** What a serve worker is and runs on; memory in bytes. */
export async function describeServer(llama: Llama, options: ServeOptions, graft: string): Promise<Traits> {
  const gpuNames = llama.gpu === false ? [] : await llama.getGpuDeviceNames();
  const gpuMemory = llama.gpu === false ? 0 : (await llama.getVramState()).total;
  const { queue, contextTokens, sequences, batchTokens, provider } = options;
  return {
    build: { graft, node: process.version, llama: await llamaVersion(llama), onnxruntime: onnxruntime() },
    device: {
      cpu: cpu(),
      gpu: gpuNames.length === 0 ? null : { name: gpuNames.join(', '), memoryBytes: gpuMemory },
      memoryBytes: totalmem(),
    },
    provider: { inference: llama.gpu === false ? 'cpu' : llama.gpu, embedding: provider.embedding },
    limits: { queue, contextTokens, sequences, batchTokens },
  };
}

/** What a train worker is and runs on. */
export const describeTrainer = ({ queue }: TrainOptions, graft: string): Traits => ({
  build: { graft, node: process.version, onnxruntime: onnxruntime() },
  device: { cpu: cpu(), gpu: null, memoryBytes: totalmem() },
  provider: { training: installedExecutors().join(' ') },
  limits: { queue },
});
