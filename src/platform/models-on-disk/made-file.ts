import { open, readFile, type FileHandle } from 'node:fs/promises';
import { brotliDecompressSync } from 'node:zlib';
import { roundedToEven } from '../../kernel/half.js';
import { openSafetensors, type TensorEntry } from '../../kernel/safetensors.js';

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
  const { tensors } = openSafetensors(await readFile(weights));
  let literal = head + 1;
  const file = await open(target, 'w');
  try {
    for (const [length, name, form] of steps) {
      await write(file, packed.subarray(literal, (literal += length)));
      await write(file, inForm(tensors.get(name)!, form));
    }
    await write(file, packed.subarray(literal));
  } finally {
    await file.close();
  }
}

function inForm({ shape, read }: TensorEntry, form: Form): Float32Array | Int8Array {
  const [columns, values] = [shape.at(-1)!, read()];
  if (form === 'values') return values;
  const rows = values.length / columns;
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    let greatest = 0;
    for (let index = row * columns; index < (row + 1) * columns; index++)
      greatest = Math.max(greatest, Math.abs(values[index]!));
    scales[row] = greatest / 127;
  }
  if (form === 'scales') return scales;
  const bytes = new Int8Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const byte = roundedToEven(Math.fround(values[row * columns + column]! / scales[row]!));
      bytes[form === 'rows' ? row * columns + column : column * rows + row] = byte;
    }
  return bytes;
}

const write = (file: FileHandle, { buffer, byteOffset, byteLength }: ArrayBufferView): Promise<unknown> =>
  file.writeFile(new Uint8Array(buffer, byteOffset, byteLength));
