/**
 * A size that is known when the graph is built, or the name of one that each run brings: `batch`, `sequence`, or a product
 * of such names and a number, `batch*sequence`, `3*sequence`.
 */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** The product of sizes, written one way only, so that equal sizes compare equal. */
export function product(...sizes: readonly Dim[]): Dim {
  let factor = 1;
  const names: string[] = [];
  for (const part of sizes.flatMap((size) => String(size).split('*')))
    if (/^\d+$/.test(part)) factor *= Number(part);
    else names.push(part);
  if (names.length === 0) return factor;
  return [...(factor === 1 ? [] : [factor]), ...names.sort()].join('*');
}

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((size, axis) => size === b[axis]);

export const showShape = (shape: Shape): string => `[${shape.join(', ')}]`;

/** Sizes by name, as one run's inputs give them. */
export type Sizes = ReadonlyMap<string, number>;

/** @throws Error when a run doesn't bring a size of that name */
export function sizeOf(dim: Dim, sizes: Sizes): number {
  if (typeof dim === 'number') return dim;
  return dim.split('*').reduce((total, part) => {
    const size = /^\d+$/.test(part) ? Number(part) : sizes.get(part);
    if (size === undefined) throw new Error(`No input of this run has a size named ${part}.`);
    return total * size;
  }, 1);
}

/** The named sizes that inputs of these shapes bring; a product needs no input of its own. */
export function sizesOf(inputs: Iterable<{ shape: Shape; given: readonly number[] }>): Sizes {
  const sizes = new Map<string, number>();
  for (const { shape, given } of inputs)
    shape.forEach((dim, axis) => {
      if (typeof dim === 'string' && !dim.includes('*')) sizes.set(dim, given[axis] ?? NaN);
    });
  return sizes;
}
