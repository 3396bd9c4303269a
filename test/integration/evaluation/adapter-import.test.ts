import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { decodeSafetensors, encodeSafetensors } from '../../../src/kernel/safetensors.js';
import { sha256 } from '../../../src/kernel/hashing.js';
import { DEFAULT_WORKSPACE_ID as workspaceId, newId } from '../../../src/kernel/ids.js';
import type { RunRow } from '../../../src/platform/runs/index.js';
import type { AdapterImporter } from '../../../src/learn/training/index.js';
import type { StartAdapterImport } from '../../../src/learn/training/imports/adapter-importer.js';
import { writePeft } from '../../support/tiny-peft.js';
import { AdapterKit } from './adapter-kit.js';

// Starting real processes takes long where the cores are shared.
jest.setTimeout(300_000);

interface Files {
  config: Buffer;
  weights: Buffer;
  gguf: Buffer;
}

describe('the import of an adapter that was trained elsewhere', () => {
  let kit: AdapterKit;
  let importer: AdapterImporter;
  let files: Files;

  beforeAll(async () => {
    kit = await AdapterKit.start();
    ({ importer } = kit.domains.training);
    files = await writePeft(mkdtempSync(join(kit.models.folder, 'elsewhere-')), kit.variant, { seed: 3 });
  });
  afterAll(() => kit.dispose());

  async function imported(
    adapter: string,
    { config, weights }: Pick<Files, 'config' | 'weights'>,
    more: Partial<StartAdapterImport> = {},
  ): Promise<RunRow> {
    const stored = async (name: string, bytes: Buffer) => (await kit.models.upload(workspaceId, name, bytes)).id;
    const run = await importer.start(workspaceId, {
      adapter,
      description: '',
      task: 'INSTRUCTION',
      model: 'tiny',
      labels: [],
      languages: null,
      files: {
        configFileId: await stored('adapter_config.json', config),
        weightsFileId: await stored('adapter_model.safetensors', weights),
      },
      idempotencyKey: newId(),
      ...more,
    });
    return kit.models.ended(run, 200_000);
  }
  const configured = (change: object): Buffer =>
    Buffer.from(JSON.stringify({ ...(JSON.parse(files.config.toString('utf8')) as object), ...change }));
  function weighted(edit: (name: string, data: Float32Array) => [string, Float32Array]): Buffer {
    const { metadata, tensors } = decodeSafetensors(files.weights);
    const edited = [...tensors].map(([name, { shape, data }]) => {
      const [as, numbers] = edit(name, data.slice());
      return [as, { shape, data: numbers }] as const;
    });
    return encodeSafetensors({ metadata, tensors: new Map(edited) });
  }

  it('makes a version with the very file that training would have made, which is not yet attested', async () => {
    expect(await imported('elsewhere', files)).toMatchObject({ status: 'SUCCEEDED' });
    const served = await kit.adapters.resolve(workspaceId, 'elsewhere@1');
    expect(served.file.sha256).toBe(sha256(files.gguf));
    expect(served.attestation).toBeNull();
    const [version] = await kit.adapters.store.versionsById(workspaceId, [served.versionId]);
    expect(version).toMatchObject({ origin: 'IMPORTED', rank: 4, alpha: 8, digest: sha256(files.weights) });
    expect(version!.targets).toEqual(['q_proj', 'v_proj', 'down_proj']);
  });

  it.each<[string, string, () => Partial<Files>]>([
    [
      'of another base model',
      'ADAPTER_WRONG_BASE',
      () => ({ config: configured({ base_model_name_or_path: 'f'.repeat(64) }) }),
    ],
    [
      'with a layer that the model lacks',
      'ADAPTER_WRONG_BASE',
      () => ({ weights: weighted((name, data) => [name.replace('layers.1.', 'layers.9.'), data]) }),
    ],
    ['of another rank', 'ADAPTER_RANK_MISMATCH', () => ({ config: configured({ r: 2 }) })],
    [
      'of another layer',
      'ADAPTER_TARGET_UNSUPPORTED',
      () => ({ weights: weighted((name, data) => [name.replace('q_proj', 'router'), data]) }),
    ],
    [
      'whose query matrices are those of the values',
      'ADAPTER_SHAPE_MISMATCH',
      () => ({
        weights: weighted((name, data) => [
          name.replace(/([qv])_proj/, (_, which: string) => `${which === 'q' ? 'v' : 'q'}_proj`),
          data,
        ]),
      }),
    ],
    [
      'with a weight that is not a number',
      'ADAPTER_NOT_FINITE',
      () => ({
        weights: weighted((name, data) => {
          data[0] = Number.NaN;
          return [name, data];
        }),
      }),
    ],
    [
      'whose weights leave half precision',
      'ADAPTER_NOT_FINITE',
      () => ({
        weights: weighted((name, data) => {
          data[0] = 3e38;
          return [name, data];
        }),
      }),
    ],
    [
      'whose weights come to more than half precision has',
      'ADAPTER_NOT_FINITE',
      () => ({ weights: weighted((name, data) => [name, data.map(() => 1_000)]) }),
    ],
    ['with an alpha beyond all numbers', 'ADAPTER_INVALID', () => ({ config: configured({ lora_alpha: 1e308 }) })],
    ['with an alpha that makes it too strong', 'ADAPTER_INVALID', () => ({ config: configured({ lora_alpha: 1e9 }) })],
    [
      'that counts its layers with zeros before the number',
      'ADAPTER_TARGET_UNSUPPORTED',
      () => ({ weights: weighted((name, data) => [name.replace('layers.0.', 'layers.00.'), data]) }),
    ],
    [
      'whose tensors share their bytes',
      'ADAPTER_DAMAGED',
      () => {
        const header = Object.fromEntries(
          Array.from({ length: 400 }, (_, i) => [
            `base_model.model.model.layers.${i}.mlp.up_proj.lora_A.weight`,
            { dtype: 'F16', shape: [4, 250_000], data_offsets: [0, 2_000_000] },
          ]),
        );
        const json = Buffer.from(JSON.stringify(header));
        const length = Buffer.alloc(8);
        length.writeBigUInt64LE(BigInt(json.length));
        return { weights: Buffer.concat([length, json, Buffer.alloc(2_000_000)]) };
      },
    ],
    ['whose configuration is brackets', 'ADAPTER_INVALID', () => ({ config: Buffer.from('['.repeat(1_000_000)) })],
    ['that is cut short', 'ADAPTER_DAMAGED', () => ({ weights: files.weights.subarray(0, -100) })],
    [
      'whose header is longer than the file',
      'ADAPTER_DAMAGED',
      () => {
        const weights = Buffer.from(files.weights);
        weights.writeBigUInt64LE(2n ** 40n);
        return { weights };
      },
    ],
    [
      'that is a pickle in a ZIP archive',
      'ADAPTER_PICKLED',
      () => ({ weights: Buffer.concat([Buffer.from('PK\u0003\u0004'), files.weights]) }),
    ],
    ['that is a bare pickle', 'ADAPTER_PICKLED', () => ({ weights: Buffer.from([0x80, 2, 0x7d, 0x71, 0, 0x2e]) })],
    [
      'that acts only from some tokens on',
      'ADAPTER_KIND_UNSUPPORTED',
      () => ({ config: configured({ alora_invocation_tokens: [1, 2] }) }),
    ],
    ['whose configuration is no JSON', 'ADAPTER_INVALID', () => ({ config: Buffer.from('{') })],
    ['whose configuration is enormous', 'ADAPTER_TOO_LARGE', () => ({ config: Buffer.alloc(1024 ** 2 + 1, ' ') })],
  ])('refuses one %s with a code of its own, and keeps nothing of it', async (what, code, change) => {
    const name = what.replaceAll(' ', '-');
    const run = await imported(name, { ...files, ...change() });
    expect(run).toMatchObject({ status: 'FAILED', errorCode: code });
    expect(await kit.adapters.store.byName(workspaceId, name)).toBeNull();
  });

  it('asks for labels and languages just where the task has some', async () => {
    const task = (more: Partial<StartAdapterImport>) => imported('asks', files, more);
    await expect(task({ task: 'CLASSIFICATION' })).rejects.toMatchObject({ field: 'input.labels' });
    await expect(task({ labels: ['a'] })).rejects.toMatchObject({ field: 'input.labels' });
    await expect(task({ task: 'CLASSIFICATION', labels: ['a', 'a'] })).rejects.toMatchObject({ field: 'input.labels' });
    await expect(task({ task: 'TRANSLATION' })).rejects.toMatchObject({ field: 'input.languages' });
    await expect(task({ model: 'nobody' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
