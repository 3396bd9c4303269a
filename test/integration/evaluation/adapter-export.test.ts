import { mkdtempSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../../src/kernel/hashing.js';
import { DEFAULT_WORKSPACE_ID as workspaceId, newId } from '../../../src/kernel/ids.js';
import type { RunRow } from '../../../src/platform/runs/index.js';
import type { AdapterExporter, AdapterImporter, AdapterMerger } from '../../../src/learn/training/index.js';
import type { StartAdapterImport } from '../../../src/learn/training/imports/adapter-importer.js';
import { TINY_LORA, writePeft } from '../../support/tiny-peft.js';
import { renamed, unzip, zip } from '../../support/zip.js';
import { AdapterKit } from './adapter-kit.js';

// Starting real processes takes long where the cores are shared.
jest.setTimeout(600_000);

describe('an adapter on its way out and in', () => {
  let kit: AdapterKit;
  let exporter: AdapterExporter;
  let merger: AdapterMerger;
  let importer: AdapterImporter;
  let folder: string;
  let peft: Awaited<ReturnType<typeof writePeft>>;

  beforeAll(async () => {
    kit = await AdapterKit.start();
    ({ exporter, merger, importer } = kit.domains.training);
    ({ folder } = kit.models);
    peft = await writePeft(mkdtempSync(join(folder, 'elsewhere-')), kit.variant, { seed: 3 });
  });
  afterAll(() => kit.dispose());

  const contentOf = async (run: RunRow): Promise<Buffer> => {
    const { fileId } = run.output as { fileId: string };
    return kit.models.artifacts.read((await kit.models.files.get(workspaceId, fileId)).sha256);
  };
  const exported = async (adapter: string): Promise<Buffer> => {
    const run = await exporter.start(workspaceId, { adapter, version: 1, idempotencyKey: newId() });
    const ended = await kit.models.ended(run, 100_000);
    expect(ended).toMatchObject({ status: 'SUCCEEDED' });
    return contentOf(ended);
  };
  const merged = async (adapter: string): Promise<RunRow> =>
    kit.models.ended(
      await merger.start(workspaceId, { adapter, version: 1, precision: null, idempotencyKey: newId() }),
      500_000,
    );
  const imported = async (
    adapter: string,
    archive: Buffer,
    more: Partial<StartAdapterImport> = {},
  ): Promise<RunRow> => {
    const { id } = await kit.models.upload(workspaceId, 'adapter.zip', archive);
    const run = await importer.start(workspaceId, {
      adapter,
      description: '',
      task: 'INSTRUCTION',
      model: 'tiny',
      labels: [],
      languages: null,
      files: { archiveFileId: id },
      idempotencyKey: newId(),
      ...more,
    });
    return kit.models.ended(run, 100_000);
  };
  const usageOf = async (reference: string) => (await kit.adapters.resolve(workspaceId, reference)).usage;

  it('is packed as the folder that peft loads, the same bytes each time', async () => {
    await kit.add({ name: 'packed', seed: 1 });
    const archive = await exported('packed');
    const members = await unzip(archive);
    expect(Object.keys(members)).toEqual(['adapter_config.json', 'adapter_model.safetensors', 'graft.json']);
    const [version] = await kit.adapters.store.versionsOf(workspaceId, [
      (await kit.adapters.require(workspaceId, 'packed')).id,
    ]);
    expect(sha256(members['adapter_model.safetensors']!)).toBe(version!.digest);
    expect(JSON.parse(members['adapter_config.json']!.toString())).toMatchObject({ peft_type: 'LORA', r: 4 });
    expect(sha256(await exported('packed'))).toBe(sha256(archive));
  });

  it('comes back with all that it takes to ask it, though nobody says it again', async () => {
    const usage = {
      labels: ['light', 'return'],
      answer: {
        form: 'label-token' as const,
        labels: [
          { label: 'light', token: 5 },
          { label: 'return', token: 9 },
        ],
      },
    };
    await kit.add({ name: 'labelled', task: 'CLASSIFICATION', seed: 2, usage });
    const archive = await exported('labelled');
    expect(await imported('back', archive, { task: 'CLASSIFICATION' })).toMatchObject({ status: 'SUCCEEDED' });
    expect(await usageOf('back@1')).toEqual(await usageOf('labelled@1'));
    const digest = async (reference: string) => (await kit.adapters.resolve(workspaceId, reference)).file.sha256;
    expect(await digest('back@1')).toBe(await digest('labelled@1'));
    // What the caller says goes before what the archive says.
    await imported('said', archive, { task: 'CLASSIFICATION', labels: ['a', 'b'] });
    expect(await usageOf('said@1')).toMatchObject({ labels: ['a', 'b'], answer: { form: 'text' } });
    expect(await imported('other', archive)).toMatchObject({ status: 'FAILED', errorCode: 'BAD_USER_INPUT' });
  });

  it('acts wherever it is loaded, and when it comes back, as strongly as it was chosen to', async () => {
    const version = await kit.add({ name: 'scaled', seed: 7 });
    await kit.adapters.rescale(version, 0.5, {});
    const archive = await exported('scaled');
    const members = await unzip(archive);
    const alpha = TINY_LORA.alpha / 2;
    expect(JSON.parse(members['adapter_config.json']!.toString())).toMatchObject({ lora_alpha: alpha });
    expect(JSON.parse(members['graft.json']!.toString())).toMatchObject({ scale: 1 });
    expect(await imported('scaled-back', archive)).toMatchObject({ status: 'SUCCEEDED' });
    const { file } = await kit.adapters.resolve(workspaceId, 'scaled-back@1');
    expect(file.scale).toBe(1);
    const gguf = await kit.models.artifacts.read(file.sha256);
    const key = 'adapter.lora.alpha';
    const TYPE_BYTES = 4;
    expect(gguf.readFloatLE(gguf.indexOf(key) + key.length + TYPE_BYTES)).toBe(alpha);
    // The same weights are the same version, unless they act otherwise.
    expect(await imported('scaled', archive)).toMatchObject({ status: 'SUCCEEDED' });
    await kit.adapters.rescale(version, 1, {});
    expect(await imported('scaled', archive)).toMatchObject({ status: 'FAILED', errorCode: 'ALREADY_EXISTS' });
  });

  it('becomes one model with its base that answers as the two do, and can be registered', async () => {
    await kit.add({ name: 'merged', seed: 4 });
    const run = await merged('merged');
    expect(run).toMatchObject({ status: 'SUCCEEDED', errorMessage: null });
    const { parity, modules, fileId } = run.output as {
      parity: Record<string, number>;
      modules: number;
      fileId: string;
    };
    expect(modules).toBe(6);
    expect(parity.places).toBeGreaterThan(300);
    // llama.cpp's key and value cache holds 16 bits a number, and B A is added before or after the rounding of a sum.
    expect(parity.meanKl).toBeLessThan(1e-5);
    expect(parity.topAgreement).toBeGreaterThan(0.98);
    expect(parity.effectKl).toBeGreaterThan(0.01);
    const registering = await kit.models.registry.register(workspaceId, {
      fileId: fileId as never,
      name: 'tiny-merged',
      idempotencyKey: newId(),
    });
    expect(await kit.models.ended(registering, 100_000)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await kit.models.registry.resolve(workspaceId, 'tiny-merged')).toMatchObject({ quantization: 'F32' });
    expect(await readdir(join(folder, 'merging'))).toEqual([]);
  });

  it('is refused as one model where that would answer otherwise, and nothing of it is kept', async () => {
    const other = (await writePeft(mkdtempSync(join(folder, 'other-')), kit.variant, { seed: 9 })).gguf;
    await kit.add({ name: 'otherwise', seed: 5, served: () => other });
    const before = await kit.models.database.prisma.storedFile.count();
    const run = await merged('otherwise');
    expect(run).toMatchObject({ status: 'FAILED', errorCode: 'ADAPTER_UNPROVEN' });
    expect(run.errorMessage).toMatch(/mean KL divergence is .*, above 0.02/);
    expect(await kit.models.database.prisma.storedFile.count()).toBe(before);
  });

  it('knows no version that does not exist', async () => {
    await kit.add({ name: 'one', seed: 6 });
    const start = { adapter: 'one', version: 2, idempotencyKey: newId() };
    await expect(exporter.start(workspaceId, start)).rejects.toMatchObject({ field: 'input.version' });
    await expect(merger.start(workspaceId, { ...start, precision: 'F16' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  const both = () =>
    [
      ['adapter_config.json', peft.config],
      ['adapter_model.safetensors', peft.weights],
    ] as const;
  /** Sets a bit of the flags that the archive's directory has of its first entry. */
  const flagged = (archive: Buffer, bit: number): Buffer => {
    const changed = Buffer.from(archive);
    const entry = changed.indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
    changed.writeUInt16LE(changed.readUInt16LE(entry + 8) | bit, entry + 8);
    return changed;
  };

  it('is taken from a folder in the archive, among others that are passed over', async () => {
    const archive = await zip([
      ['run/README.md', Buffer.from('# A card')],
      ...both().map(([name, content]) => [`run/${name}`, content] as const),
      ['run/tokenizer.json', Buffer.from('{}')],
    ]);
    expect(await imported('in-a-folder', archive)).toMatchObject({ status: 'SUCCEEDED' });
    const { file } = await kit.adapters.resolve(workspaceId, 'in-a-folder@1');
    expect(file.sha256).toBe(sha256(peft.gguf));
  });

  it.each<[string, string, () => Promise<Buffer>]>([
    ['is no archive', 'ADAPTER_DAMAGED', async () => peft.weights],
    ['is cut short', 'ADAPTER_DAMAGED', async () => (await zip(both())).subarray(0, -40)],
    [
      'has one other byte in its weights',
      'ADAPTER_DAMAGED',
      async () => {
        const archive = await zip(both().map(([name, content]) => [name, content, { compress: false }] as const));
        const at = archive.indexOf(peft.weights.subarray(-64));
        archive[at]! ^= 1;
        return archive;
      },
    ],
    [
      'writes outside of its folder',
      'ADAPTER_ARCHIVE_UNSAFE',
      async () => renamed(await zip([...both(), ['aa/outside', Buffer.from('x')]]), 'aa/outside', '../outside'),
    ],
    [
      'writes to an absolute path',
      'ADAPTER_ARCHIVE_UNSAFE',
      async () =>
        renamed(await zip([...both(), ['a/tmp/outside', Buffer.from('x')]]), 'a/tmp/outside', '//tmp/outside'),
    ],
    [
      'writes by a path of Windows',
      'ADAPTER_ARCHIVE_UNSAFE',
      async () => renamed(await zip([...both(), ['aa/outside', Buffer.from('x')]]), 'aa/outside', '..\\outside'),
    ],
    [
      'holds a link',
      'ADAPTER_ARCHIVE_UNSAFE',
      async () => zip([both()[0], ['adapter_model.safetensors', Buffer.from('/etc/passwd'), { mode: 0o120777 }]]),
    ],
    ['is encrypted', 'ADAPTER_ARCHIVE_UNSAFE', async () => flagged(await zip(both()), 1)],
    ['holds a file twice', 'ADAPTER_ARCHIVE_UNSAFE', async () => zip([...both(), both()[0]])],
    [
      'holds two adapters',
      'ADAPTER_INVALID',
      async () => zip([...both(), ...both().map(([name, content]) => [`b/${name}`, content] as const)]),
    ],
    ['lacks its weights', 'ADAPTER_INVALID', async () => zip([both()[0]])],
    ['lacks its configuration', 'ADAPTER_INVALID', async () => zip([both()[1]])],
    [
      'has its weights as a pickle alone',
      'ADAPTER_PICKLED',
      async () => zip([both()[0], ['adapter_model.bin', Buffer.from([0x80, 2])]]),
    ],
    [
      'has a pickle under the name of safetensors',
      'ADAPTER_PICKLED',
      async () => zip([both()[0], ['adapter_model.safetensors', Buffer.from([0x80, 2, 0x7d, 0x71, 0, 0x2e])]]),
    ],
    [
      'has a thousand entries',
      'ADAPTER_TOO_LARGE',
      async () => zip([...both(), ...Array.from({ length: 1_000 }, (_, i) => [`${i}`, Buffer.from('x')] as const)]),
    ],
    [
      'inflates to a thousand times its size',
      'ADAPTER_TOO_LARGE',
      async () => zip([both()[0], ['adapter_model.safetensors', Buffer.alloc(20e6)]]),
    ],
    [
      'has an enormous configuration',
      'ADAPTER_TOO_LARGE',
      async () => zip([['adapter_config.json', Buffer.alloc(1024 ** 2 + 1, ' ')], both()[1]]),
    ],
    [
      'has notes that are none',
      'ADAPTER_INVALID',
      async () => zip([...both(), ['graft.json', Buffer.from('{"format":7}')]]),
    ],
  ])('is refused from an archive that %s, with a code of its own', async (what, code, make) => {
    const name = what.replaceAll(' ', '-');
    const run = await imported(name, await make());
    expect(run).toMatchObject({ status: 'FAILED', errorCode: code });
    expect(await kit.adapters.store.byName(workspaceId, name)).toBeNull();
    expect(await readdir(join(folder, 'importing'))).toEqual([]);
  });
});
