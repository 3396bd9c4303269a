import type { Block, ParsedDocument } from '../parsing/document.js';
import { splitSentences } from '../../../kernel/sentences.js';
import { indexText } from '../indexing/lexical-text.js';

/** A passage as search finds it: `text === document.text.slice(start, end)`, at most `CHUNK_SIZE.max` units. */
export interface DraftChunk {
  ordinal: number;
  /** UTF-16 offsets into the document's text. */
  start: number;
  end: number;
  text: string;
  /** Heading path that all of it lies under, outermost first. */
  headings: string[];
  /** Page where it starts; null where the format has no pages. */
  page: number | null;
}

/**
 * UTF-16 units. `target` keeps a chunk with its headings below the embedder's 256 tokens for most texts in European languages;
 * a section of up to `max` stays whole; sections below `small` join their parent or a sibling.
 */
export const CHUNK_SIZE = { target: 900, max: 1200, small: 200 } as const;

/**
 * What documents are read and cut by. Whoever changes a parser or how it is cut raises it: a document that another one cut is read
 * and cut anew when it is ingested again.
 */
export const CHUNKER = 3;

/** What a chunk is to fit, with its headings. */
export interface ChunkReader {
  /** Tokens of a text. */
  tokens: (text: string) => number;
  /** The most that are read. */
  most: number;
}

type Size = Pick<Record<keyof typeof CHUNK_SIZE, number>, 'target' | 'max'>;

/** Chunks are not cut below so many units, whatever they are read by. */
const SMALLEST = 64;

interface Section {
  start: number;
  end: number;
  headings: string[];
  blocks: Block[];
}

/**
 * Cuts a document into chunks at headings, then at sentence ends. Chunks are in order, don't overlap, and hold
 * everything of the text but white space between them. There is no overlap: headings are indexed with every chunk, and an
 * overlap would show the same sentence as two pieces of evidence.
 * @param reader what embeds them: a chunk that it would read in part only is cut further; null: they are cut by their length alone
 */
export function chunkDocument(
  document: Pick<ParsedDocument, 'text' | 'blocks'>,
  reader: ChunkReader | null = null,
): DraftChunk[] {
  const sections = joinSmall(attachHeadings(toSections(document.blocks)));
  return sections
    .flatMap((section) =>
      cutSection(document.text, section, CHUNK_SIZE).flatMap((cut) => fitting(document.text, section, cut, reader)),
    )
    .map((chunk, ordinal) => ({ ...chunk, ordinal }));
}

function toSections(blocks: readonly Block[]): Section[] {
  const sections: Section[] = [];
  for (const block of blocks) {
    const last = sections.at(-1);
    if (last !== undefined && samePath(last.headings, block.headings) && block.kind !== 'heading') {
      last.end = block.end;
      last.blocks.push(block);
    } else sections.push({ start: block.start, end: block.end, headings: block.headings, blocks: [block] });
  }
  return sections;
}

/** Gives a heading without text of its own to the section below it: alone it would say nothing. */
function attachHeadings(sections: readonly Section[]): Section[] {
  const attached: Section[] = [];
  for (const section of sections) {
    const last = attached.at(-1);
    const opens = last !== undefined && isBare(last) && startsWith(section.headings, last.headings);
    if (opens && section.end - last.start <= CHUNK_SIZE.max)
      attached[attached.length - 1] = join(last, section, section.headings);
    else attached.push(section);
  }
  return attached;
}

/** Joins a small section with its parent's text before it, or with its small sibling. */
function joinSmall(sections: readonly Section[]): Section[] {
  const joined: Section[] = [];
  for (const section of sections) {
    const last = joined.at(-1);
    const path = last === undefined ? null : sharedPath(last, section);
    if (last !== undefined && path !== null) joined[joined.length - 1] = join(last, section, path);
    else joined.push(section);
  }
  return joined;
}

/** The path of two neighbours that belong together; null when they don't. */
function sharedPath(last: Section, section: Section): string[] | null {
  const total = section.end - last.start;
  const [a, b] = [last.end - last.start, section.end - section.start];
  if (startsWith(section.headings, last.headings))
    return Math.min(a, b) < CHUNK_SIZE.small && total <= CHUNK_SIZE.target && !isBare(section) ? last.headings : null;
  const parent = last.headings.slice(0, -1);
  const siblings = parent.length > 0 && samePath(parent, section.headings.slice(0, -1));
  return siblings && Math.max(a, b) < CHUNK_SIZE.small && !isBare(section) ? parent : null;
}

const join = (a: Section, b: Section, headings: string[]): Section => ({
  start: a.start,
  end: b.end,
  headings,
  blocks: [...a.blocks, ...b.blocks],
});

type Cut = Omit<DraftChunk, 'ordinal'>;

/** A piece that is not cut again: a sentence with the white space and bullet before it. */
interface Unit {
  start: number;
  end: number;
  /** Starts a block: a better place to cut than inside one. */
  opens: boolean;
  page: number | null;
}

