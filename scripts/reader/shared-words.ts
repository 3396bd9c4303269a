/** Words of four letters or more, and those with figures: shorter ones stand everywhere. */
const words = (text: string): Set<string> =>
  new Set(
    text
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu)
      ?.filter((word) => word.length >= 4 || /\p{N}/u.test(word)),
  );

/** How many different words of a text stand in the other. */
export function sharedWords(text: string, other: string): number {
  const held = words(other);
  return [...words(text)].filter((word) => held.has(word)).length;
}
