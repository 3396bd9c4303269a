const bare = (text: string): string => text.replace(/[\s?!.]+$/u, '');

/** How people write the same thing: case and marks, and manners. Their meaning is one, so a classifier must not tell them apart. */
const SPELLINGS: readonly (readonly ((text: string) => string)[])[] = [
  [
    (text) => bare(text).toLowerCase(),
    (text) => text.toUpperCase(),
    (text) => `${bare(text)}?`,
    (text) => `${bare(text)}.`,
  ],
  [
    (text) => `Hello, ${text}`,
    (text) => `Hi, ${bare(text)}. Thanks!`,
    (text) => `${text.charAt(0).toUpperCase()}${bare(text).slice(1)}, please.`,
    (text) => `Dear team, ${text} Kind regards`,
  ],
];

/** A text as it was written, with other case or marks, and with manners. */
export const spelled = (text: string, random: () => number): string[] => [
  text,
  ...SPELLINGS.map((kind) => kind[Math.floor(random() * kind.length)]!(text)),
];
