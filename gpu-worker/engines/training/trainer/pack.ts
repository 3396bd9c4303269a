import type { Feeds, Tensor } from '../executors/executor.js';
import type { DecoderConfig } from '../model/config.js';

/** Added to a score it leaves no weight; a true minus infinity would turn a row without any key into NaN. */
const BLOCKED = -1e9;

/** Sequences side by side, one a row, padded on the right: a causal mask hides the padding from every real token. */
export interface Packed {
  feeds: Feeds;
  rows: number;
  /** Tokens a row, padding included. */
  width: number;
}

/** The inputs `ids`, `positions` and `mask` of the decoder. */
export function packSequences(sequences: readonly Int32Array[], config: DecoderConfig): Packed {
  const rows = sequences.length;
  const width = Math.max(1, ...sequences.map(({ length }) => length));
  const ids = new Int32Array(rows * width);
  const positions = Int32Array.from({ length: rows * width }, (_, index) => index % width);
  sequences.forEach((sequence, row) => ids.set(sequence, row * width));
  return {
    feeds: {
      ids: indices(ids),
      positions: { data: positions, shape: [rows, width] },
      mask: causalMask(width, config.heads / config.keyValueHeads),
    },
    rows,
    width,
  };
}

export const indices = (values: ArrayLike<number>): Tensor => ({
  data: Int32Array.from(values),
  shape: [values.length],
});

const masks = new Map<string, Tensor>();
const MOST_MASKS = 64;

/** [1, 1, queries * width, width]: the same causal triangle for each of the queries that share a key. */
function causalMask(width: number, queries: number): Tensor {
  const key = `${queries} ${width}`;
  const known = masks.get(key);
  if (known !== undefined) return known;
  const data = new Float32Array(queries * width * width);
  for (let row = 0; row < queries * width; row++)
    data.fill(BLOCKED, row * width + (row % width) + 1, (row + 1) * width);
  const mask = { data, shape: [1, 1, queries * width, width] };
  if (masks.size >= MOST_MASKS) masks.delete(masks.keys().next().value as string);
  masks.set(key, mask);
  return mask;
}
