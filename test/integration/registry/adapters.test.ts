import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { Erasure } from '../../../src/platform/erasure/index.js';
import { GraftError } from '../../../src/kernel/errors.js';
import { sha256 } from '../../../src/kernel/hashing.js';
import { DEFAULT_WORKSPACE_ID as workspaceId, newId } from '../../../src/kernel/ids.js';
import type { AdapterUsage, AdapterVersionRow } from '../../../src/sources/registry/adapters/adapter.js';
import { AdapterRegistry } from '../../../src/sources/registry/adapters/adapter-registry.js';
import { AdapterStore } from '../../../src/sources/registry/adapters/adapter-store.js';
import { FileService, LocalArtifactStore } from '../../../src/platform/artifacts/index.js';
import { PROOF } from '../../support/attestation.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.js';

const USAGE: AdapterUsage = { v: 1, rendering: 1, labels: [], languages: null, reads: false, answer: { form: 'text' } };

describe('adapters', () => {
  let database: TestDatabase;
  let folder: TemporaryFolder;
  let registry: AdapterRegistry;
  let files: FileService;
  let erasure: Erasure;
  let model: { modelId: string; variantId: string };

  beforeAll(async () => {
    database = await testDatabase();
    folder = await temporaryFolder();
    files = new FileService(database, new LocalArtifactStore(folder.path));
    erasure = new Erasure(files);
    registry = new AdapterRegistry({ store: new AdapterStore(database), files, erasure });
    model = await someModel(database);
  });

  afterAll(async () => {
    await database.dispose();
    await folder.remove();
  });

  const stored = (bytes: Uint8Array) =>
    files.store(workspaceId, {
      name: 'adapter.gguf',
      mediaType: 'application/octet-stream',
      source: Readable.from([bytes]),
      maxBytes: 1_000,
    });

  async function addVersion(name: string): Promise<AdapterVersionRow> {
    const [weights, config, gguf] = [
      await stored(randomBytes(64)),
      await stored(randomBytes(64)),
      await stored(randomBytes(64)),
    ];
    const added = await registry.add(
      workspaceId,
      { name, task: 'CLASSIFICATION', modelId: model.modelId, description: '' },
      {
        digest: weights.sha256,
        weightsFileId: weights.id,
        configFileId: config.id,
        ggufFileId: gguf.id,
        ggufSha256: gguf.sha256,
        bytes: 64,
        rank: 16,
        alpha: 32,
        targets: ['q_proj'],
        variantId: model.variantId,
        usage: USAGE,
        origin: 'TRAINED',
      },
    );
    await registry.attest(added, PROOF);
    return added;
  }

  const promote = (adapter: string, version: number) =>
    registry.promote(workspaceId, { adapter, version, alias: 'production', by: 'op', reason: 'better', evidence: {} });

  it('numbers versions without gaps, whoever adds them at once', async () => {
    const added = await Promise.all(Array.from({ length: 6 }, () => addVersion('numbered')));
    expect(added.map(({ version }) => version).sort()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('keeps no proof of a version at another scale than it acts with', async () => {
    const version = await addVersion('rescaled');
    const proof = async () => (await registry.store.versionsById(workspaceId, [version.id]))[0]!.attestation;
    expect(await proof()).not.toBeNull();
    await registry.rescale(version, 0.5, {});
    await expect(registry.attest(version, PROOF)).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await proof()).toBeNull();
    await registry.attest({ ...version, scale: 0.5 }, PROOF);
    expect(await proof()).not.toBeNull();
    await expect(registry.attest({ id: newId(), scale: 1 }, PROOF)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('keeps the scale of a version once an alias has named it: a rollback puts back what has answered', async () => {
    const [first, second, never] = [await addVersion('kept'), await addVersion('kept'), await addVersion('kept')];
    const scale = async (id: string) => (await registry.store.versionsById(workspaceId, [id]))[0]!.scale;
    await promote('kept', first.version);
    await promote('kept', second.version);
    for (const version of [first, second])
      await expect(registry.rescale(version, 0.5, {})).rejects.toMatchObject({
        code: 'CONFLICT',
        hint: expect.stringMatching(/parent/) as string,
      });
    await registry.rescale(never, 0.5, {});
    await registry.rollback(workspaceId, { name: 'kept', alias: 'production', by: 'op', reason: 'worse' });
    await expect(registry.rescale(second, 0.5, {})).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await Promise.all([first, second, never].map(({ id }) => scale(id)))).toEqual([1, 1, 0.5]);
    const { attestation } = (await registry.store.versionsById(workspaceId, [first.id]))[0]!;
    expect(attestation).not.toBeNull();
  });

  it('promotes nothing that is given another scale meanwhile', async () => {
    const version = await addVersion('meanwhile');
    registry.servedBy(async ({ adapter }) => {
      if (adapter.name === 'meanwhile') await registry.rescale(version, 0.5, {});
    });
    await expect(promote('meanwhile', version.version)).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(registry.resolve(workspaceId, 'meanwhile')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('resolves a name to its production version, an alias and a number to theirs', async () => {
    const first = await addVersion('resolved');
    await expect(registry.resolve(workspaceId, 'resolved')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await promote('resolved', first.version);
    expect(await registry.resolve(workspaceId, 'resolved')).toMatchObject({ versionId: first.id, version: 1 });
    expect(await registry.resolve(workspaceId, 'resolved@1')).toMatchObject({ versionId: first.id });
    await expect(registry.resolve(workspaceId, 'resolved@candidate')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(registry.resolve(workspaceId, 'resolved@9')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(registry.resolve(workspaceId, 'resolved@1@2')).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  it('lets one of two win who promote at once, and writes down just that one', async () => {
    await addVersion('raced');
    await addVersion('raced');
    const outcomes = await Promise.allSettled([promote('raced', 1), promote('raced', 2)]);
    const won = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    const adapter = await registry.require(workspaceId, 'raced');
    const changes = await registry.store.changes(adapter, { first: 10, after: null });
    expect(changes.items).toHaveLength(won.length);
    expect(won.length).toBeGreaterThan(0);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'CONFLICT' });
  });

  it('goes back one promotion a rollback, tells what the alias was at any time, and refuses when nothing came before', async () => {
    const versions = [await addVersion('rolled'), await addVersion('rolled'), await addVersion('rolled')];
    const moments: Date[] = [];
    for (const { version } of versions) {
      await promote('rolled', version);
      moments.push(new Date(Date.now() + 5));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const back = () =>
      registry.rollback(workspaceId, { name: 'rolled', alias: 'production', by: 'op', reason: 'worse' });
    expect((await back()).toVersionId).toBe(versions[1]!.id);
    expect((await back()).toVersionId).toBe(versions[0]!.id);
    await expect(back()).rejects.toMatchObject({ code: 'CONFLICT' });
    const adapter = await registry.require(workspaceId, 'rolled');
    for (const [i, moment] of moments.entries())
      expect((await registry.asOf(workspaceId, adapter, 'production', moment))?.id).toBe(versions[i]!.id);
    expect((await registry.asOf(workspaceId, adapter, 'production', new Date()))?.id).toBe(versions[0]!.id);
  });

  it('goes back to no version that engines can’t serve', async () => {
    await addVersion('unserved');
    await addVersion('unserved');
    await promote('unserved', 1);
    await promote('unserved', 2);
    registry.servedBy(({ adapter, version }) =>
      adapter.name === 'unserved' && version.version === 1
        ? Promise.reject(new GraftError('CONFLICT', 'The engines can’t serve it.'))
        : Promise.resolve(),
    );
    const back = registry.rollback(workspaceId, { name: 'unserved', alias: 'production', by: 'op', reason: 'worse' });
    await expect(back).rejects.toMatchObject({ code: 'CONFLICT', message: 'The engines can’t serve it.' });
    expect(await registry.resolve(workspaceId, 'unserved')).toMatchObject({ version: 2 });
  });

  it('keeps every file that a version is made of, and lets others go', async () => {
    const { weightsFileId, configFileId, ggufFileId } = await addVersion('whole');
    for (const id of [weightsFileId, configFileId, ggufFileId]) {
      const { deletedFiles, keptFiles } = await erasure.eraseFile(workspaceId, id);
      expect([deletedFiles, keptFiles]).toEqual([
        [],
        [{ fileId: id, name: 'adapter.gguf', reason: 'whole@1 is made of it.' }],
      ]);
    }
    const { id } = await stored(randomBytes(64));
    expect((await erasure.eraseFile(workspaceId, id)).deletedFiles).toEqual(['adapter.gguf']);
  });

  it('adds no version of a file that was deleted, and keeps one that is being added from being deleted', async () => {
    const [weights, config, gguf] = [
      await stored(randomBytes(64)),
      await stored(randomBytes(64)),
      await stored(randomBytes(64)),
    ];
    const add = (name: string) =>
      registry.add(
        workspaceId,
        { name, task: 'INSTRUCTION', modelId: model.modelId, description: '' },
        {
          digest: weights.sha256,
          weightsFileId: weights.id,
          configFileId: config.id,
          ggufFileId: gguf.id,
          ggufSha256: gguf.sha256,
          bytes: 64,
          rank: 4,
          alpha: 8,
          targets: ['q_proj'],
          usage: USAGE,
          variantId: model.variantId,
          origin: 'TRAINED',
        },
      );
    const needed = (sha: string) => async () => (await registry.store.filesInUse(workspaceId, [sha])).size > 0;
    // Whoever comes first wins, and the other one sees it.
    const [added] = await Promise.allSettled([add('held'), files.remove(workspaceId, gguf.id, needed(gguf.sha256))]);
    const left = await files.find(workspaceId, { ids: [gguf.id] });
    expect(left).toHaveLength(added.status === 'fulfilled' ? 1 : 0);
    await files.remove(workspaceId, config.id);
    await expect(add('late')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  const remove = (adapter: string, version: number | null, force = false) =>
    registry.store.transaction((tx) =>
      registry.remove(tx, workspaceId, { adapter, version, force, by: 'op', reason: 'not needed' }),
    );

  it('deletes a version whose number is never given again, and none that an alias names unless it is forced', async () => {
    const [first, second] = [await addVersion('dropped'), await addVersion('dropped')];
    await promote('dropped', 2);
    for (const version of [2, null])
      await expect(remove('dropped', version)).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringContaining('dropped@production is version 2') as string,
      });
    const removed = await remove('dropped', 2, true);
    expect(removed.versions.map(({ id }) => id)).toEqual([second.id]);
    await expect(registry.resolve(workspaceId, 'dropped')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(registry.resolve(workspaceId, 'dropped@2')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const adapter = await registry.require(workspaceId, 'dropped');
    const [change] = (await registry.store.changes(adapter, { first: 1, after: null })).items;
    expect(change).toMatchObject({ alias: 'production', toVersionId: null, changedBy: 'op', reason: 'not needed' });
    expect(await registry.asOf(workspaceId, adapter, 'production', new Date())).toBeNull();
    expect((await addVersion('dropped')).version).toBe(3);
    expect(await registry.resolve(workspaceId, 'dropped@1')).toMatchObject({ versionId: first.id });
    await expect(remove('dropped', 2)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await remove('dropped', null);
    await expect(remove('dropped', null)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('lets an alias name no version that is deleted at the same time', async () => {
    await addVersion('disputed');
    const [promoted, removed] = await Promise.allSettled([promote('disputed', 1), remove('disputed', 1)]);
    // Whoever comes first wins, and the other one sees why.
    const lost = [promoted, removed].filter((each) => each.status === 'rejected');
    expect(lost).toHaveLength(1);
    expect(['NOT_FOUND', 'CONFLICT']).toContain((lost[0]!.reason as { code: string }).code);
    expect(await database.prisma.adapterAlias.count({ where: { version: { adapter: { name: 'disputed' } } } })).toBe(
      promoted.status === 'fulfilled' ? 1 : 0,
    );
  });

  it('promotes nothing that was never shown to act', async () => {
    const { id, version } = await addVersion('unproven');
    await database.prisma.$executeRaw`UPDATE adapter_version SET attestation = NULL WHERE id = ${id}::uuid`;
    await expect(promote('unproven', version)).rejects.toMatchObject({ code: 'CONFLICT' });
  });
});

async function someModel(database: TestDatabase): Promise<{ modelId: string; variantId: string }> {
  const [modelId, variantId] = [newId(), newId()];
  await database.prisma.baseModel.create({
    data: { id: modelId, workspaceId, name: `model-${modelId}`, architecture: 'llama', parameters: 1, source: 'test' },
  });
  await database.prisma.modelVariant.create({
    data: {
      id: variantId,
      workspaceId,
      modelId,
      quantization: 'F32',
      sha256: sha256(variantId),
      bytes: 1,
      contextLength: 64,
      vocabulary: 32,
      location: 'nowhere',
    },
  });
  return { modelId, variantId };
}
