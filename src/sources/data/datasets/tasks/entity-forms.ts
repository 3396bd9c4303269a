import type { Entity } from './task.js';

/** Entities found in a text, and what could not be decided. Offsets count UTF-16 units. */
interface FoundEntities {
  entities: Entity[];
  /** Mentions that stand in the text more often than they are listed, or are listed under two types: the first unused place was taken. */
  ambiguous: string[];
  /** Mentions that don't stand in the text, or not often enough. */
  missing: string[];
}

const WORD = /[\p{L}\p{N}]/u;

const isWordAt = (text: string, position: number): boolean =>
  position >= 0 && position < text.length && WORD.test(text[position]!);

/** Places of `mention` in `text` where it isn't a part of a longer word; all places if there are none such. */
function occurrences(text: string, mention: string): number[] {
  const positions: number[] = [];
  for (let position = text.indexOf(mention); position >= 0; position = text.indexOf(mention, position + 1))
    positions.push(position);
  const whole = positions.filter(
    (position) =>
      !(isWordAt(mention, 0) && isWordAt(text, position - 1)) &&
      !(isWordAt(mention, mention.length - 1) && isWordAt(text, position + mention.length)),
  );
  return whole.length > 0 ? whole : positions;
}

/**
 * Entities listed by type without offsets (`{"person": ["Ada"], …}`). Longer mentions choose first, so that "New York"
 * doesn't take the place inside "New York Times"; each takes its first place that no other has taken.
 */
export function locateMentions(text: string, byType: Readonly<Record<string, readonly string[]>>): FoundEntities {
  const mentions = Object.entries(byType)
    .flatMap(([type, list]) => list.map((mention) => ({ type, mention })))
    .filter(({ mention }) => mention !== '');
  const listed = new Map<string, number>();
  const typesOf = new Map<string, Set<string>>();
  for (const { mention, type } of mentions) {
    listed.set(mention, (listed.get(mention) ?? 0) + 1);
    typesOf.set(mention, (typesOf.get(mention) ?? new Set()).add(type));
  }

  const result: FoundEntities = { entities: [], ambiguous: [], missing: [] };
  const isFree = (start: number, end: number) => result.entities.every((e) => end <= e.start || start >= e.end);
  const longestFirst = [...mentions].sort((a, b) => b.mention.length - a.mention.length);
  for (const { type, mention } of longestFirst) {
    const places = occurrences(text, mention).filter((position) => isFree(position, position + mention.length));
    const start = places[0];
    if (start === undefined) {
      result.missing.push(mention);
      continue;
    }
    // More free places than mentions still to be placed, or two types for two places: another choice would have been as good.
    if (places.length > listed.get(mention)! || typesOf.get(mention)!.size > 1) result.ambiguous.push(mention);
    listed.set(mention, listed.get(mention)! - 1);
    result.entities.push({ type, text: mention, start, end: start + mention.length });
  }
  result.entities.sort((a, b) => a.start - b.start);
  result.ambiguous = [...new Set(result.ambiguous)];
  return result;
}

/**
 * Tokens with BIO (or IOB1, BIOES) tags as one text with entities: tokens are joined by one space.
 * @returns null when there are not as many tags as tokens, or a tag has none of these forms
 */
export function fromBio(
  tokens: readonly string[],
  tags: readonly string[],
): { text: string; entities: Entity[] } | null {
  if (tokens.length !== tags.length) return null;
  const text = tokens.join(' ');
  const entities: Entity[] = [];
  let open: { type: string; start: number } | null = null;
  let offset = 0;
  const close = (end: number) => {
    if (open) entities.push({ type: open.type, start: open.start, end, text: text.slice(open.start, end) });
    open = null;
  };
  for (const [i, token] of tokens.entries()) {
    const tag = /^(?:(O)|([BIESLU])-(.+))$/.exec(tags[i]!);
    if (!tag) return null;
    const [, outside, position, type = ''] = tag;
    const continues =
      open && (position === 'I' || position === 'E' || position === 'L') && (open as { type: string }).type === type;
    if (!continues) {
      close(offset - 1);
      if (!outside) open = { type, start: offset };
    }
    offset += token.length + 1;
  }
  close(text.length);
  return { text, entities };
}

/** Turns offsets that count code points (Python's, hence most public sets') into UTF-16 offsets; past the end stays past the end. */
export function codePointOffsets(text: string): (codePoints: number) => number {
  if (!/[\ud800-\udbff]/.test(text)) return (offset) => offset;
  const starts: number[] = [];
  for (let index = 0; index < text.length; index += text.codePointAt(index)! > 0xffff ? 2 : 1) starts.push(index);
  return (offset) => starts[offset] ?? text.length + Math.max(0, offset - starts.length);
}
