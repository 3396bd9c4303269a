import { rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { badInput, GraftError } from '../../../src/kernel/errors.js';
import type { MergeAdapterInput, MergeAdapterOutput } from '../../../src/worker-protocol/index.js';
import { readGgufHeader, type GgufTensor } from '../../formats/gguf/header.js';
import { rewriteGguf, type PlainType } from '../../formats/gguf/rewrite.js';
import { readTensor } from '../../formats/gguf/tensor-data.js';
import { tensorTypeName } from '../../formats/gguf/tensor-types.js';
import { decodePeftAdapter, type LoraPair } from '../../formats/peft/peft-adapter.js';
import type { Call } from '../../server.js';
import { readVerified } from '../inference/adapter-file.js';
import { fromPairs, ggufModule, servedRows } from './model/adapter-files.js';
import { decoderConfig } from './model/config.js';
import { loraScale } from './model/adapter-layout.js';
import { requireBase } from './model/require-base.js';
import { requireDigest } from './model/require-digest.js';

/** The largest number that half precision holds after rounding. */
const MOST_IN_HALF = 65_504;
/** What a file system needs besides the file itself. */
const SPARE_BYTES = 16 * 1024 ** 2;

/**
 * Writes base + scale * alpha / rank * B A as a GGUF model of its own. The layers that the adapter changes are written in 32 bits where
 * the base has them in F32 or BF16, else in 16, or as the caller wants; the rest of the file stays byte for byte.
 * @throws MODEL_DIGEST_MISMATCH, ADAPTER_WRONG_BASE, ADAPTER_SHAPE_MISMATCH, BAD_USER_INPUT when a number is too large for 16 bits,
 * STORAGE_FAILED when the disk has no room, and what reading the adapter throws; nothing is left then
 */
export async function mergeAdapter(
  { model, adapter, scale, type, name, target }: MergeAdapterInput,
  { progress, turn }: Pick<Call, 'progress' | 'turn'>,
): Promise<MergeAdapterOutput> {
  await requireDigest(model);
  const peft = decodePeftAdapter(await readVerified(adapter.config), await readVerified(adapter.weights));
  const header = readGgufHeader(model.path);
  const config = decoderConfig(header);
  requireBase(peft, model.sha256, config);
  // Throws where a matrix has another shape than the model's.
  const { lora } = fromPairs(peft, config);
  const changes = new Map(peft.pairs.map((pair) => [ggufModule(pair), pair]));
  const factor = scale * loraScale(lora);
  const types = new Map(
    header.tensors
      .filter((tensor) => changes.has(tensor.name))
      .map((tensor) => [tensor.name, type ?? preciseType(tensor)] as const),
  );
  await requireSpace(dirname(target), header.tensors, types);
  let mergedCount = 0;
  const merged = async (tensor: GgufTensor): Promise<Float32Array> => {
    await turn();
    const pair = changes.get(tensor.name)!;
    const rows = readTensor(model.path, header, tensor.name);
    addProduct(rows, { ...pair, b: servedRows(pair, peft.rank, config) }, peft.rank, factor);
    if (types.get(tensor.name) === 'F16') requireHalves(rows, tensor.name);
    progress(++mergedCount / changes.size, 'Adding the adapter to the model’s weights.');
    return rows;
  };
  try {
    const output = await rewriteGguf(model.path, header, target, {
      metadata: {
        'general.name': { string: name },
        // The file is of no one type any more; readers go by the tensors.
        'general.file_type': null,
        'graft.merged.base': { string: model.sha256 },
        'graft.merged.adapter': { string: adapter.weights.sha256 },
        'graft.merged.scale': { f32: scale },
      },
      types,
      numbers: merged,
    });
    return { path: target, ...output, modules: changes.size };
  } catch (error) {
    await rm(target, { force: true });
    throw error;
  }
}

/** 32 bits for what has as large numbers as they do. */
function preciseType({ type }: GgufTensor): PlainType {
  const name = tensorTypeName(type);
  return name === 'F32' || name === 'BF16' ? 'F32' : 'F16';
}

/** W += factor * B A, row by row. w [out, in], b [out, rank], a [rank, in] */
function addProduct(w: Float32Array, { a, b }: Pick<LoraPair, 'a' | 'b'>, rank: number, factor: number): void {
  const width = a.length / rank;
  const sum = new Float64Array(width);
  for (let row = 0; row * width < w.length; row++) {
    sum.fill(0);
    for (let r = 0; r < rank; r++) {
      const weight = b[row * rank + r]!;
      for (let column = 0; column < width; column++) sum[column]! += weight * a[r * width + column]!;
    }
    for (let column = 0; column < width; column++) w[row * width + column]! += factor * sum[column]!;
  }
}

function requireHalves(numbers: Float32Array, name: string): void {
  if (numbers.every((number) => Math.abs(number) <= MOST_IN_HALF)) return;
  throw badInput('input.precision', `${name} holds a number that is too large for 16 bits.`, 'Ask for F32.');
}

async function requireSpace(
  folder: string,
  tensors: readonly GgufTensor[],
  types: ReadonlyMap<string, PlainType>,
): Promise<void> {
  const elements = ({ dimensions }: GgufTensor): number => dimensions.reduce((product, size) => product * size, 1);
  const neededBytes = tensors.reduce((sum, tensor) => {
    const plain = types.get(tensor.name);
    return sum + elements(tensor) * (plain === 'F16' ? 2 : 4);
  }, SPARE_BYTES);
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= neededBytes) return;
  throw new GraftError(
    'STORAGE_FAILED',
    `The merged model may take ${neededBytes} bytes, and ${bavail * bsize} are free.`,
    {
      hint: 'Free space where GRAFT_HOME lies; nothing was kept.',
    },
  );
}
