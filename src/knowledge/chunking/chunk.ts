import type { Block, ParsedDocument } from '../parsing/document.js';
import { splitSentences } from '../../kernel/sentences.js';

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
 * UTF-16 units. `target` keeps a chunk with its headings below the embedder's 256 tokens for European languages;
 * a section of up to `max` stays whole; sections below `small` join their parent or a sibling.
 */
export const CHUNK_SIZE = { target: 900, max: 1200, small: 200 } as const;

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
 */
export function chunkDocument(document: Pick<ParsedDocument, 'text' | 'blocks'>): DraftChunk[] {
  const sections = joinSmall(attachHeadings(toSections(document.blocks)));
  return sections
    .flatMap((section) => cutSection(document.text, section))
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

function cutSection(text: string, section: Section): Cut[] {
  const units = section.blocks.flatMap((block) => toUnits(text, block));
  const first = units[0];
  if (first === undefined) return [];
  const cuts: Cut[] = [];
  let open: Unit = first;
  let end = first.end;
  let aim = aimFor(section.end - first.start);
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
    if (grown > CHUNK_SIZE.max || (grown > aim && (blockEnds || nearer))) {
      close();
      open = unit;
      aim = aimFor(section.end - unit.start);
    }
    end = unit.end;
  }
  close();
  return cuts;
}

/** Equal parts of what remains, rather than full ones and a runt. */
const aimFor = (remaining: number): number =>
  remaining <= CHUNK_SIZE.max ? CHUNK_SIZE.max : remaining / Math.ceil(remaining / CHUNK_SIZE.target);

function toUnits(text: string, block: Block): Unit[] {
  const units: Unit[] = [];
  let from = block.start;
  for (const sentence of splitSentences(text.slice(block.start, block.end))) {
    const end = block.start + sentence.end;
    while (/\s/.test(text[from] ?? '')) from += 1;
    for (const piece of cutLong(text, from, end)) units.push({ ...piece, opens: units.length === 0, page: block.page });
    from = end;
  }
  // What splitSentences takes for no sentence (a lone bullet) stays with the sentence before it.
  const rest = text.slice(from, block.end).trimEnd().length;
  const last = units.at(-1);
  if (rest > 0 && text.slice(from, from + rest).trim() !== '') {
    if (last !== undefined && from + rest - last.start <= CHUNK_SIZE.max) last.end = from + rest;
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

const skipSpace = (text: string, at: number): number => /^\s*/.exec(text.slice(at, at + 4096))?.[0].length ?? 0;

/** Cuts a sentence longer than a chunk at white space, else where no surrogate pair or combining mark is torn. */
function cutLong(text: string, start: number, end: number): { start: number; end: number }[] {
  const pieces: { start: number; end: number }[] = [];
  let from = start;
  while (end - from > CHUNK_SIZE.max) {
    const window = text.slice(from, from + CHUNK_SIZE.target);
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
