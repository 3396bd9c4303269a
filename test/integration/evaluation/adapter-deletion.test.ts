import { DEFAULT_WORKSPACE_ID as workspaceId, newId } from '../../../src/kernel/ids.js';
import type { AdapterDeleter, AdapterExporter } from '../../../src/learn/training/index.js';
import { AdapterKit } from './adapter-kit.js';

// Starting real processes takes long where the cores are shared.
jest.setTimeout(300_000);

describe('the deletion of an adapter', () => {
  let kit: AdapterKit;
  let exporter: AdapterExporter;
  let deleter: AdapterDeleter;

  beforeAll(async () => {
    kit = await AdapterKit.start();
    ({ deleter, exporter } = kit.domains.training);
  });
  afterAll(() => kit.dispose());

  const remove = (adapter: string, version: number | null = null) =>
    deleter.delete(workspaceId, { adapter, version, force: false, by: 'op', reason: 'gone' });
  const exported = async (adapter: string) => {
    const run = await exporter.start(workspaceId, { adapter, version: 1, idempotencyKey: newId() });
    return kit.models.ended(run);
  };
  const evaluated = async (adapterVersionId: string, againstVersionId: string | null = null): Promise<string> => {
    const { id } = await kit.models.database.prisma.evaluation.create({
      data: {
        id: newId(),
        workspaceId,
        adapterVersionId,
        variantId: kit.variant.variantId,
        compared: true,
        againstVersionId,
        datasetVersionId: newId(),
        split: 'TEST',
        scale: 1,
        rows: 1,
        answers: { create: { position: 0, ordinal: 0, input: 'a', expected: 'b', answer: 'c', score: 0 } },
      },
    });
    return id;
  };

  it('takes its files, exports, evaluations and vectors with it, and leaves those of others', async () => {
    const { prisma } = kit.models.database;
    const [gone, stays] = [await kit.add({ name: 'gone', seed: 1 }), await kit.add({ name: 'stays', seed: 2 })];
    const [sample, index] = [
      {
        embedderDigest: 'e',
        dimensions: 1,
        classes: 2,
        vectors: new Uint8Array(4),
        weights: new Uint8Array(16),
        ordinals: [0],
      },
      newId(),
    ];
    await prisma.labelIndex.create({
      data: { id: index, workspaceId, datasetVersionId: newId(), embedderDigest: 'e', rows: 1 },
    });
    for (const { id } of [gone, stays]) {
      await prisma.adapterSample.create({ data: { workspaceId, adapterVersionId: id, ...sample } });
      await prisma.labelBlend.create({ data: { labelIndexId: index, adapterVersionId: id, weights: {} } });
    }
    await evaluated(gone.id);
    const kept = [await evaluated(stays.id, gone.id)];
    expect((await exported('gone')).status).toBe('SUCCEEDED');
    expect((await exported('stays')).status).toBe('SUCCEEDED');

    const { versions, erasure } = await remove('gone');
    expect(versions).toEqual([1]);
    expect(erasure).toMatchObject({ complete: true, keptFiles: [] });
    expect(Object.fromEntries(erasure.records.map(({ holder, count }) => [holder, count]))).toMatchObject({
      evaluations: 1,
      'samples of the router': 1,
      'weights beside labelled rows': 1,
    });
    expect([...erasure.deletedFiles].sort()).toEqual([
      'adapter.gguf',
      'adapter_config.json',
      'adapter_model.safetensors',
      'gone-v1.zip',
    ]);
    expect((await prisma.evaluation.findMany()).map(({ id }) => id)).toEqual(kept);
    expect(await prisma.evaluationRow.count()).toBe(1);
    expect((await prisma.adapterSample.findMany()).map((each) => each.adapterVersionId)).toEqual([stays.id]);
    expect((await prisma.labelBlend.findMany()).map((each) => each.adapterVersionId)).toEqual([stays.id]);
    // Both have the same configuration, byte for byte: the other one can still be packed.
    expect((await exported('stays')).status).toBe('SUCCEEDED');
    const { files, artifacts } = kit.models;
    expect(await files.find(workspaceId, { ids: [gone.ggufFileId, gone.weightsFileId, gone.configFileId] })).toEqual(
      [],
    );
    expect(await artifacts.has(gone.ggufSha256)).toBe(false);
    expect(await artifacts.has(gone.digest)).toBe(false);
  });

  it('ends the runs about it that wait, and leaves nothing of one that works', async () => {
    await kit.add({ name: 'busy', seed: 3 });
    const waiting = await Promise.all(
      Array.from({ length: 5 }, () =>
        exporter.start(workspaceId, { adapter: 'busy', version: 1, idempotencyKey: newId() }),
      ),
    );
    await remove('busy');
    const ended = await Promise.all(waiting.map((run) => kit.models.ended(run)));
    expect(ended.map(({ status }) => status)).not.toContain('RUNNING');
    const left = await kit.models.database.prisma.storedFile.findMany({ where: { name: 'busy-v1.zip' } });
    expect(left).toEqual([]);
  });

  it('keeps the file of which a model was registered, and says so', async () => {
    const { models } = kit;
    const version = await kit.add({ name: 'merged', seed: 4 });
    const [file] = await models.files.find(workspaceId, { digests: [kit.variant.sha256] });
    await models.database.prisma.run.create({
      data: {
        id: newId(),
        workspaceId,
        kind: 'ADAPTER_MERGE',
        status: 'SUCCEEDED',
        subjectId: version.id,
        input: {},
        inputDigest: '',
        finishedAt: new Date(),
        output: {
          fileId: file!.id,
          modules: 1,
          parity: { places: 1, meanKl: 0, klStandardError: 0, topAgreement: 1, effectKl: 1 },
        },
      },
    });
    const { erasure } = await remove('merged');
    expect(erasure.keptFiles).toMatchObject([{ fileId: file!.id }]);
    expect(erasure.deletedFiles).toHaveLength(3);
  });
});
