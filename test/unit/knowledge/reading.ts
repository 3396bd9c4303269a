import type { ParsedDocument } from '../../../src/sources/knowledge/parsing/document.js';
import { parseDocument } from '../../../src/sources/knowledge/parsing/parse.js';

export const parse = (content: string | Buffer, name = 'a.txt', mediaType: string | null = null) =>
  parseDocument(Buffer.from(content as string), { name, mediaType });

/** Each block with the headings above it. */
export const outline = (document: ParsedDocument) =>
  document.blocks.map((block) => [block.headings.join(' > '), document.text.slice(block.start, block.end)]);
