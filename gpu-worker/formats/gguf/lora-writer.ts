import { encodeNumbers } from '../../../src/kernel/half.js';

/** One tensor of 32-bit numbers; dimensions as ggml counts them, the fastest-running first. */
export interface GgufTensorData {
  name: string;
  dimensions: readonly number[];
  data: Float32Array;
}

const VERSION = 3;
const ALIGNMENT = 32;
/** ggml's numbers of the types. */
const TYPES = { F32: 0, F16: 1 } as const;
const KEY_TYPES = { float32: 6, string: 8 } as const;

/** The bytes of a GGUF file that holds a LoRA adapter, as llama.cpp loads it (`adapter.type`, `adapter.lora.alpha`). */
export function encodeGgufLora(
  { architecture, name, alpha }: { architecture: string; name: string; alpha: number },
  tensors: readonly GgufTensorData[],
  type: keyof typeof TYPES = 'F32',
): Buffer {
  const metadata: [key: string, type: number, value: Buffer][] = [
    ['general.type', KEY_TYPES.string, text('adapter')],
    ['general.architecture', KEY_TYPES.string, text(architecture)],
    ['general.name', KEY_TYPES.string, text(name)],
    ['adapter.type', KEY_TYPES.string, text('lora')],
    ['adapter.lora.alpha', KEY_TYPES.float32, float(alpha)],
  ];
  const head = [Buffer.from('GGUF'), u32(VERSION), u64(tensors.length), u64(metadata.length)];
  for (const [key, type, value] of metadata) head.push(text(key), u32(type), value);
  const body: Buffer[] = [];
  let offset = 0;
  for (const tensor of tensors) {
    head.push(
      text(tensor.name),
      u32(tensor.dimensions.length),
      ...tensor.dimensions.map(u64),
      u32(TYPES[type]),
      u64(offset),
    );
    const numbers = encodeNumbers(tensor.data, type);
    body.push(numbers, padding(numbers.length));
    offset += numbers.length + padding(numbers.length).length;
  }
  const header = Buffer.concat(head);
  return Buffer.concat([header, padding(header.length), ...body]);
}

const padding = (length: number): Buffer => Buffer.alloc((ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT);

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function float(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

const text = (value: string): Buffer => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
