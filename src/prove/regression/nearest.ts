/** For each text the rows nearest to it, nearest first: row-major [texts, most], -1 where there are fewer rows. */
export interface Nearest {
  indices: Int32Array;
  /** Cosine similarities, -1 to 1. */
  similarities: Float32Array;
}

/**
 * The nearest rows of each text by the inner product of unit vectors, over all rows.
 * @param vectors row-major [rows, dimensions] @param texts row-major [texts, dimensions]
 * @param without for each text the row that doesn't count: the text itself
 */
export function nearest(
  vectors: Float32Array,
  texts: Float32Array,
  { dimensions, most, without }: { dimensions: number; most: number; without?: readonly number[] },
): Nearest {
  const count = texts.length / dimensions;
  const [indices, similarities] = [
    new Int32Array(count * most).fill(-1),
    new Float32Array(count * most).fill(-Infinity),
  ];
  for (let text = 0; text < count; text++) {
    const first = text * most;
    const last = first + most - 1;
    for (let row = 0; row * dimensions < vectors.length; row++) {
      if (row === without?.[text]) continue;
      const similarity = product(vectors, row * dimensions, texts, text * dimensions, dimensions);
      if (similarity <= similarities[last]!) continue;
      let place = last;
      for (; place > first && similarities[place - 1]! < similarity; place--) {
        similarities[place] = similarities[place - 1]!;
        indices[place] = indices[place - 1]!;
      }
      similarities[place] = similarity;
      indices[place] = row;
    }
  }
  return { indices, similarities };
}

function product(a: Float32Array, aFrom: number, b: Float32Array, bFrom: number, dimensions: number): number {
  let sum = 0;
  for (let i = 0; i < dimensions; i++) sum += a[aFrom + i]! * b[bFrom + i]!;
  return sum;
}
