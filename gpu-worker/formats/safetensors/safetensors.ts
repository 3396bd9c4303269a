import { GraftError } from '../../../src/kernel/errors.js';
import { bfloatToNumber, encodeNumbers, halfToNumber } from '../half.js';

/** A file of 32-bit tensors as Hugging Face's safetensors library writes and reads them. */
export interface Safetensors {
  metadata: Readonly<Record<string, string>>;
  tensors: ReadonlyMap<string, NamedTensor>;
}

export interface NamedTensor {
  shape: readonly number[];
  /** Row-major. */
  data: Float32Array;
}

/** The reference implementation's own limit. */
const MAX_HEADER_BYTES = 100_000_000;
const LENGTH_BYTES = 8;

const damaged = (what: string): GraftError =>
  new GraftError('ADAPTER_DAMAGED', `The safetensors file can’t be used: ${what}.`);

/** The bytes of the file: length of the header, header in JSON, numbers. */
export function encodeSafetensors({ metadata, tensors }: Safetensors, dtype: 'F32' | 'F16' = 'F32'): Buffer {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  const numbers: Buffer[] = [];
  for (const [name, { shape, data }] of tensors) {
    const bytes = encodeNumbers(data, dtype);
    header[name] = { dtype, shape, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
    numbers.push(bytes);
  }
  const json = Buffer.from(JSON.stringify(header));
  const padding = Buffer.alloc((LENGTH_BYTES - (json.length % LENGTH_BYTES)) % LENGTH_BYTES, ' ');
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeBigUInt64LE(BigInt(json.length + padding.length));
  return Buffer.concat([length, json, padding, ...numbers]);
}

/**
 * Reads a file and believes nothing: a header that lies about lengths, shapes or places is refused.
 * @throws ADAPTER_DAMAGED, also for numbers of another type than F32, F16 and BF16
 */
export function decodeSafetensors(bytes: Buffer): Safetensors {
  if (bytes.length < LENGTH_BYTES) throw damaged('it is cut short');
  const length = bytes.readBigUInt64LE();
  if (length > BigInt(Math.min(MAX_HEADER_BYTES, bytes.length - LENGTH_BYTES)))
    throw damaged('its header is cut short');
  const start = LENGTH_BYTES + Number(length);
  const header = parseHeader(bytes.toString('utf8', LENGTH_BYTES, start));
  const tensors = new Map<string, NamedTensor>();
  let metadata: Record<string, string> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') metadata = entry as Record<string, string>;
    else tensors.set(name, readTensor(name, entry, bytes.subarray(start)));
  }
  return { metadata, tensors };
}

function parseHeader(text: string): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    throw damaged('its header is not JSON');
  }
  if (header === null || typeof header !== 'object' || Array.isArray(header)) throw damaged('its header is no object');
  return header as Record<string, unknown>;
}

/** Bytes of a number, and how to read one. */
const TYPES: Readonly<Record<string, { bytes: number; read: (from: Buffer, at: number) => number }>> = {
  F32: { bytes: 4, read: (from, at) => from.readFloatLE(at) },
  F16: { bytes: 2, read: (from, at) => halfToNumber(from.readUInt16LE(at)) },
  BF16: { bytes: 2, read: (from, at) => bfloatToNumber(from.readUInt16LE(at)) },
};

function readTensor(name: string, entry: unknown, numbers: Buffer): NamedTensor {
  const { dtype, shape, data_offsets } = (entry ?? {}) as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
  const type = Object.hasOwn(TYPES, String(dtype)) ? TYPES[String(dtype)] : undefined;
  if (type === undefined) throw damaged(`tensor ${JSON.stringify(name)} has numbers of type ${JSON.stringify(dtype)}`);
  const counts = (value: unknown): value is number[] =>
    Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
  if (!counts(shape) || !counts(data_offsets) || data_offsets.length !== 2)
    throw damaged(`tensor ${JSON.stringify(name)} has an impossible shape`);
  const [from, to] = data_offsets as [number, number];
  const elements = shape.reduce((product, size) => product * size, 1);
  if (to > numbers.length || to - from !== elements * type.bytes)
    throw damaged(`tensor ${JSON.stringify(name)} lies outside the file`);
  const data = new Float32Array(elements);
  for (let index = 0; index < elements; index++) data[index] = type.read(numbers, from + index * type.bytes);
  return { shape, data };
}
