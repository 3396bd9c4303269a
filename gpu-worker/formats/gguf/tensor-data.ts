import { closeSync, openSync, readSync } from 'node:fs';
import { dequantize } from './dequantize.js';
import { invalid, type GgufHeader, type GgufTensor } from './header.js';
import { tensorBytes } from './tensor-types.js';

/**
 * One tensor as 32-bit numbers, row-major: ggml's dimensions reversed, so a linear layer is [out, in].
 * @throws MODEL_FILE_INVALID when the file doesn't hold it whole, MODEL_UNSUPPORTED for an unknown block format
 */
export function readTensor(path: string, { tensors }: GgufHeader, name: string): Float32Array {
  const tensor = tensors.find((candidate) => candidate.name === name);
  if (tensor === undefined) throw invalid(`The file holds no tensor ${JSON.stringify(name)}.`);
  const elements = tensor.dimensions.reduce((product, size) => product * size, 1);
  return dequantize(tensor.type, readBlocks(path, tensor, elements), elements);
}

/** The bytes of a tensor as the file has them. @throws MODEL_FILE_INVALID when it doesn't hold them all */
export function readBlocks(path: string, { name, type, offset }: GgufTensor, elements: number): Buffer {
  const length = tensorBytes(type, elements);
  if (length === null) throw invalid(`Tensor ${JSON.stringify(name)} has an impossible shape.`);
  const bytes = Buffer.alloc(length);
  const file = openSync(path, 'r');
  try {
    for (let position = 0; position < length;) {
      const read = readSync(file, bytes, position, length - position, offset + position);
      if (read === 0) throw invalid(`The file is cut short inside tensor ${JSON.stringify(name)}.`);
      position += read;
    }
  } finally {
    closeSync(file);
  }
  return bytes;
}
