import type { MarkedCopy } from '../../../../worker-protocol/index.js';
import type { LabelWords } from './label-words.js';
import type { Entity } from './task.js';

/** Pairs of characters that may enclose a mention; a text is marked with the first that it doesn't hold. */
const BRACKETS = [
  ['[', ']'],
  ['{', '}'],
  ['⟦', '⟧'],
  ['⟪', '⟫'],
] as const;

const bracketsFor = (text: string) =>
  BRACKETS.find((pair) => pair.every((bracket) => !text.includes(bracket))) ?? BRACKETS[3];

const BETWEEN = '|';

/** What a marked copy of the text may say; null where it holds nothing, or no type is known. */
export function marksOf(text: string, types: LabelWords): MarkedCopy | null {
  const [open, close] = bracketsFor(text);
  const copied = text.trim();
  if (copied === '' || types.labels.length === 0) return null;
  return { text: copied, open, between: BETWEEN, close, types: types.labels.map((type) => types.say(type)) };
}

/**
 * The text with its entities marked in place: `[Ada Lovelace|person] was born in [London|location].` Every token but the marks
 * is copied, but for blanks at the ends, which no prompt keeps. Of entities that overlap the first and longest is marked; those without a place in the text are not.
 */
export function markEntities(
  { text, entities }: { text: string; entities: readonly Entity[] },
  types: LabelWords,
): string {
  const [open, close] = bracketsFor(text);
  let marked = '';
  let position = 0;
  for (const { start, end, type } of [...entities].sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (start < position || end <= start || end > text.length) continue;
    marked += `${text.slice(position, start)}${open}${text.slice(start, end)}${BETWEEN}${types.say(type)}${close}`;
    position = end;
  }
  return (marked + text.slice(position)).trim();
}

/**
 * Entities of a marked copy, each with its place in `text`: what the copy says in front of a mark decides where it stands, and
 * where the copy has gone astray the next place of its words does. Marks of unknown types, and words that don't stand in the
 * text behind the mark before, are left out: no entity is made up.
 */
export function readMarks(copy: string, text: string, types: LabelWords): Entity[] {
  const [open, close] = bracketsFor(text);
  const [o, c] = [open, close].map((bracket) => (/[[\]{}]/.test(bracket) ? `\\${bracket}` : bracket));
  const mark = new RegExp(`${o}([^${o}${c}]+)\\${BETWEEN}([^${BETWEEN}${o}${c}]+)${c}`, 'gu');
  const entities: Entity[] = [];
  let position = text.length - text.trimStart().length;
  let read = copy.length - copy.trimStart().length;
  for (const { 0: whole, 1: words, 2: typeWord, index } of copy.matchAll(mark)) {
    const copied = position + index - read;
    const start =
      text.startsWith(words!, copied) && copy.slice(read, index) === text.slice(position, copied)
        ? copied
        : text.indexOf(words!, position);
    read = index + whole.length;
    const type = types.hear(typeWord!);
    if (start < 0) continue;
    position = start + words!.length;
    if (type !== null) entities.push({ type, start, end: position, text: words! });
  }
  return entities;
}
