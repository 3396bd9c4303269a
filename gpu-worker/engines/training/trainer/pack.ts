import type { Feeds, Tensor } from '../executors/executor.js';
import type { DecoderConfig } from '../model/config.js';

/** Added to a score it leaves no weight; a true minus infinity would turn a row without any key into NaN. */
const BLOCKED = -1e9;

/** Sequences as the decoder takes them. */
export interface PackedBatch {
  /** Its inputs `ids`, `positions` and `mask`. */
  feeds: Feeds;
  rows: number;
  /** Tokens a row, padding included. */
  width: number;
  /** Where a token of a sequence stands among all tokens of the batch. */
  placeOf: (sequence: number, token: number) => number;
}

/** Sequences side by side, one a row, padded on the right: a causal mask hides the padding from every real token. */
export function packSequences(sequences: readonly Int32Array[], config: DecoderConfig): PackedBatch {
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
    placeOf: (row, token) => row * width + token,
  };
}

/**
 * Sequences that begin with the same `shared` tokens, in one row: the beginning once, then what each goes on with, at the positions
 * it has in its own sequence. Each sees the beginning and itself, so all numbers are those of the sequences apart.
 */
export function packFamily(sequences: readonly Int32Array[], shared: number, config: DecoderConfig): PackedBatch {
  const starts: number[] = [];
  let width = shared;
  for (const { length } of sequences) {
    starts.push(width);
    width += length - shared;
  }
  const ids = new Int32Array(width);
  ids.set(sequences[0]!.subarray(0, shared));
  const positions = Int32Array.from({ length: width }, (_, position) => position);
  const mask = new Float32Array(width * width).fill(BLOCKED);
  for (let position = 0; position < shared; position++) mask.fill(0, position * width, position * width + position + 1);
  sequences.forEach((sequence, index) => {
    const start = starts[index]!;
    ids.set(sequence.subarray(shared), start);
    for (let token = 0; token < sequence.length - shared; token++) {
      const row = (start + token) * width;
      positions[start + token] = shared + token;
      mask.fill(0, row, row + shared);
      mask.fill(0, row + start, row + start + token + 1);
    }
  });
  return {
    feeds: {
      ids: indices(ids),
      positions: { data: positions, shape: [1, width] },
      mask: forEachQuery(mask, width, config.heads / config.keyValueHeads),
    },
    rows: 1,
    width,
    placeOf: (sequence, token) => (token < shared ? token : starts[sequence]! + token - shared),
  };
}

/** [1, 1, queries * width, width]: one mask for each of the queries that share a key. */
function forEachQuery(mask: Float32Array, width: number, queries: number): Tensor {
  const data = new Float32Array(queries * mask.length);
  for (let query = 0; query < queries; query++) data.set(mask, query * mask.length);
  return { data, shape: [1, 1, queries * width, width] };
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
  const cachedMask = masks.get(key);
  if (cachedMask !== undefined) return cachedMask;
  const data = new Float32Array(queries * width * width);
  for (let row = 0; row < queries * width; row++)
    data.fill(BLOCKED, row * width + (row % width) + 1, (row + 1) * width);
  const mask = { data, shape: [1, 1, queries * width, width] };
  if (masks.size >= MOST_MASKS) masks.delete(masks.keys().next().value as string);
  masks.set(key, mask);
  return mask;
}
