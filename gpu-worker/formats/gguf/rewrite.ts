import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { encodeNumbers } from '../../../src/kernel/half.js';
import { GgufBytes, type GgufField } from './encode.js';
import { invalid, type GgufHeader, type GgufTensor } from './header.js';
import { readBlocks } from './tensor-data.js';
import { tensorBytes } from './tensor-types.js';

/** ggml's numbers of the types that tensors can be replaced in. */
const TYPES = { F32: 0, F16: 1 } as const;
export type PlainType = keyof typeof TYPES;

interface Rewrite {
  /** Entries of the metadata that are added, or stand in place of one of that key; null leaves the key out. */
  metadata: Readonly<Record<string, GgufField | null>>;
  /** Tensors that get other numbers, and the type that these are written in. */
  types: ReadonlyMap<string, PlainType>;
  /** The numbers of a tensor of `types`, in ggml's order; asked for one after the other. */
  numbers(tensor: GgufTensor): Promise<Float32Array>;
}

/**
 * Writes a copy of a GGUF file with some tensors replaced: whatever else it holds stays byte for byte, in its order. One tensor at a
 * time is in memory.
 * @returns size and SHA-256 of the copy
 * @throws MODEL_FILE_INVALID when the file doesn't hold a tensor whole, and what writing throws
 */
export async function rewriteGguf(
  path: string,
  { tensors, places, alignment }: GgufHeader,
  target: string,
  { metadata, types, numbers }: Rewrite,
): Promise<{ bytes: number; sha256: string }> {
  const aligned = (length: number): number => Math.ceil(length / alignment) * alignment;
  const sized = tensors.map((tensor) => {
    const elements = tensor.dimensions.reduce((product, size) => product * size, 1);
    const plain = types.get(tensor.name);
    const type = plain === undefined ? tensor.type : TYPES[plain];
    const length = tensorBytes(type, elements);
    if (length === null) throw invalid(`Tensor ${JSON.stringify(tensor.name)} has an impossible shape.`);
    return { tensor, elements, plain, type, length };
  });
  const source = await open(path, 'r');
  const copy = await open(target, 'wx');
  const hash = createHash('sha256');
  let bytes = 0;
  const write = async (part: Buffer): Promise<void> => {
    await copy.writeFile(part);
    hash.update(part);
    bytes += part.length;
  };
  try {
    const keptPlaces = [...places].filter(([key]) => !Object.hasOwn(metadata, key));
    const added = Object.entries(metadata).filter((entry): entry is [string, GgufField] => entry[1] !== null);
    const head = new GgufBytes()
      .raw(Buffer.from('GGUF'))
      .u32(3)
      .u64(tensors.length)
      .u64(keptPlaces.length + added.length);
    for (const [, [from, to]] of keptPlaces) {
      const { buffer } = await source.read(Buffer.alloc(to - from), 0, to - from, from);
      head.raw(buffer);
    }
    for (const [key, field] of added) head.string(key).value(field);
    let offset = 0;
    for (const { tensor, type, length } of sized) {
      head.string(tensor.name).u32(tensor.dimensions.length);
      for (const size of tensor.dimensions) head.u64(size);
      head.u32(type).u64(offset);
      offset += aligned(length);
    }
    await write(head.align(alignment).done());
    for (const { tensor, elements, plain, length } of sized) {
      await write(
        plain === undefined ? readBlocks(path, tensor, elements) : encodeNumbers(await numbers(tensor), plain),
      );
      await write(Buffer.alloc(aligned(length) - length));
    }
    await copy.sync();
  } finally {
    await source.close();
    await copy.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}
