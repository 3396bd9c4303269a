import { GraftError } from '../../../src/kernel/errors.js';
import { bfloatToNumber, halfToNumber } from '../../../src/kernel/half.js';
import { tensorBytes, tensorTypeName } from './tensor-types.js';

/** Writes the numbers of one block, which begins at byte `start`, to `output` from index `to` on. */
type BlockReader = (bytes: Buffer, start: number, output: Float32Array, to: number) => void;

const half = (bytes: Buffer, start: number): number => halfToNumber(bytes.readUInt16LE(start));

/** Blocks of 32 whose numbers are `scale * q + offset`, q in 4 bits: the low halves of 16 bytes, then the high ones. */
const fourBits =
  (quants: number, minimumOf: (bytes: Buffer, start: number, scale: number) => number, fifth?: number): BlockReader =>
  (bytes, start, output, to) => {
    const scale = half(bytes, start);
    const offset = minimumOf(bytes, start, scale);
    const high = fifth === undefined ? 0 : bytes.readUInt32LE(start + fifth);
    for (let j = 0; j < 16; j++) {
      const q = bytes[start + quants + j]!;
      output[to + j] = scale * ((q & 15) | (((high >>> j) & 1) << 4)) + offset;
      output[to + j + 16] = scale * ((q >> 4) | (((high >>> (j + 16)) & 1) << 4)) + offset;
    }
  };

/** The 6-bit scale and minimum of sub-block `j` of a Q4_K or Q5_K block, packed into 12 bytes from `start` on. */
function scaleAndMinimum(bytes: Buffer, start: number, j: number): [scale: number, minimum: number] {
  const low = bytes[start + (j & 3)]!;
  const middle = bytes[start + 4 + (j & 3)]!;
  if (j < 4) return [low & 63, middle & 63];
  const last = bytes[start + 8 + (j & 3)]!;
  return [(last & 15) | ((low >> 6) << 4), (last >> 4) | ((middle >> 6) << 4)];
}

/** Q4_K and Q5_K: eight sub-blocks of 32 with a scale and a minimum each; `fifth` is where the fifth bits lie. */
const subBlocks =
  (quants: number, fifth?: number): BlockReader =>
  (bytes, start, output, to) => {
    const d = half(bytes, start);
    const minimumScale = half(bytes, start + 2);
    for (let j = 0; j < 8; j++) {
      const [scale, minimum] = scaleAndMinimum(bytes, start + 4, j);
      for (let l = 0; l < 32; l++) {
        const q = bytes[start + quants + 32 * (j >> 1) + l]!;
        const high = fifth === undefined ? 0 : (bytes[start + fifth + l]! >> j) & 1;
        output[to + 32 * j + l] = d * scale * ((j & 1 ? q >> 4 : q & 15) | (high << 4)) - minimumScale * minimum;
      }
    }
  };

/** The sixteen groups of 16 in Q2_K and Q3_K: where each number's byte lies, and how far its two bits are shifted. */
const twoBits = (bytes: Buffer, quants: number, group: number, l: number): number =>
  (bytes[quants + 32 * (group >> 3) + 16 * (group & 1) + l]! >> (2 * ((group >> 1) & 3))) & 3;

/** ggml's block formats (ggml-common.h, `dequantize_row_*` in ggml-quants.c). */
const READERS: Readonly<Record<string, BlockReader>> = {
  F32: (bytes, start, output, to) => void (output[to] = bytes.readFloatLE(start)),
  F16: (bytes, start, output, to) => void (output[to] = half(bytes, start)),
  BF16: (bytes, start, output, to) => void (output[to] = bfloatToNumber(bytes.readUInt16LE(start))),
  Q4_0: fourBits(2, (_bytes, _at, scale) => -8 * scale),
  Q4_1: fourBits(4, (bytes, start) => half(bytes, start + 2)),
  Q5_0: fourBits(6, (_bytes, _at, scale) => -16 * scale, 2),
  Q5_1: fourBits(8, (bytes, start) => half(bytes, start + 2), 4),
  Q8_0: (bytes, start, output, to) => {
    const scale = half(bytes, start);
    for (let j = 0; j < 32; j++) output[to + j] = scale * bytes.readInt8(start + 2 + j);
  },
  Q2_K: (bytes, start, output, to) => {
    const d = half(bytes, start + 80);
    const minimumScale = half(bytes, start + 82);
    for (let group = 0; group < 16; group++) {
      const packed = bytes[start + group]!;
      for (let l = 0; l < 16; l++)
        output[to + 16 * group + l] =
          d * (packed & 15) * twoBits(bytes, start + 16, group, l) - minimumScale * (packed >> 4);
    }
  },
  Q3_K: (bytes, start, output, to) => {
    const d = half(bytes, start + 108);
    for (let group = 0; group < 16; group++) {
      const low = bytes[start + 96 + (group & 7)]!;
      const high = (bytes[start + 104 + (group & 3)]! >> (2 * (group >> 2))) & 3;
      const scale = d * (((group < 8 ? low & 15 : low >> 4) | (high << 4)) - 32);
      for (let l = 0; l < 16; l++) {
        const third = (bytes[start + 16 * (group & 1) + l]! >> (group >> 1)) & 1;
        output[to + 16 * group + l] = scale * (twoBits(bytes, start + 32, group, l) - (third ? 0 : 4));
      }
    }
  },
  Q4_K: subBlocks(16),
  Q5_K: subBlocks(48, 16),
  Q6_K: (bytes, start, output, to) => {
    const d = half(bytes, start + 208);
    for (let group = 0; group < 16; group++) {
      const scale = d * bytes.readInt8(start + 192 + group);
      const second = group >> 3;
      for (let l = 0; l < 16; l++) {
        const inHalf = 16 * (group & 7) + l;
        const low = bytes[start + 64 * second + (inHalf & 63)]!;
        const high = (bytes[start + 128 + 32 * second + (inHalf & 31)]! >> (2 * (inHalf >> 5))) & 3;
        output[to + 16 * group + l] = scale * (((inHalf < 64 ? low & 15 : low >> 4) | (high << 4)) - 32);
      }
    }
  },
};

/**
 * The numbers of a tensor's blocks.
 * @param type ggml's number of the type
 * @param bytes whole blocks
 * @throws MODEL_UNSUPPORTED for a type whose blocks it can't read
 */
export function dequantize(type: number, bytes: Buffer, elements: number): Float32Array {
  const name = tensorTypeName(type) ?? String(type);
  const read = READERS[name];
  if (read === undefined)
    throw new GraftError('MODEL_UNSUPPORTED', `Weights of type ${name} can’t be read for training.`, {
      hint: `Use a variant of the model of type ${Object.keys(READERS).join(', ')}.`,
    });
  const numbers = new Float32Array(elements);
  const blockElements = /_K$/.test(name) ? 256 : /^Q/.test(name) ? 32 : 1;
  const blockBytes = tensorBytes(type, blockElements)!;
  for (let block = 0; block * blockElements < elements; block++)
    read(bytes, block * blockBytes, numbers, block * blockElements);
  return numbers;
}
