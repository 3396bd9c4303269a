import * as ort from 'onnxruntime-node';
import { getLlamaGpuTypes, type LlamaGpuType } from 'node-llama-cpp';
import { GraftError } from '../src/kernel/errors.js';
import type { ServeProvider } from '../src/worker-protocol/index.js';
import { openLlama } from './engines/inference/llama.js';
import { identityModel } from './formats/onnx/identity.js';
import { errorFields, log } from './log.js';

/**
 * Finds out what really runs here by loading it: the fastest build of llama.cpp that is installed and works, and the
 * fastest provider of ONNX Runtime. Run it in a throw-away process only: a GPU driver that doesn't fit may crash it.
 * @throws SETUP_FAILED when not even the CPU build works
 */
export async function probe(options: { gpu: boolean }): Promise<ServeProvider> {
  return { inference: await probeLlama(options.gpu), embedding: await probeOnnx(options.gpu) };
}

async function probeLlama(gpu: boolean): Promise<string> {
  // "supported" looks at drivers only; whether a build for it is installed shows when it is opened.
  const kinds: LlamaGpuType[] = gpu ? await getLlamaGpuTypes('supported') : [];
  for (const kind of [...kinds.filter((candidate) => candidate !== false), false as const]) {
    try {
      const llama = await openLlama(kind);
      const works = llama.gpu === kind && (kind === false || (await llama.getGpuDeviceNames()).length > 0);
      await llama.dispose();
      if (works) return kind === false ? 'cpu' : kind;
    } catch (error) {
      if (kind === false)
        throw new GraftError(
          'SETUP_FAILED',
          `llama.cpp can’t be loaded on ${process.platform} ${process.arch}: ${String((error as Error).message)}`,
          { cause: error },
        );
      log('debug', `no llama.cpp build for ${kind}`, errorFields(error));
    }
  }
  throw new GraftError('SETUP_FAILED', `llama.cpp can’t be loaded on ${process.platform} ${process.arch}.`);
}

async function probeOnnx(gpu: boolean): Promise<string> {
  ort.env.logLevel = 'fatal';
  for (const provider of [...(gpu && process.platform === 'linux' ? ['cuda'] : []), 'cpu']) {
    try {
      const session = await ort.InferenceSession.create(identityModel(), {
        executionProviders: [provider],
        logSeverityLevel: 4,
      });
      const output = await session.run({ x: new ort.Tensor('float32', Float32Array.of(42), [1]) });
      await session.release();
      if (output.y?.data[0] === 42) return provider;
    } catch (error) {
      if (provider === 'cpu')
        throw new GraftError(
          'SETUP_FAILED',
          `ONNX Runtime can’t be loaded on ${process.platform} ${process.arch}: ${String((error as Error).message)}`,
          { cause: error },
        );
      log('debug', `ONNX Runtime has no working ${provider} provider`, errorFields(error));
    }
  }
  throw new GraftError('SETUP_FAILED', `ONNX Runtime computes wrongly on ${process.platform} ${process.arch}.`);
}
