import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { fromPairs, toGgufLora, toPairs } from '../../../gpu-worker/engines/training/model/adapter-files.js';
import { fromInterleaved, toInterleaved } from '../../../gpu-worker/engines/training/model/rotary-order.js';
import { readGgufHeader } from '../../../gpu-worker/formats/gguf/header.js';
import { readTensor } from '../../../gpu-worker/formats/gguf/tensor-data.js';
import { decodePeftAdapter, readPeftAdapter, writePeftAdapter } from '../../../gpu-worker/formats/peft/peft-adapter.js';
import { decodeSafetensors, encodeSafetensors, openSafetensors } from '../../../src/kernel/safetensors.js';
import { isGraftError } from '../../../src/kernel/errors.js';
import { Bench, LORA } from './support.js';

describe('the files of an adapter', () => {
  const folder = mkdtempSync(join(tmpdir(), 'graft-adapter-'));
  const bench = new Bench({ architecture: 'llama', seed: 5 });
  const flat = bench.adapter(3);
  const adapter = {
    baseModel: 'tiny',
    rank: LORA.rank,
    alpha: LORA.alpha,
    pairs: toPairs(flat, bench.config, LORA),
  };
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await bench.dispose();
  });

  it('give back from PEFT’s form what was written', async () => {
    const path = join(folder, 'peft');
    await writePeftAdapter(path, adapter);
    const found = await readPeftAdapter(path);
    const { flat: again, lora } = fromPairs(found, bench.config);
    expect(lora).toEqual(LORA);
    expect(again).toEqual(flat);
  });

  it('hold in GGUF the same numbers, rows of q in the order of the model’s file', () => {
    const path = join(folder, 'adapter.gguf');
    writeFileSync(path, toGgufLora(adapter, bench.config));
    const header = readGgufHeader(path);
    expect(header.metadata.get('adapter.lora.alpha')).toBe(LORA.alpha);
    expect(header.tensors).toHaveLength(2 * 7 * bench.config.layers);
    const [q] = adapter.pairs;
    expect(readTensor(path, header, 'blk.0.attn_q.weight.lora_a')).toEqual(Float32Array.from(q!.a));
    const rows = readTensor(path, header, 'blk.0.attn_q.weight.lora_b');
    expect(rows).not.toEqual(Float32Array.from(q!.b));
    expect(fromInterleaved(rows, LORA.rank, bench.config.headSize)).toEqual(Float32Array.from(q!.b));
  });

  it('keep the order of rows over both reorderings', () => {
    const sizes = fc.tuple(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 4 }),
    );
    fc.assert(
      fc.property(sizes, ([width, heads, half]) => {
        const rows = Float32Array.from({ length: heads * 2 * half * width }, (_, index) => index);
        expect(fromInterleaved(toInterleaved(rows, width, 2 * half), width, 2 * half)).toEqual(rows);
      }),
    );
  });

  it.each([
    ['DoRA', { use_dora: true }],
    ['trained biases', { bias: 'all' }],
    ['another kind of adapter', { peft_type: 'PREFIX_TUNING' }],
    ['whole layers', { modules_to_save: ['lm_head'] }],
    ['a scale of its own', { use_rslora: true }],
    ['tokens from which on it acts', { alora_invocation_tokens: [1, 2] }],
    ['biases of its own', { lora_bias: true }],
  ])('are refused when they hold %s, which would otherwise be passed over', async (_, change) => {
    const path = join(folder, 'refused');
    await writePeftAdapter(path, adapter);
    const config = join(path, 'adapter_config.json');
    writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config, 'utf8')), ...change }));
    await expect(readPeftAdapter(path)).rejects.toMatchObject({ code: 'ADAPTER_KIND_UNSUPPORTED' });
  });

  it.each(['pissa', 'pissa_niter_16', 'olora', 'corda', 'loftq'])(
    'of %s are refused: they fit other base weights',
    (init) => {
      const weights = encodeSafetensors({ metadata: {}, tensors: new Map() });
      const config = (init_lora_weights: unknown) =>
        Buffer.from(JSON.stringify({ peft_type: 'LORA', r: 2, lora_alpha: 2, init_lora_weights }));
      const outcome = (how: unknown): unknown => {
        try {
          return decodePeftAdapter(config(how), weights);
        } catch (error) {
          return error;
        }
      };
      expect(outcome(init)).toMatchObject({
        code: 'ADAPTER_KIND_UNSUPPORTED',
        hint: expect.stringContaining('path_initial_model_for_weight_conversion') as string,
      });
      for (const plain of [true, false, null, undefined, 'gaussian', 'eva', 'orthogonal'])
        expect(outcome(plain)).toMatchObject({ message: expect.stringContaining('changes no layer') as string });
    },
  );

  /** A file of this header and so many bytes of numbers. */
  function withHeader(header: unknown, bytes: number): Buffer {
    const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    return Buffer.concat([length, json, Buffer.alloc(bytes)]);
  }
  const floats = (from: number, to: number) => ({
    dtype: 'F32',
    shape: [(to - from) / 4],
    data_offsets: [from, to],
  });

  it.each([
    ['overlap', { a: floats(0, 8), b: floats(4, 12) }, 12, /overlaps/],
    ['are one and the same', { a: floats(0, 8), b: floats(0, 8) }, 8, /overlaps/],
    ['lie in one another', { a: floats(0, 16), b: floats(4, 8) }, 16, /overlaps/],
    ['leave a gap', { a: floats(0, 8), b: floats(12, 16) }, 16, /gap/],
    ['leave the beginning', { a: floats(4, 8) }, 8, /gap/],
    ['leave the end', { a: floats(0, 4) }, 8, /bytes follow/],
    ['reach beyond the end', { a: floats(0, 8) }, 4, /cut short/],
    ['end before they begin', { a: { dtype: 'F32', shape: [0], data_offsets: [8, 4] } }, 8, /impossible|fit/],
    ['have more elements than can be counted', { a: { ...floats(0, 8), shape: [2 ** 30, 2 ** 30] } }, 8, /fit/],
    ['are of another type', { a: { ...floats(0, 8), dtype: 'I32' } }, 8, /type/],
    ['have no text for metadata', { __metadata__: { format: 1 }, a: floats(0, 8) }, 8, /metadata/],
    ['are brackets', '['.repeat(1_000_000), 0, /form/],
    ['hold brackets', `{"a":${'['.repeat(500_000)}${']'.repeat(500_000)}}`, 0, /form/],
    ['are of more values than any adapter has', `[${'0,'.repeat(2_100_000)}0]`, 0, /form/],
  ])('are refused when tensors %s', (_, header, bytes, message) => {
    expect(() => openSafetensors(withHeader(header, bytes))).toThrow(
      expect.objectContaining({ code: 'ADAPTER_DAMAGED', message: expect.stringMatching(message) }),
    );
  });

  it('take tensors in any order of their names, and empty ones', () => {
    const header = { b: floats(4, 12), empty: floats(4, 4), a: floats(0, 4) };
    const { tensors } = openSafetensors(withHeader(header, 12));
    expect([...tensors].map(([name, { shape, read }]) => [name, shape, read().length])).toEqual([
      ['b', [2], 2],
      ['empty', [0], 0],
      ['a', [1], 1],
    ]);
  });

  it('have their names and shapes looked at before any of their numbers', () => {
    const path = join(folder, 'peft');
    const bytes = readFileSync(join(path, 'adapter_model.safetensors'));
    bytes.fill(0xff, bytes.length - 64);
    const seen: string[] = [];
    expect(() =>
      decodePeftAdapter(readFileSync(join(path, 'adapter_config.json')), bytes, ({ pairs }) => {
        seen.push(...pairs.map(({ layer, target, inputs, outputs }) => `${layer} ${target} ${inputs} ${outputs}`));
      }),
    ).toThrow(expect.objectContaining({ code: 'ADAPTER_NOT_FINITE' }));
    expect(seen).toHaveLength(7 * bench.config.layers);
    expect(seen).toContain('0 q_proj 64 64');
  });

  it('are no pickle because of how long their header is', () => {
    const name = (factor: string) => `base_model.model.model.layers.0.self_attn.q_proj.lora_${factor}.weight`;
    const tensors = new Map(
      ['A', 'B'].map((factor) => [name(factor), { shape: [2, 2], data: Float32Array.of(0.1, 0.2, 0.3, 0.4) }]),
    );
    const config = Buffer.from(JSON.stringify({ peft_type: 'LORA', r: 2, lora_alpha: 2 }));
    const padded = (padding: string) => encodeSafetensors({ metadata: { x: padding }, tensors });
    const least = Number(padded('').readBigUInt64LE());
    const weights = padded('y'.repeat(0x01_02_80 - least));
    expect([...weights.subarray(0, 3)]).toEqual([0x80, 2, 1]);
    expect(decodePeftAdapter(config, weights).pairs).toHaveLength(1);
    const pickle = Buffer.concat([Buffer.from([0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46]), Buffer.alloc(100)]);
    expect(() => decodePeftAdapter(config, pickle)).toThrow(
      expect.objectContaining({ code: 'ADAPTER_PICKLED' }) as Error,
    );
  });

  it('are refused whatever bytes stand in the header of the weights', () => {
    const whole = encodeSafetensors({
      metadata: { format: 'pt' },
      tensors: new Map([['a', { shape: [2, 3], data: Float32Array.from([1, 2, 3, 4, 5, 6]) }]]),
    });
    expect(decodeSafetensors(whole).tensors.get('a')!.data).toHaveLength(6);
    const flips = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 5 });
    fc.assert(
      fc.property(flips, fc.nat(whole.length), (changes, length) => {
        const bytes = Buffer.from(whole.subarray(0, length));
        for (const [at, value] of changes) if (at < length) bytes[at] = value;
        try {
          decodeSafetensors(bytes);
        } catch (error) {
          expect(isGraftError(error, 'ADAPTER_DAMAGED')).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});
