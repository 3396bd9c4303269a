/**
 * Groups texts of similar length, so that little of a batch is padding: texts sorted by length, longest first, each batch
 * at most `maxTokens` once padded to its longest text, but at least one text.
 * @param lengths tokens of each text
 * @returns indexes into `lengths`, a list a batch
 */
export function planBatches(lengths: readonly number[], maxTokens: number): number[][] {
  const order = lengths.map((_, index) => index).sort((a, b) => (lengths[b] ?? 0) - (lengths[a] ?? 0));
  const batches: number[][] = [];
  let batch: number[] = [];
  let width = 0;
  for (const index of order) {
    if (batch.length === 0 || (batch.length + 1) * width > maxTokens) {
      batch = [];
      batches.push(batch);
      width = Math.max(1, lengths[index] ?? 0);
    }
    batch.push(index);
  }
  return batches;
}

/**
 * Mean of the hidden states of a text's own tokens, then scaled to length 1.
 * @param hidden [texts, width, dimensions]
 * @param lengths tokens of each text; the rest of a row is padding
 * @returns [texts, dimensions]
 */
export function meanPool(
  hidden: Float32Array,
  lengths: readonly number[],
  width: number,
  dimensions: number,
): Float32Array {
  const pooled = new Float32Array(lengths.length * dimensions);
  lengths.forEach((length, row) => {
    const vector = pooled.subarray(row * dimensions, (row + 1) * dimensions);
    for (let token = 0; token < length; token++) {
      const from = (row * width + token) * dimensions;
      for (let d = 0; d < dimensions; d++) vector[d]! += hidden[from + d]!;
    }
    let squares = 0;
    for (let d = 0; d < dimensions; d++) squares += vector[d]! * vector[d]!;
    // The mean's divisor cancels in the normalisation.
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let d = 0; d < dimensions; d++) vector[d]! *= scale;
  });
  return pooled;
}
