import { availableParallelism, cpus, totalmem } from 'node:os';
import { createRequire } from 'node:module';
import type { Llama } from 'node-llama-cpp';
import type { WorkerHello } from '../src/worker-protocol/index.js';
import { llamaVersion } from './engines/inference/llama.js';
import type { WorkerOptions } from '../src/worker-protocol/index.js';
import { CAPABILITIES } from './server.js';

const versionOf = (name: string): string => (createRequire(import.meta.url)(name) as { version: string }).version;

/** What this worker is and runs on; memory in bytes. */
export async function describeSelf(
  llama: Llama,
  options: WorkerOptions,
  graft: string,
): Promise<Omit<WorkerHello, 'version'>> {
  const gpuNames = llama.gpu === false ? [] : await llama.getGpuDeviceNames();
  const gpuMemory = llama.gpu === false ? 0 : (await llama.getVramState()).total;
  return {
    build: {
      graft,
      node: process.version,
      llama: await llamaVersion(llama),
      onnxruntime: versionOf('onnxruntime-node/package.json'),
    },
    device: {
      cpu: { model: cpus()[0]?.model.trim() ?? process.arch, cores: availableParallelism() },
      gpu: gpuNames.length === 0 ? null : { name: gpuNames.join(', '), memoryBytes: gpuMemory },
      memoryBytes: totalmem(),
    },
    provider: { inference: llama.gpu === false ? 'cpu' : llama.gpu, embedding: options.provider.embedding },
    capabilities: CAPABILITIES,
    limits: {
      queue: options.queue,
      contextTokens: options.contextTokens,
      sequences: options.sequences,
      batchTokens: options.batchTokens,
    },
  };
}
