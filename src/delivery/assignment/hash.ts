/** 1 is what old SDKs compute, 1,000 buckets and biased for seeds that are alike; 2 has 10,000 buckets and is what new tests take. */
export type HashVersion = 1 | 2;

/** How many values a bucket can have: `hash` returns whole multiples of one over this. */
export const BUCKETS: Readonly<Record<HashVersion, number>> = { 1: 1_000, 2: 10_000 };

/** FNV-1a of 32 bits over UTF-16 code units (Fowler, Noll, Vo; RFC 9923), which for ASCII are its bytes. */
function fnv1a32(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

/**
 * Where a unit falls, 0 to below 1, the same in every gateway and after every restart (GrowthBook's published scheme, "Build your own
 * SDK"). Version 2 hashes twice, so that two seeds place the same units independently of each other.
 * @returns null for a version that nobody knows
 */
export function hash(seed: string, value: string, version: number): number | null {
  if (version === 2) return (fnv1a32(`${fnv1a32(seed + value)}`) % BUCKETS[2]) / BUCKETS[2];
  if (version === 1) return (fnv1a32(value + seed) % BUCKETS[1]) / BUCKETS[1];
  return null;
}
