/** How many values a bucket can have: `hash` returns whole multiples of one over this. */
export const BUCKETS = 10_000;

/** FNV-1a of 32 bits over UTF-16 code units (Fowler, Noll, Vo; RFC 9923), which for ASCII are its bytes. */
function fnv1a32(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

/**
 * Where a unit falls, 0 to below 1, the same in every gateway and after every restart (version 2 of GrowthBook's published scheme, "Build
 * your own SDK"). It hashes twice, so that two seeds place the same units independently of each other.
 */
export const hash = (seed: string, unit: string): number => (fnv1a32(`${fnv1a32(seed + unit)}`) % BUCKETS) / BUCKETS;
