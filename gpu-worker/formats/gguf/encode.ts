/** A value of GGUF's header, by its type. */
export type GgufField =
  | { u32: number }
  | { f32: number }
  | { bool: boolean }
  | { string: string }
  | { strings: readonly string[] }
  | { i32s: ArrayLike<number> & Iterable<number> };

/** A tensor of type F32; the fastest-running dimension comes first, as ggml counts them. */
export interface GgufF32Tensor {
  name: string;
  dimensions: readonly number[];
  data: Float32Array;
}

/** GGUF's numbers of the types of values. */
const U32 = 4;
const I32 = 5;
const F32 = 6;
const BOOL = 7;
const STRING = 8;
const ARRAY = 9;
const ALIGNMENT = 32;

/** The bytes of a GGUF file, version 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), with weights in F32. */
export function encodeGguf(metadata: Readonly<Record<string, GgufField>>, tensors: readonly GgufF32Tensor[]): Buffer {
  const header = new GgufBytes().raw(Buffer.from('GGUF')).u32(3).u64(tensors.length).u64(Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) header.string(key).value(value);
  const data = new GgufBytes();
  for (const { name, dimensions, data: weights } of tensors) {
    header.string(name).u32(dimensions.length);
    for (const size of dimensions) header.u64(size);
    header.u32(0).u64(data.length); // 0 is F32
    data.raw(Buffer.from(weights.buffer, weights.byteOffset, weights.byteLength)).align();
  }
  return Buffer.concat([header.align().done(), data.done()]);
}

/** Little-endian writer of GGUF's primitive forms. */
export class GgufBytes {
  private readonly parts: Buffer[] = [];
  length = 0;

  raw(data: Buffer): this {
    this.parts.push(data);
    this.length += data.length;
    return this;
  }

  u32(value: number): this {
    const data = Buffer.alloc(4);
    data.writeUInt32LE(value);
    return this.raw(data);
  }

  i32(value: number): this {
    const data = Buffer.alloc(4);
    data.writeInt32LE(value);
    return this.raw(data);
  }

  u64(value: number): this {
    const data = Buffer.alloc(8);
    data.writeBigUInt64LE(BigInt(value));
    return this.raw(data);
  }

  f32(value: number): this {
    const data = Buffer.alloc(4);
    data.writeFloatLE(value);
    return this.raw(data);
  }

  string(value: string): this {
    const data = Buffer.from(value);
    return this.u64(data.length).raw(data);
  }

  value(value: GgufField): this {
    if ('u32' in value) return this.u32(U32).u32(value.u32);
    if ('f32' in value) return this.u32(F32).f32(value.f32);
    if ('bool' in value) return this.u32(BOOL).raw(Buffer.from([value.bool ? 1 : 0]));
    if ('string' in value) return this.u32(STRING).string(value.string);
    const [type, items] = 'strings' in value ? ([STRING, value.strings] as const) : ([I32, value.i32s] as const);
    this.u32(ARRAY).u32(type).u64(items.length);
    for (const item of items)
      if (typeof item === 'string') this.string(item);
      else this.i32(item);
    return this;
  }

  align(alignment = ALIGNMENT): this {
    return this.raw(Buffer.alloc((alignment - (this.length % alignment)) % alignment));
  }

  done(): Buffer {
    return Buffer.concat(this.parts);
  }
}
