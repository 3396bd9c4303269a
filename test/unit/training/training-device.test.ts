import type * as TensorFlow from '@tensorflow/tfjs-core';
import { TensorFlowExecutor } from '../../../gpu-worker/engines/training/executors/tensorflow-executor.js';

/** The library as far as it is asked what it runs on: no test can have a GPU on command. */
const libraryOn = (backend: object) =>
  ({ version_core: '4.22.0', getBackend: () => 'tensorflow', backend: () => backend }) as unknown as typeof TensorFlow;

it.each([
  ['the GPU where its native library found one', { isUsingGpuDevice: true }, 'gpu'],
  ['the processor where that found none', { isUsingGpuDevice: false }, 'cpu'],
  ['the processor where it is not the native library', {}, 'cpu'],
])('TensorFlow says that it trains on %s', (_, backend, device) => {
  const executor = new TensorFlowExecutor(libraryOn(backend), { read: () => new Float32Array() }, 1, 'a build');
  expect(executor.identity).toMatchObject({ executor: 'tensorflow', device });
});
