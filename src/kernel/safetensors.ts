import { GraftError } from './errors.js';
import { parseBounded } from './json-limits.js';
import { bfloatToNumber, encodeNumbers, halfToNumber } from './half.js';

/** A file of 32-bit tensors as Hugging Face's safetensors library writes and reads them. */
interface Safetensors {
  metadata: Readonly<Record<string, string>>;
  tensors: ReadonlyMap<string, NamedTensor>;
}

export interface NamedTensor {
  shape: readonly number[];
  /** Row-major. */
  data: Float32Array;
}

/** A tensor whose place in the file is known, and whose numbers nobody has read yet. */
export interface TensorEntry {
  shape: readonly number[];
  read(): Float32Array;
}

/** The reference implementation takes 100 MB; the adapter with the most layers and modules has a tenth of this. */
const MAX_HEADER_BYTES = 16 * 1024 ** 2;
/** An entry has some ten values, and lists inside an object inside the header's own. */
const HEADER_LIMITS = { values: 2_000_000, nesting: 3 };
const LENGTH_BYTES = 8;

const damaged = (fault: string): GraftError =>
  new GraftError('ADAPTER_DAMAGED', `The safetensors file can’t be used: ${fault}.`);

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

/** A file whole. @throws as `openSafetensors` */
export function decodeSafetensors(bytes: Buffer): Safetensors {
  const { metadata, tensors } = openSafetensors(bytes);
  return { metadata, tensors: new Map([...tensors].map(([name, { shape, read }]) => [name, { shape, data: read() }])) };
}

/**
 * Reads the header and believes nothing. As the reference implementation does, it refuses tensors that overlap, gaps between them and bytes
 * behind them: every byte of the file is in one tensor, so reading all of them takes no more than the file has, or twice that for halves.
 * @throws ADAPTER_DAMAGED, also for numbers of another type than F32, F16 and BF16; for those of I64 when they are read
 */
export function openSafetensors(bytes: Buffer): {
  metadata: Readonly<Record<string, string>>;
  tensors: ReadonlyMap<string, TensorEntry>;
} {
  if (bytes.length < LENGTH_BYTES) throw damaged('it is cut short');
  const length = bytes.readBigUInt64LE();
  if (length > BigInt(bytes.length - LENGTH_BYTES)) throw damaged('its header is cut short');
  if (length > BigInt(MAX_HEADER_BYTES)) throw damaged(`its header has more than ${MAX_HEADER_BYTES} bytes`);
  const start = LENGTH_BYTES + Number(length);
  const { __metadata__: metadata, ...entries } = parseHeader(bytes.subarray(LENGTH_BYTES, start));
  const placed = Object.entries(entries).map(([name, entry]) => place(name, entry));
  requireWhole(placed, bytes.length - start);
  const numbers = bytes.subarray(start);
  return {
    metadata: textsOf(metadata),
    tensors: new Map(placed.map((tensor) => [tensor.name, { shape: tensor.shape, read: () => read(tensor, numbers) }])),
  };
}

function parseHeader(json: Buffer): Record<string, unknown> {
  let header: unknown;
  try {
    header = parseBounded(json, HEADER_LIMITS);
  } catch {
    throw damaged('its header is not JSON, or of another form than it has to be');
  }
  if (header === null || typeof header !== 'object' || Array.isArray(header)) throw damaged('its header is no object');
  return header as Record<string, unknown>;
}

function textsOf(metadata: unknown = {}): Readonly<Record<string, string>> {
  const isTexts =
    metadata !== null &&
    typeof metadata === 'object' &&
    !Array.isArray(metadata) &&
    Object.values(metadata).every((value) => typeof value === 'string');
  if (!isTexts) throw damaged('its metadata are not texts');
  return metadata as Readonly<Record<string, string>>;
}

/** Bytes of a number, and how to read one; null: it has a place, but is no tensor of weights. */
const TYPES: Readonly<Record<string, { bytes: number; read: ((from: Buffer, at: number) => number) | null }>> = {
  F32: { bytes: 4, read: (from, offset) => from.readFloatLE(offset) },
  F16: { bytes: 2, read: (from, offset) => halfToNumber(from.readUInt16LE(offset)) },
  BF16: { bytes: 2, read: (from, offset) => bfloatToNumber(from.readUInt16LE(offset)) },
  // Positions, which models of encoders keep beside their weights.
  I64: { bytes: 8, read: null },
};

interface TensorSpan {
  name: string;
  type: (typeof TYPES)[string];
  shape: readonly number[];
  elements: number;
  /** Bytes [from, to) behind the header. */
  from: number;
  to: number;
}

function place(name: string, entry: unknown): TensorSpan {
  const called = JSON.stringify(name.slice(0, 200));
  const { dtype, shape, data_offsets } = (entry ?? {}) as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
  const type = typeof dtype === 'string' && Object.hasOwn(TYPES, dtype) ? TYPES[dtype] : undefined;
  if (type === undefined) throw ofAnotherType(name);
  const counts = (value: unknown): value is number[] =>
    Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
  if (!counts(shape) || !counts(data_offsets) || data_offsets.length !== 2)
    throw damaged(`tensor ${called} has an impossible shape`);
  const [from, to] = data_offsets as [number, number];
  const elements = shape.reduce((product, size) => product * size, 1);
  if (!Number.isSafeInteger(elements) || to - from !== elements * type.bytes)
    throw damaged(`tensor ${called} has a shape that its bytes don’t fit`);
  return { name, type, shape, elements, from, to };
}

/** @throws ADAPTER_DAMAGED unless the tensors lie one behind the other and fill the bytes */
function requireWhole(tensors: readonly TensorSpan[], bytes: number): void {
  let end = 0;
  for (const { name, from, to } of [...tensors].sort((a, b) => a.from - b.from || a.to - b.to)) {
    if (from !== end)
      throw damaged(
        `tensor ${JSON.stringify(name.slice(0, 200))} ${from < end ? 'overlaps another' : 'lies behind a gap'}`,
      );
    end = to;
  }
  if (end !== bytes) throw damaged(end > bytes ? 'it is cut short' : 'bytes follow its last tensor');
}

const ofAnotherType = (name: string): GraftError =>
  damaged(`tensor ${JSON.stringify(name.slice(0, 200))} has numbers of another type than F32, F16, BF16`);

function read({ name, type: { bytes, read: numberAt }, elements, from }: TensorSpan, numbers: Buffer): Float32Array {
  if (numberAt === null) throw ofAnotherType(name);
  const data = new Float32Array(elements);
  for (let index = 0; index < elements; index++) data[index] = numberAt(numbers, from + index * bytes);
  return data;
}
