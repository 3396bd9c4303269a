import { InsufficientMemoryError } from 'node-llama-cpp';
import { GraftError } from '../src/kernel/errors.js';
import type { FileDescription } from '../src/worker-protocol/index.js';
import { openLlama } from './engines/inference/llama.js';
import { describeGguf } from './formats/gguf/describe.js';

/** What llama.cpp, ggml and the C++ library say then. */
const NO_MEMORY = /insufficient memory|out of memory|cannot allocate memory|(failed|unable) to allocate|bad_alloc/i;

/**
 * Reads the header, then really loads the file and takes one token. Run it in a throw-away process only: native code may
 * crash on a corrupt file.
 * @throws MODEL_FILE_INVALID, MODEL_UNSUPPORTED, WORKER_CRASHED where there is too little memory for it
 */
export async function inspectModel(path: string): Promise<FileDescription> {
  const description = describeGguf(path);
  let output = '';
  const llama = await openLlama(false, (message) => (output = `${output}${message}\n`.slice(-8_192)));
  try {
    const model = await llama.loadModel({ modelPath: path, gpuLayers: 0, checkTensors: true });
    const context = await model.createContext({ contextSize: 64, sequences: 1, threads: 1 });
    const sequence = context.getSequence();
    const first = model.tokens.bos ?? model.tokenize('a', false)[0] ?? model.tokens.eos;
    if (first === undefined || first === null) throw new Error('the vocabulary can’t express a letter');
    for await (const _ of sequence.evaluate([first], { temperature: 0, yieldEogToken: true })) break;
  } catch (error) {
    if (/unknown model architecture|unsupported|not supported/i.test(`${output} ${String(error)}`))
      throw new GraftError(
        'MODEL_UNSUPPORTED',
        `llama.cpp can’t serve a model of architecture ${JSON.stringify(description.architecture)}.`,
        { cause: error },
      );
    if (error instanceof InsufficientMemoryError || NO_MEMORY.test(`${output} ${String(error)}`))
      throw new GraftError('WORKER_CRASHED', 'There is too little memory to load the file.', {
        hint: 'Register it again when more memory is free.',
        cause: error,
      });
    throw new GraftError('MODEL_FILE_INVALID', 'llama.cpp refused to load the file.', { cause: error });
  } finally {
    await llama.dispose();
  }
  return description;
}
