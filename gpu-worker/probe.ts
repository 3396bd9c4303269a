import * as ort from 'onnxruntime-node';
import { getLlamaGpuTypes } from 'node-llama-cpp';
import type { ServeProvider } from '../src/worker-protocol/index.js';
import { openLlama } from './engines/inference/llama.js';
import { identityModel } from './formats/onnx/identity.js';
import { errorFields, log } from './log.js';

/**
 * Finds the GPU that the engines can use by loading it: the fastest build of llama.cpp that is installed and works, and the fastest provider
 * of ONNX Runtime; `cpu` where there is none. Run it in a throw-away process only: a GPU driver that doesn't fit may crash it.
 */
export async function probe(): Promise<ServeProvider> {
  return { inference: await probeLlama(), embedding: await probeOnnx() };
}

async function probeLlama(): Promise<string> {
  // "supported" looks at drivers only; whether a build for it is installed shows when it is opened.
  for (const kind of await getLlamaGpuTypes('supported')) {
    if (kind === false) continue;
    try {
      const llama = await openLlama(kind);
      const works = llama.gpu === kind && (await llama.getGpuDeviceNames()).length > 0;
      await llama.dispose();
      if (works) return kind;
    } catch (error) {
      log('debug', `no llama.cpp build for ${kind}`, errorFields(error));
    }
  }
  return 'cpu';
}

async function probeOnnx(): Promise<string> {
  if (process.platform !== 'linux') return 'cpu';
  ort.env.logLevel = 'fatal';
  try {
    const session = await ort.InferenceSession.create(identityModel(), {
      executionProviders: ['cuda'],
      logSeverityLevel: 4,
    });
    const output = await session.run({ x: new ort.Tensor('float32', Float32Array.of(42), [1]) });
    await session.release();
    if (output.y?.data[0] === 42) return 'cuda';
  } catch (error) {
    log('debug', 'ONNX Runtime has no working cuda provider', errorFields(error));
  }
  return 'cpu';
}
