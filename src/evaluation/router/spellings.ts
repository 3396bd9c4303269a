const bare = (text: string): string => text.replace(/[\s?!.]+$/u, '');

/** How people write the same thing: their meaning is one, so a classifier must not tell them apart. */
const SPELLINGS: readonly ((text: string) => string)[] = [
  (text) => bare(text).toLowerCase(),
  (text) => text.toUpperCase(),
  (text) => `${bare(text)}?`,
  (text) => `${bare(text)}.`,
  (text) => `Hello, ${text}`,
  (text) => `Hi, ${bare(text)}. Thanks!`,
  (text) => `${text.charAt(0).toUpperCase()}${bare(text).slice(1)}, please.`,
];

/** A text as it was written, and `others` of its other spellings. */
export function spelled(text: string, others: number, random: () => number): string[] {
  const first = Math.floor(random() * SPELLINGS.length);
  const further = Array.from({ length: others }, (_, i) => SPELLINGS[(first + i) % SPELLINGS.length]!(text));
  return [text, ...further];
}
