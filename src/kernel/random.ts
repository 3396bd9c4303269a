/** Numbers in [0, 1), the same for the same seed: mulberry32 (T. Ettinger). For draws that must be repeatable, not for secrets. */
export function seededRandom(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The same items in another order (Fisher and Yates). */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const swap = Math.floor(random() * (last + 1));
    [order[last], order[swap]] = [order[swap]!, order[last]!];
  }
  return order;
}

/**
 * At most so many items, each equally likely to be among them, in their order; the same seed draws the same of them. Holds no more
 * than it returns (reservoir sampling, Vitter 1985, algorithm R).
 */
export async function sampled<T>(items: AsyncIterable<T>, limit: number, seed: number): Promise<T[]> {
  const random = seededRandom(seed);
  const sample: { place: number; item: T }[] = [];
  let count = 0;
  for await (const item of items) {
    count += 1;
    const slot = count <= limit ? count - 1 : Math.floor(random() * count);
    if (slot < limit) sample[slot] = { place: count, item };
  }
  return sample.sort((a, b) => a.place - b.place).map(({ item }) => item);
}
