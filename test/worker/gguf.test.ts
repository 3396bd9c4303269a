import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describeGguf } from '../../gpu-worker/formats/gguf/describe.js';
import { readGgufHeader } from '../../gpu-worker/formats/gguf/header.js';
import { tensorBytes } from '../../gpu-worker/formats/gguf/tensor-types.js';
import { isGraftError } from '../../src/kernel/errors.js';
import { tinyModel } from '../support/tiny-model.js';

const folder = mkdtempSync(join(tmpdir(), 'graft-gguf-'));
const path = join(folder, 'model.gguf');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Describes these bytes, or gives the code of the refusal; anything else that is thrown fails the test. */
function outcome(bytes: Uint8Array): string {
  writeFileSync(path, bytes);
  try {
    describeGguf(path);
    return 'described';
  } catch (error) {
    if (isGraftError(error)) return error.code;
    throw error;
  }
}

describe('GGUF header', () => {
  const whole = tinyModel();
  const REFUSALS = ['MODEL_FILE_INVALID', 'MODEL_UNSUPPORTED'];

  it('reads metadata and tensors', () => {
    writeFileSync(path, whole);
    const { metadata, tensors, fileBytes } = readGgufHeader(path);
    expect(metadata.get('general.name')).toBe('Tiny');
    expect(metadata.get('tokenizer.ggml.add_bos_token')).toBe(false);
    expect(tensors[0]).toMatchObject({ name: 'token_embd.weight', dimensions: [64, 274], type: 0 });
    const ends = tensors.map(({ dimensions, offset }) => offset + 4 * dimensions.reduce((a, b) => a * b, 1));
    expect(Math.max(...ends)).toBe(fileBytes);
  });

  it.each([
    ['what the file says it was quantized as, whatever most weights are', 15, 'Q4_K_M'],
    ['what llama.cpp guessed', 1_024 + 18, 'Q6_K'],
    ['the type of most weights where the file says nothing', undefined, 'F32'],
    ['the type of most weights where nobody knows the number', 999, 'F32'],
  ])('describes the quantization as %s', (_, fileType, quantization) => {
    writeFileSync(path, tinyModel(fileType === undefined ? {} : { fileType }));
    expect(describeGguf(path).quantization).toBe(quantization);
  });

  it('refuses every file that is cut short', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (length) => {
        expect(outcome(whole.subarray(0, length))).toBe('MODEL_FILE_INVALID');
      }),
    );
  });

  it('refuses or describes a header with any bytes in it, and never loops, crashes or takes the memory', () => {
    const flips = fc.array(fc.tuple(fc.nat(6_000), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(flips, (changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        expect(['described', ...REFUSALS]).toContain(outcome(bytes));
      }),
      { numRuns: 500 },
    );
    const lengths = fc.record({ at: fc.nat(6_000), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) });
    fc.assert(
      fc.property(lengths, ({ at, value }) => {
        const bytes = Buffer.from(whole);
        bytes.writeBigUInt64LE(value, at);
        expect(['described', ...REFUSALS]).toContain(outcome(bytes));
      }),
      { numRuns: 500 },
    );
  });

  it('refuses what is no GGUF at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => expect(outcome(bytes)).toBe('MODEL_FILE_INVALID')),
    );
    expect(outcome(Buffer.concat([Buffer.from('GGUF'), Buffer.alloc(100)]))).toBe('MODEL_FILE_INVALID');
  });

  it('knows the size of quantized tensors', () => {
    expect(tensorBytes(3, 64)).toBe(40); // Q4_1: blocks of 32 in 20 bytes
    expect(tensorBytes(3, 33)).toBeNull();
    expect(tensorBytes(999, 32)).toBeNull();
  });
});