/** What is too long for its reader in as many parts as it takes: texts of formulas and rare words have more tokens than their length says. */
function fitting(text: string, section: Section, cut: Cut, reader: ChunkReader | null): Cut[] {
  const length = cut.end - cut.start;
  if (reader === null || length <= SMALLEST) return [cut];
  const read = indexText(cut);
  // A token is a unit at least; two open and close the text.
  if (read.length + 2 <= reader.most) return [cut];
  const tokens = reader.tokens(read);
  if (tokens <= reader.most) return [cut];
  const headings = tokens - reader.tokens(cut.text);
  // Where headings take most of the room, no cut makes a chunk fit.
  if (headings > reader.most / 2) return [cut];
  const share = (reader.most - headings) / (tokens - headings);
  const max = Math.max(SMALLEST, Math.floor(length * share));
  const size = { max, target: Math.max(SMALLEST, Math.ceil(length / Math.ceil(1 / share))) };
  const blocks = section.blocks
    .filter(({ start, end }) => start < cut.end && end > cut.start)
    .map((block) => ({ ...block, start: Math.max(block.start, cut.start), end: Math.min(block.end, cut.end) }));
  const parts = cutSection(text, { ...section, start: cut.start, end: cut.end, blocks }, size);
  return parts.length < 2 ? parts : parts.flatMap((part) => fitting(text, section, part, reader));
}

function cutSection(text: string, section: Section, size: Size): Cut[] {
  const units = section.blocks.flatMap((block) => toUnits(text, block, size.max));
  const first = units[0];
  if (first === undefined) return [];
  const cuts: Cut[] = [];
  let open: Unit = first;
  let end = first.end;
  let aim = aimFor(section.end - first.start, size);
  const close = () => {
    cuts.push({
      start: open.start,
      end,
      text: text.slice(open.start, end),
      headings: section.headings,
      page: open.page,
    });
  };
  for (const unit of units.slice(1)) {
    const length = end - open.start;
    const grown = unit.end - open.start;
    const blockEnds = unit.opens && length >= 0.75 * aim;
    const nearer = length >= aim / 2 && grown - aim > aim - length;
    if (grown > size.max || (grown > aim && (blockEnds || nearer))) {
      close();
      open = unit;
      aim = aimFor(section.end - unit.start, size);
    }
    end = unit.end;
  }
  close();
  return cuts;
}

/** Equal parts of what remains, rather than full ones and a runt. */
const aimFor = (remaining: number, { max, target }: Size): number =>
  remaining <= max ? max : remaining / Math.ceil(remaining / target);

function toUnits(text: string, block: Block, max: number): Unit[] {
  const units: Unit[] = [];
  let from = block.start;
  for (const sentence of splitSentences(text.slice(block.start, block.end))) {
    const end = block.start + sentence.end;
    while (/\s/.test(text[from] ?? '')) from += 1;
    for (const piece of cutLong(text, from, end, max))
      units.push({ ...piece, opens: units.length === 0, page: block.page });
    from = end;
  }
  // What splitSentences takes for no sentence (a lone bullet) stays with the sentence before it.
  const rest = text.slice(from, block.end).trimEnd().length;
  const last = units.at(-1);
  if (rest > 0 && text.slice(from, from + rest).trim() !== '') {
    if (last !== undefined && from + rest - last.start <= max) last.end = from + rest;
    else
      units.push({
        start: from + skipSpace(text, from),
        end: from + rest,
        opens: last === undefined,
        page: block.page,
      });
  }
  return units;
}

const skipSpace = (text: string, position: number): number =>
  /^\s*/.exec(text.slice(position, position + 4096))?.[0].length ?? 0;

/** Cuts a sentence longer than a chunk at white space, else where no surrogate pair or combining mark is torn. */
function cutLong(text: string, start: number, end: number, max: number): { start: number; end: number }[] {
  const pieces: { start: number; end: number }[] = [];
  let from = start;
  // Three quarters of the most, so that what remains is no runt.
  const target = Math.floor(0.75 * max);
  while (end - from > max) {
    const window = text.slice(from, from + target);
    const space = /\s\S*$/.exec(window.slice(window.length / 2))?.index;
    let to = from + (space === undefined ? window.length : Math.floor(window.length / 2) + space);
    if (space === undefined)
      for (let back = 0; back < 32 && /^[\p{M}\u200d\udc00-\udfff]/u.test(text.slice(to, to + 2)); back += 1) to -= 1;
    if (/[\ud800-\udbff]/.test(text[to - 1] ?? '') && /[\udc00-\udfff]/.test(text[to] ?? '')) to -= 1;
    pieces.push({ start: from, end: to });
    from = to;
    while (from < end && /\s/.test(text[from] ?? '')) from += 1;
  }
  if (from < end) pieces.push({ start: from, end });
  return pieces;
}

const samePath = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && startsWith(b, a);
const startsWith = (path: readonly string[], prefix: readonly string[]): boolean =>
  prefix.every((heading, i) => path[i] === heading);
const isBare = (section: Section): boolean => section.blocks.every((block) => block.kind === 'heading');
