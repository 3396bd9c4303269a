const { imul } = Math;

/** Length of the character shingles; five is the usual choice for short texts (Leskovec et al., Mining of Massive Datasets, 3.2). */
const SHINGLE = 5;
/** 24 bands of 5: a pair at Jaccard 0.7 shares a band with probability 1 - (1 - 0.7^5)^24 = 0.988, one at 0.8 with 0.9999, one at 0.4 with 0.22. */
export const BANDS = 24;
const ROWS = 5;
const HASHES = BANDS * ROWS;

/** Pairs at least this alike are near duplicates. */
export const NEAR_DUPLICATE = 0.7;

/** Finaliser of MurmurHash3: every bit of the input moves half of the output. */
function mix(h: number): number {
  h = imul(h ^ (h >>> 16), 0x85ebca6b);
  h = imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The set of 32-bit hashes of all five-character pieces of a text in `wordsForm`; a shorter text is one piece. */
export function shingles(words: string): Set<number> {
  const set = new Set<number>();
  const last = Math.max(0, words.length - SHINGLE);
  for (let start = 0; start <= last; start++) {
    let h = 0;
    for (let i = start; i < start + SHINGLE && i < words.length; i++)
      h = (imul(h, 0x01000193) ^ words.charCodeAt(i)) | 0;
    set.add(mix(h));
  }
  return set;
}

/** |A ∩ B| / |A ∪ B|; 1 for two empty sets. */
export function jaccard(a: ReadonlySet<number>, b: ReadonlySet<number>): number {
  const [small, large] = a.size < b.size ? [a, b] : [b, a];
  let shared = 0;
  for (const item of small) if (large.has(item)) shared++;
  const union = a.size + b.size - shared;
  return union === 0 ? 1 : shared / union;
}

// Fixed, so that a version's report is the same on every machine.
const MULTIPLIERS = Int32Array.from({ length: HASHES }, (_, i) => mix(2 * i + 1) | 1);
const INCREMENTS = Int32Array.from({ length: HASHES }, (_, i) => mix(0x9e3779b9 + i));

/** The band keys of a set of shingles: two sets that share one are candidates. Each is a signed 32-bit integer. */
export function bandKeys(set: ReadonlySet<number>): Int32Array {
  const minima = new Uint32Array(HASHES).fill(0xffffffff);
  for (const item of set)
    for (let i = 0; i < HASHES; i++) {
      const h = (imul(item, MULTIPLIERS[i]!) + INCREMENTS[i]!) >>> 0;
      if (h < minima[i]!) minima[i] = h;
    }
  const keys = new Int32Array(BANDS);
  for (let band = 0; band < BANDS; band++) {
    let key = band;
    for (let row = 0; row < ROWS; row++) key = mix(imul(key, 31) ^ minima[band * ROWS + row]!);
    keys[band] = key;
  }
  return keys;
}
