export { holdsAnswer as holdsGold } from '../../src/prove/index.js';

/** So many of the items at most, spread over all of them. */
export const every = <T>(items: readonly T[], most: number): T[] => {
  const step = Math.max(1, items.length / Math.max(1, most));
  return Array.from({ length: Math.min(most, items.length) }, (_, index) => items[Math.floor(index * step)]!);
};
