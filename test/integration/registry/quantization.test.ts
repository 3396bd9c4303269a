import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFAULT_WORKSPACE_ID, newId } from '../../../src/kernel/ids.js';
import type { QuantizationType } from '../../../src/worker-protocol/index.js';
import { itWhen } from '../../support/skip.js';
import { canMount, mountSmallDisk } from '../../support/small-disk.js';
import { tinyModel } from '../../support/tiny-model.js';
import { sharedWorker, type TestWorker } from '../../support/worker.js';
import { RegistryKit } from './registry-kit.js';

// Starting real processes takes long where the cores are shared.
jest.setTimeout(240_000);

const WORKSPACE = DEFAULT_WORKSPACE_ID;

describe('quantization', () => {
  let worker: TestWorker;
  let kit: RegistryKit;
  beforeAll(async () => {
    worker = await sharedWorker();
  });
  afterAll(() => worker.dispose());
  beforeEach(async () => {
    kit = await RegistryKit.start(worker.client);
  });
  afterEach(() => kit.dispose());

  const register = async (content: Buffer, name = 'tiny'): Promise<void> => {
    const file = await kit.upload(WORKSPACE, `${name}.gguf`, content);
    const run = await kit.registry.register(WORKSPACE, { fileId: file.id as never, name, idempotencyKey: newId() });
    expect(await kit.ended(run)).toMatchObject({ status: 'SUCCEEDED' });
  };
  const quantize = async (model: string, type: QuantizationType, idempotencyKey: string = newId()) =>
    kit.ended(await kit.quantizer.start(WORKSPACE, { model, type, idempotencyKey }), 200_000);
  const variants = async () => {
    const model = await kit.registry.modelByName(WORKSPACE, 'tiny');
    return (await kit.registry.variantsOf(WORKSPACE, [model!.id]))[0]!;
  };

  it('stores a model in a smaller type, measures it, and recommends by what was measured', async () => {
    await register(tinyModel({ fileType: 0 }));
    const run = await quantize('tiny', 'Q8_0');
    expect(run).toMatchObject({ status: 'SUCCEEDED', kind: 'QUANTIZATION', errorMessage: null });
    const [source, made] = await variants();
    expect(made).toMatchObject({ quantization: 'Q8_0', sourceId: source!.id });
    expect(run.output).toEqual({ variantId: made!.id });
    expect(Number(source!.bytes) / Number(made!.bytes)).toBeGreaterThan(3);
    const measured = made!.measurement as Record<string, number> & { machine: string; referenceVariantId: string };
    expect(measured.referenceVariantId).toBe(source!.id);
    expect(measured.places).toBeGreaterThan(300);
    expect(measured.meanKl).toBeGreaterThan(0);
    expect(measured.meanKl).toBeLessThan(0.05);
    expect(measured.topAgreement).toBeGreaterThan(0.8);
    expect(measured.perplexity! / measured.referencePerplexity!).toBeCloseTo(1, 1);
    // It is a variant like any other.
    expect((await kit.registry.resolve(WORKSPACE, 'tiny@Q8_0')).variantId).toBe(made!.id);
    // A bound that nothing meets leaves the reference, and one that all meet can't be slower than it.
    expect(await kit.quantizer.recommend(WORKSPACE, 'tiny', 0)).toEqual({
      variantId: source!.id,
      speedup: 1,
      meanKl: 0,
    });
    expect((await kit.quantizer.recommend(WORKSPACE, 'tiny', 1)).speedup).toBeGreaterThanOrEqual(1);
    expect(await readdir(join(kit.folder, 'quantizing'))).toEqual([]);

    // The same again, and the next smaller one, held against the same reference.
    expect(await quantize('tiny@F32', 'Q8_0')).toMatchObject({ status: 'SUCCEEDED', output: run.output });
    await quantize('tiny@Q8_0', 'Q4_0');
    const [, , smallest] = await variants();
    expect(smallest).toMatchObject({ quantization: 'Q4_0', sourceId: made!.id });
    expect(smallest!.measurement).toMatchObject({ referenceVariantId: source!.id });
  });

  it('is one run for two starts with one key', async () => {
    await register(tinyModel({ fileType: 0 }));
    const input = { model: 'tiny', type: 'Q4_0', idempotencyKey: 'once' } as const;
    const [first, second] = await Promise.all([
      kit.quantizer.start(WORKSPACE, input),
      kit.quantizer.start(WORKSPACE, input),
    ]);
    expect(second.id).toBe(first.id);
    await expect(kit.quantizer.start(WORKSPACE, { ...input, type: 'Q8_0' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
    expect(await kit.ended(first, 200_000)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await variants()).toHaveLength(2);
  });

  it('refuses what would bring nothing back, and says what would', async () => {
    await register(tinyModel({ fileType: 2 }));
    const started = kit.quantizer.start(WORKSPACE, { model: 'tiny', type: 'Q8_0', idempotencyKey: 'a' });
    await expect(started).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'input.type',
      message: expect.stringContaining('stored as Q4_0'),
      hint: expect.stringContaining('higher precision'),
    });
    await expect(kit.quantizer.recommend(WORKSPACE, 'tiny', -1)).rejects.toMatchObject({ field: 'maxKl' });
    await expect(kit.quantizer.recommend(WORKSPACE, 'none', 1)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(
      kit.quantizer.start(WORKSPACE, { model: 'none', type: 'Q8_0', idempotencyKey: 'b' }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('ends with an error when the source was damaged, and keeps nothing', async () => {
    const model = tinyModel({ fileType: 0 });
    await register(model);
    const [source] = await variants();
    const damaged = Buffer.from(model);
    damaged.writeUInt8(damaged.readUInt8(damaged.length - 1) ^ 1, damaged.length - 1);
    // It was verified once in this process; what is read later is hashed by the worker.
    await kit.registry.resolve(WORKSPACE, 'tiny');
    await writeFile(await kit.artifacts.local(source!.sha256), damaged);
    const run = await kit.quantizer.start(WORKSPACE, { model: 'tiny', type: 'Q4_0', idempotencyKey: 'a' });
    expect(await kit.ended(run)).toMatchObject({ status: 'FAILED', errorCode: 'MODEL_DIGEST_MISMATCH' });
    expect(await variants()).toHaveLength(1);
    expect(await readdir(join(kit.folder, 'quantizing'))).toEqual([]);
  });

  itWhen(canMount(), 'a small file system can’t be mounted here')(
    'ends with an error when the disk is full, and keeps nothing',
    async () => {
      const folder = join(kit.folder, 'quantizing');
      const unmount = mountSmallDisk(folder, 64);
      try {
        await register(tinyModel({ fileType: 0 }));
        const run = await quantize('tiny', 'Q8_0');
        expect(run).toMatchObject({ status: 'FAILED', errorCode: 'STORAGE_FAILED' });
        expect(run.errorMessage).toContain('disk is full');
        expect(await variants()).toHaveLength(1);
        expect(await readdir(folder)).toEqual([]);
      } finally {
        unmount();
      }
    },
  );
});
