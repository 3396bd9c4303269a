import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { dequantize } from '../../../gpu-worker/formats/gguf/dequantize.js';
import { tensorBytes } from '../../../gpu-worker/formats/gguf/tensor-types.js';
import { isGraftError } from '../../../src/kernel/errors.js';
import { packageRoot } from '../../../src/platform/package-root.js';
import { itWhen } from '../../support/skip.js';

/** [ggml's number, name of its own reader, elements of a block, bytes at which a block holds a half-precision number] */
const FORMATS: [type: number, reader: string, elements: number, halves: number[]][] = [
  [2, 'q4_0', 32, [0]],
  [3, 'q4_1', 32, [0, 2]],
  [6, 'q5_0', 32, [0]],
  [7, 'q5_1', 32, [0, 2]],
  [8, 'q8_0', 32, [0]],
  [10, 'q2_K', 256, [80, 82]],
  [11, 'q3_K', 256, [108]],
  [12, 'q4_K', 256, [0, 2]],
  [13, 'q5_K', 256, [0, 2]],
  [14, 'q6_K', 256, [208]],
];

const platform = `${process.platform}-${process.arch}`;
const library = join(packageRoot(), `node_modules/@node-llama-cpp/${platform}/bins/${platform}/libggml-base.so`);

describe('dequantization', () => {
  itWhen(existsSync(library), 'no shared library of llama.cpp for this platform')(
    'reads every block format as llama.cpp does',
    async () => {
      const { default: koffi } = await import('koffi');
      const ggml = koffi.load(library);
      for (const [type, name, elements, halves] of FORMATS) {
        const read = ggml.func(`void dequantize_row_${name}(void *blocks, _Out_ float *numbers, int64_t count)`);
        const bytes = tensorBytes(type, elements)! * 2;
        fc.assert(
          fc.property(
            fc.uint8Array({ minLength: bytes, maxLength: bytes }),
            fc.array(fc.integer({ min: 0x1400, max: 0x4200 }), { minLength: 4, maxLength: 4 }),
            (random, scales) => {
              const blocks = Buffer.from(random);
              for (const block of [0, 1])
                halves.forEach((at, i) => blocks.writeUInt16LE(scales[2 * block + i]!, (block * bytes) / 2 + at));
              const expected = new Float32Array(2 * elements);
              read(blocks, expected, 2 * elements);
              const found = dequantize(type, blocks, 2 * elements);
              // Rounded to 32 bits once here, after each operation there.
              const largest = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
              found.forEach((x, i) => expect(Math.abs(x - expected[i]!)).toBeLessThanOrEqual(3e-7 * largest));
            },
          ),
          { numRuns: 30 },
        );
      }
    },
  );

  it('reads plain numbers of 32 and 16 bits', () => {
    const numbers = Float32Array.of(0, -0, 1, -1.5, 65_504, 2 ** -24, 3e38, NaN, Infinity);
    expect(dequantize(0, Buffer.from(numbers.buffer), 9)).toEqual(numbers);
    const halves = Uint16Array.of(0, 0x3c00, 0xbe00, 0x7bff, 0x0001, 0x7c00);
    expect([...dequantize(1, Buffer.from(halves.buffer), 6)]).toEqual([0, 1, -1.5, 65_504, 2 ** -24, Infinity]);
    const brain = Uint16Array.of(0, 0x3f80, 0xbfc0);
    expect([...dequantize(30, Buffer.from(brain.buffer), 3)]).toEqual([0, 1, -1.5]);
  });

  it('refuses a format that it has no reader for, by name', () => {
    const refusal = (): unknown => {
      try {
        return dequantize(39, Buffer.alloc(17), 32);
      } catch (error) {
        return isGraftError(error) && `${error.code} ${error.message}`;
      }
    };
    expect(refusal()).toBe('MODEL_UNSUPPORTED Weights of type MXFP4 can’t be read for training.');
  });
});
