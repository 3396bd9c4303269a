/** Faults planted into data with a known seed, so that what a check finds can be counted against what is there. */
import { seededRandom, shuffled } from '../../src/kernel/random.js';

/** Returns numbers in [0, 1). */
export type Random = () => number;

export const below = (random: Random, n: number): number => Math.floor(random() * n);
export const pick = <T>(random: Random, items: ArrayLike<T>): T => items[below(random, items.length)]!;
export const repeat = (n: number, piece: () => string): string => Array.from({ length: n }, piece).join('');

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/** A letter replaced, doubled, left out, or swapped with its neighbour. */
function typo(text: string, random: Random): string {
  const places = [...text.matchAll(/[a-z]/gi)].map((match) => match.index);
  if (places.length === 0) return text;
  const at = pick(random, places);
  const [before, letter, after] = [text.slice(0, at), text[at]!, text.slice(at + 1)];
  switch (below(random, 4)) {
    case 0:
      return before + pick(random, LETTERS) + after;
    case 1:
      return before + letter + letter + after;
    case 2:
      return before + after;
    default:
      return before + after.slice(0, 1) + letter + after.slice(1);
  }
}

type Edit = (text: string, random: Random, words: readonly string[]) => string;

/** Splices words: at a random place, `remove` of them are replaced by `add` others. */
const splice =
  (remove: number, add: number): Edit =>
  (text, random, words) => {
    const parts = text.split(' ');
    const at = below(random, Math.max(1, parts.length - remove + 1));
    parts.splice(at, remove, ...Array.from({ length: add }, () => pick(random, words)));
    return parts.join(' ');
  };

const times =
  (n: number, edit: Edit): Edit =>
  (text, random, words) => {
    for (let i = 0; i < n; i += 1) text = edit(text, random, words);
    return text;
  };

/** What people do to a text they copy, from nothing to what makes it another text. */
export const EDITS = {
  'exact copy': (text) => text,
  'case and punctuation': (text) => `${text.toUpperCase().replace(/[.,?!]/g, '')}!!`,
  'one typo': typo,
  'a word added': splice(0, 1),
  'a word dropped': splice(1, 0),
  'a word replaced': splice(1, 1),
  'two typos': times(2, typo),
  'two words replaced': times(2, splice(1, 1)),
  'three typos': times(3, typo),
  'greeting before it': (text) => `Hello, ${text}`,
  'sentence behind it': (text) => `${text} Please help me.`,
} satisfies Record<string, Edit>;
export type EditName = keyof typeof EDITS;
export const EDIT_NAMES = Object.keys(EDITS) as EditName[];

export interface LabelledText {
  text: string;
  label: string;
}

/** Gives a share of the rows another label of the set, each with the same probability. @returns indexes of these rows */
export function flipLabels(
  rows: readonly LabelledText[],
  share: number,
  random: Random,
): { rows: LabelledText[]; flipped: Set<number> } {
  const labels = [...new Set(rows.map(({ label }) => label))].sort();
  const order = shuffled([...rows.keys()], random);
  const flipped = new Set(order.slice(0, Math.round(share * rows.length)));
  return {
    rows: rows.map(({ text, label }, i) =>
      flipped.has(i)
        ? {
            text,
            label: pick(
              random,
              labels.filter((other) => other !== label),
            ),
          }
        : { text, label },
    ),
    flipped,
  };
}

const VOCABULARY = 20_000;
const TOPICS = 40;
const RECENT = 1_000;
const CHUNK = 1_000;

/**
 * CSV with `text,label`, in pieces of a thousand rows: 6 to 24 words each from a vocabulary whose first words are far more frequent than its
 * last, a quarter of them from the label's own part of it. 1 % of the rows are copies and 1 % near copies of one of the
 * last thousand, as in logs of messages.
 */
export function* generatedCsv(rows: number, seed: number): Generator<Buffer> {
  const random = seededRandom(seed);
  const syllable = () =>
    pick(random, 'bcdfghklmnprstvw') + pick(random, 'aeiou') + pick(random, ['', '', 'n', 'r', 's']);
  const words = Array.from({ length: VOCABULARY }, () => repeat(1 + below(random, 4), syllable));
  const recent: LabelledText[] = [];
  let piece = 'text,label\n';
  for (let n = 0; n < rows; n += 1) {
    const topic = below(random, TOPICS);
    const word = () =>
      random() < 0.25
        ? words[topic * (VOCABULARY / TOPICS) + below(random, 50)]!
        : words[Math.floor(VOCABULARY * random() ** 3)]!;
    const kind = n < RECENT ? 1 : random();
    let row = { text: Array.from({ length: 6 + below(random, 19) }, word).join(' '), label: `topic-${topic}` };
    if (kind < 0.02) row = { ...pick(random, recent) };
    if (kind < 0.01) row.text = EDITS['one typo'](row.text, random);
    recent[n % RECENT] = row;
    piece += `${row.text},${row.label}\n`;
    if (n % CHUNK === CHUNK - 1 || n === rows - 1) {
      yield Buffer.from(piece);
      piece = '';
    }
  }
}
