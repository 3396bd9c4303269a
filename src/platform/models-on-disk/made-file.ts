import { open, readFile, type FileHandle } from 'node:fs/promises';
import { brotliDecompressSync } from 'node:zlib';

/**
 * How a stretch of the file follows from a tensor of 32-bit floats `[rows, columns]`: its `values` as they stand; one `scales` value a row,
 * the greatest magnitude over 127; each value over its row's scale as a signed byte, by `rows`, or by `columns` (transposed).
 */
type Form = 'values' | 'scales' | 'rows' | 'columns';
/** So many literal bytes, then the tensor in that form. */
type Step = [literal: number, tensor: string, form: Form];

/**
 * Writes the file that a recipe makes of weights in the safetensors format. The same weights give the same bytes on every machine:
 * each step is one correctly rounded operation of 32-bit floats.
 * @param recipe Brotli in base64: the steps as JSON, a line feed, then all literal bytes; those that are left end the file
 */
export async function makeFile(weights: string, recipe: string, target: string): Promise<void> {
  const packed = brotliDecompressSync(Buffer.from(recipe, 'base64'));
  const head = packed.indexOf('\n');
  const steps = JSON.parse(packed.toString('utf8', 0, head)) as Step[];
  const tensorOf = readTensors(await readFile(weights));
  let literal = head + 1;
  const file = await open(target, 'w');
  try {
    for (const [length, name, form] of steps) {
      await write(file, packed.subarray(literal, (literal += length)));
      await write(file, inForm(tensorOf(name), form));
    }
    await write(file, packed.subarray(literal));
  } finally {
    await file.close();
  }
}

interface Tensor {
  columns: number;
  values: Float32Array;
}

function readTensors(file: Buffer): (name: string) => Tensor {
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, start)) as Record<
    string,
    { shape: number[]; data_offsets: [number, number] }
  >;
  return (name) => {
    const { shape, data_offsets: offsets } = header[name]!;
    // A copy, because floats must begin at a multiple of four.
    const bytes = new Uint8Array(file.subarray(start + offsets[0], start + offsets[1]));
    return { columns: shape.at(-1)!, values: new Float32Array(bytes.buffer) };
  };
}

function inForm({ columns, values }: Tensor, form: Form): Float32Array | Int8Array {
  if (form === 'values') return values;
  const rows = values.length / columns;
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    let greatest = 0;
    for (let at = row * columns; at < (row + 1) * columns; at++) greatest = Math.max(greatest, Math.abs(values[at]!));
    scales[row] = greatest / 127;
  }
  if (form === 'scales') return scales;
  const bytes = new Int8Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const byte = nearestEven(Math.fround(values[row * columns + column]! / scales[row]!));
      bytes[form === 'rows' ? row * columns + column : column * rows + row] = byte;
    }
  return bytes;
}

/** The nearest whole number; of two, the even one. */
function nearestEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
}

const write = (file: FileHandle, { buffer, byteOffset, byteLength }: ArrayBufferView): Promise<unknown> =>
  file.writeFile(new Uint8Array(buffer, byteOffset, byteLength));
