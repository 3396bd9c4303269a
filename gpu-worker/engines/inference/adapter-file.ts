import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { GraftError } from '../../../src/kernel/errors.js';
import type { AdapterFile } from '../../../src/worker-protocol/index.js';
import { readGgufHeader, type GgufHeader, type GgufTensor } from '../../formats/gguf/header.js';
import { tensorBytes, tensorTypeName } from '../../formats/gguf/tensor-types.js';

const MAX_BYTES = 2 * 1024 ** 3;

const invalid = (message: string, cause?: unknown): GraftError => new GraftError('ADAPTER_INVALID', message, { cause });
const wrongBase = (message: string): GraftError =>
  new GraftError('ADAPTER_WRONG_BASE', message, { hint: 'Use it with the model that it was trained on.' });

/** The bytes of an adapter. @throws ADAPTER_UNAVAILABLE, ADAPTER_INVALID when it is absurdly large, ADAPTER_DIGEST_MISMATCH */
export async function readVerified({ path, sha256 }: Omit<AdapterFile, 'scale'>): Promise<Buffer> {
  const size = await stat(path).then(
    (entry) => (entry.isFile() ? entry.size : null),
    () => null,
  );
  if (size === null) throw new GraftError('ADAPTER_UNAVAILABLE', `The file of the adapter ${short(sha256)} is gone.`);
  if (size > MAX_BYTES) throw invalid(`The adapter has ${size} bytes; at most ${MAX_BYTES} are read.`);
  const bytes = await readFile(path);
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== sha256)
    throw new GraftError(
      'ADAPTER_DIGEST_MISMATCH',
      `The file of the adapter ${short(sha256)} has changed: its SHA-256 is now ${short(digest)}.`,
    );
  return bytes;
}

/**
 * Checks before anything native reads it that a GGUF LoRA fits a base model in every module, and that its weights are numbers.
 * @throws ADAPTER_INVALID, ADAPTER_WRONG_BASE
 */
export function checkAdapter(path: string, bytes: Buffer, base: GgufHeader): void {
  const adapter = header(path);
  const text = (header: GgufHeader, key: string): string => String(header.metadata.get(key) ?? '');
  if (text(adapter, 'general.type') !== 'adapter' || text(adapter, 'adapter.type') !== 'lora')
    throw invalid('The file is no GGUF LoRA.');
  if (adapter.metadata.has('adapter.alora.invocation_tokens'))
    throw invalid('The adapter acts only from its invocation tokens on, which can’t be served here.');
  const [adapterArchitecture, baseArchitecture] = [
    text(adapter, 'general.architecture'),
    text(base, 'general.architecture'),
  ];
  if (adapterArchitecture !== baseArchitecture)
    throw wrongBase(`The adapter is for a model of architecture ${adapterArchitecture}, not ${baseArchitecture}.`);
  if (adapter.tensors.length === 0) throw invalid('The adapter changes nothing: it has no weights.');
  const baseTensors = new Map(base.tensors.map((tensor) => [tensor.name, tensor]));
  const tensors = new Map(adapter.tensors.map((tensor) => [tensor.name, tensor]));
  for (const tensor of adapter.tensors) {
    const target = /^(.+)\.lora_[ab]$/.exec(tensor.name)?.[1];
    if (target === undefined) throw invalid(`The adapter has a tensor ${tensor.name}, which is none of a LoRA.`);
    const weight = baseTensors.get(target);
    if (weight === undefined) throw wrongBase(`The model has no weight ${target}, which the adapter changes.`);
    checkShapes(target, weight, tensors.get(`${target}.lora_a`), tensors.get(`${target}.lora_b`));
    checkNumbers(tensor, bytes);
  }
}

function header(path: string): GgufHeader {
  try {
    return readGgufHeader(path);
  } catch (error) {
    throw invalid(`The adapter can’t be read. ${(error as Error).message}`, error);
  }
}

/** ggml's order: weight [in, out], A [in, rank], B [rank, out]. */
function checkShapes(target: string, weight: GgufTensor, a: GgufTensor | undefined, b: GgufTensor | undefined): void {
  if (a === undefined || b === undefined) throw invalid(`The adapter has only one half of its change of ${target}.`);
  const [input, output] = weight.dimensions;
  const fits = a.dimensions[0] === input && b.dimensions[1] === output;
  if (a.dimensions[1] !== b.dimensions[0]) throw invalid(`The two halves for ${target} differ in rank.`);
  if (!fits)
    throw wrongBase(
      `The adapter changes ${target} as [${a.dimensions[0]}, ${b.dimensions[1]}]; the model has [${input}, ${output}].`,
    );
}

function checkNumbers({ name, type, dimensions, offset }: GgufTensor, file: Buffer): void {
  const elements = dimensions.reduce((product, size) => product * size, 1);
  const length = tensorBytes(type, elements);
  if (length === null || offset + length > file.length) throw invalid(`The adapter is cut short at ${name}.`);
  const kind = tensorTypeName(type);
  // All ones in the exponent are infinity or no number.
  const [step, mask] =
    kind === 'F32' ? [4, 0x7f80] : kind === 'BF16' ? [2, 0x7f80] : kind === 'F16' ? [2, 0x7c00] : [0, 0];
  if (step === 0) return;
  for (let position = offset + step - 2; position < offset + length; position += step)
    if ((file.readUInt16LE(position) & mask) === mask)
      throw invalid(`The adapter’s weights ${name} are not all numbers.`);
}

export const short = (sha256: string): string => sha256.slice(0, 12);
