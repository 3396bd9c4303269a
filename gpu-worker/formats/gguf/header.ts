import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { GraftError } from '../../../src/kernel/errors.js';

type GgufValue = number | bigint | boolean | string | GgufValue[];

export interface GgufTensor {
  name: string;
  /** Fastest-running dimension first, as ggml counts them. */
  dimensions: number[];
  /** ggml's number of the type. */
  type: number;
  /** From the start of the file, in bytes. */
  offset: number;
}

export interface GgufHeader {
  metadata: ReadonlyMap<string, GgufValue>;
  /** Where each entry of the metadata stands, key, type and value: bytes [from, to) of the file. */
  places: ReadonlyMap<string, readonly [from: number, to: number]>;
  /** Each tensor begins at a multiple of so many bytes behind the header. */
  alignment: number;
  tensors: GgufTensor[];
  fileBytes: number;
}

/** ggml's own limits; whatever is beyond them it would refuse, or worse. */
const MAX_DIMENSIONS = 4;
const MAX_NAME_BYTES = 63;
const MAX_ARRAY_DEPTH = 4;
/** The largest vocabularies have 300,000 tokens and twice as many merges, in 20 MB of header; models have some thousand tensors. */
const MAX_HEADER_BYTES = 128 * 1024 ** 2;
const MAX_LIST = 2_000_000;
const MAX_VALUES = 8_000_000;
const MAX_ENTRIES = 65_536;
const MAX_TEXT_BYTES = 4 * 1024 ** 2;

export const invalid = (message: string, cause?: unknown): GraftError =>
  new GraftError('MODEL_FILE_INVALID', message, { cause });
const corrupt = (part: string): GraftError => invalid(`The file’s header is cut short or corrupt (${part}).`);

/**
 * Reads the header of a GGUF file (version 2 or 3) and believes nothing: each length is checked against what the file
 * still has before it is used. The readers on npm take an end of file for zeros, and a length of 2^60 for a reason to loop.
 * @throws MODEL_FILE_INVALID
 */
export function readGgufHeader(path: string): GgufHeader {
  const bytes = new Bytes(path);
  try {
    if (bytes.left < 4 || bytes.take(4).toString('latin1') !== 'GGUF')
      throw invalid('The file is not GGUF: it doesn’t begin with those letters.');
    const version = bytes.u32();
    if (version !== 2 && version !== 3) throw invalid(`GGUF version ${version} can’t be read, only 2 and 3.`);
    const tensorCount = bytes.count(24, 'number of tensors', MAX_ENTRIES);
    const metadataCount = bytes.count(12, 'number of entries', MAX_ENTRIES);
    const metadata = new Map<string, GgufValue>();
    const places = new Map<string, readonly [number, number]>();
    for (let index = 0; index < metadataCount; index++) {
      const from = bytes.position;
      const key = bytes.string();
      metadata.set(key, bytes.value(bytes.u32(), 0));
      places.set(key, [from, bytes.position]);
    }
    const tensors = Array.from({ length: tensorCount }, () => tensor(bytes));
    const alignment = Number(metadata.get('general.alignment') ?? 32);
    if (!Number.isInteger(Math.log2(alignment)) || alignment < 1 || alignment > 2 ** 20) throw corrupt('alignment');
    const dataStart = Math.ceil(bytes.position / alignment) * alignment;
    for (const entry of tensors) entry.offset += dataStart;
    return { metadata, places, alignment, tensors, fileBytes: bytes.size };
  } finally {
    bytes.close();
  }
}

function tensor(bytes: Bytes): GgufTensor {
  const name = bytes.string();
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) throw corrupt('name of a tensor');
  const rank = bytes.u32();
  if (rank > MAX_DIMENSIONS) throw corrupt('dimensions of a tensor');
  const dimensions = Array.from({ length: rank }, () => bytes.u64('dimension of a tensor'));
  return { name, dimensions, type: bytes.u32(), offset: bytes.u64('offset of a tensor') };
}

/** A file read forwards through a window of 1 MiB. */
class Bytes {
  readonly size: number;
  position = 0;
  private readonly file: number;
  private window = Buffer.alloc(0);
  private windowStart = 0;
  private values = 0;

  constructor(path: string) {
    try {
      this.file = openSync(path, 'r');
    } catch (error) {
      throw invalid('The file can’t be opened.', error);
    }
    this.size = fstatSync(this.file).size;
  }

  close(): void {
    closeSync(this.file);
  }

  get left(): number {
    return Math.min(this.size, MAX_HEADER_BYTES) - this.position;
  }

  take(length: number): Buffer {
    if (length > this.left) throw corrupt('end of file');
    let from = this.position - this.windowStart;
    if (from + length > this.window.length) {
      this.window = Buffer.alloc(Math.max(length, Math.min(2 ** 20, this.left)));
      if (readSync(this.file, this.window, 0, this.window.length, this.position) < length) throw corrupt('end of file');
      this.windowStart = this.position;
      from = 0;
    }
    this.position += length;
    return this.window.subarray(from, from + length);
  }

  u32(): number {
    return this.take(4).readUInt32LE();
  }

  u64(part: string): number {
    const value = this.take(8).readBigUInt64LE();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw corrupt(part);
    return Number(value);
  }

  /** A number of things of at least `size` bytes, which the file must still have, and no more of them than `limit`. */
  count(size: number, part: string, limit: number): number {
    const count = this.u64(part);
    if (count * size > this.left) throw corrupt(part);
    if (count > limit) throw invalid(`The file’s header has a ${part} of ${count}; at most ${limit} are read.`);
    return count;
  }

  string(): string {
    return this.take(this.count(1, 'length of a text', MAX_TEXT_BYTES)).toString('utf8');
  }

  value(type: number, depth: number): GgufValue {
    if (++this.values > MAX_VALUES) throw invalid(`The file’s header has more than ${MAX_VALUES} values.`);
    switch (type) {
      case 0:
        return this.take(1).readUInt8();
      case 1:
        return this.take(1).readInt8();
      case 2:
        return this.take(2).readUInt16LE();
      case 3:
        return this.take(2).readInt16LE();
      case 4:
        return this.u32();
      case 5:
        return this.take(4).readInt32LE();
      case 6:
        return this.take(4).readFloatLE();
      case 7:
        return this.take(1).readUInt8() !== 0;
      case 8:
        return this.string();
      case 9:
        return this.array(depth);
      case 10:
        return this.take(8).readBigUInt64LE();
      case 11:
        return this.take(8).readBigInt64LE();
      case 12:
        return this.take(8).readDoubleLE();
      default:
        throw corrupt(`type of a value, ${type}`);
    }
  }

  private array(depth: number): GgufValue[] {
    if (depth >= MAX_ARRAY_DEPTH) throw corrupt('nested lists');
    const type = this.u32();
    const length = this.count(1, 'length of a list', MAX_LIST);
    return Array.from({ length }, () => this.value(type, depth + 1));
  }
}
