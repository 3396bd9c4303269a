/**
 * GGUF stores the rows of q and k of the llama architecture with the two halves of each head interleaved, because
 * llama.cpp turns neighbouring rows there; every other architecture, and PEFT, keeps the halves one after the other.
 */
const reorder = (
  rows: Float32Array,
  width: number,
  headSize: number,
  source: (row: number) => number,
): Float32Array => {
  const output = new Float32Array(rows.length);
  for (let row = 0; row * width < rows.length; row++) {
    const head = row - (row % headSize);
    const from = head + source(row % headSize);
    output.set(rows.subarray(from * width, (from + 1) * width), row * width);
  }
  return output;
};

/** From GGUF's order to halves. rows [heads * headSize, width] -> the same. */
export const fromInterleaved = (rows: Float32Array, width: number, headSize: number): Float32Array =>
  reorder(rows, width, headSize, (row) => (row < headSize / 2 ? 2 * row : 2 * (row - headSize / 2) + 1));

/** From halves to GGUF's order. rows [heads * headSize, width] -> the same. */
export const toInterleaved = (rows: Float32Array, width: number, headSize: number): Float32Array =>
  reorder(rows, width, headSize, (row) => (row % 2 === 0 ? row / 2 : headSize / 2 + (row - 1) / 2));
