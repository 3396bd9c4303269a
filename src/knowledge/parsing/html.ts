import { type DefaultTreeAdapterTypes, parse, parseFragment } from 'parse5';
import { DocumentBuilder, collapse } from './builder.js';
import type { FormatDescription, ParsedDocument, TextFormat } from './document.js';
import { looksLikeHeader, tableText } from './tables.js';

type Node = DefaultTreeAdapterTypes.Node;
type Element = DefaultTreeAdapterTypes.Element;

/** Nothing in them is text of the page. */
const NEVER = new Set(
  'script style noscript template svg math iframe object embed canvas audio video select textarea button input dialog head'.split(
    ' ',
  ),
);
/** They repeat on every page of a site and answer nothing. */
const BOILERPLATE = new Set(['nav', 'footer', 'aside']);
const BOILERPLATE_ROLES = new Set(['navigation', 'banner', 'contentinfo', 'complementary', 'search']);
const BLOCK = new Set(
  'address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form header hgroup html legend li main nav ol p pre section summary table tbody td tfoot th thead tr ul hr h1 h2 h3 h4 h5 h6'.split(
    ' ',
  ),
);
/** Below this depth text is read flat: deep nesting is an attack on the stack, not a structure. */
const MAX_DEPTH = 400;
const MAX_SPAN = 20;

export const html: TextFormat = {
  kind: 'text',
  name: 'html',
  label: 'HTML',
  mediaType: 'text/html',
  aliases: ['application/xhtml+xml'],
  extensions: ['html', 'htm', 'xhtml'],
  sniff: (start) =>
    /^(?:<\?xml[^>]*>\s*)?(?:<!--[\s\S]*?-->\s*)*(?:<!doctype\s+html|<html[\s>]|<head[\s>]|<body[\s>])/i.test(start),
  resembles: () => false,
  parse: (source, name, notes) => parseHtml(source, name, html, notes),
};

/** HTML: scripts, styles, hidden parts and site navigation are dropped; tables become self-contained rows. */
export function parseHtml(
  source: string,
  name: string,
  format: FormatDescription,
  notes: readonly string[] = [],
): ParsedDocument {
  const builder = new DocumentBuilder(format);
  notes.forEach((note) => builder.note(note));
  const page = parse(source);
  const title = find(page, 'title')[0];
  const main = find(page, 'main');
  const root: Node = main.length === 1 && main[0] !== undefined && textOf(main[0]).trim() !== '' ? main[0] : page;
  new Walker(builder).walk(root);
  return builder.finish({ title: title === undefined ? undefined : textOf(title), fallbackTitle: name });
}

/** Adds the blocks of a piece of HTML inside another document (Markdown allows it anywhere). */
export function addHtml(builder: DocumentBuilder, fragment: string): void {
  new Walker(builder).walk(parseFragment(fragment));
}

/** The visible text of an inline fragment, on one line. */
export const htmlToText = (fragment: string): string => collapse(textOf(parseFragment(fragment)));

class Walker {
  private inline = '';

  constructor(private readonly builder: DocumentBuilder) {}

  walk(root: Node): void {
    this.visit(root, 0);
    this.flush();
  }

  private visit(node: Node, depth: number): void {
    if (isText(node)) {
      this.inline += node.value.replace(/\s+/g, ' ');
      return;
    }
    if (!isElement(node)) return this.children(node, depth);
    if (isDropped(node)) return;
    if (depth > MAX_DEPTH) {
      this.inline += textOf(node);
      return;
    }
    const tag = node.tagName;
    if (tag === 'br') this.inline += '\n';
    else if (tag === 'img') this.inline += ` ${attribute(node, 'alt') ?? ''} `;
    else if (/^h[1-6]$/.test(tag)) this.own(() => this.builder.heading(Number(tag[1]), textOf(node)));
    else if (tag === 'pre') this.own(() => this.builder.block('code', textOf(node)));
    else if (tag === 'table') this.table(node);
    else if (tag === 'ul' || tag === 'ol') this.list(node);
    else if (BLOCK.has(tag)) {
      this.flush();
      this.children(node, depth);
      this.flush();
    } else this.children(node, depth);
  }

  private children(node: Node, depth: number): void {
    if ('childNodes' in node) for (const child of node.childNodes) this.visit(child, depth + 1);
  }

  private own(add: () => void): void {
    this.flush();
    add();
  }

  private flush(): void {
    const text = this.inline
      .split('\n')
      .map(collapse)
      .filter((line) => line !== '')
      .join('\n');
    this.inline = '';
    this.builder.block('paragraph', text);
  }

  private list(list: Element): void {
    this.flush();
    this.builder.block('list', listLines(list, 0).join('\n'));
  }

  private table(table: Element): void {
    this.flush();
    const rows = find(table, 'tr').filter((row) => closest(row, 'table') === table);
    const grid = expandSpans(rows);
    // One cell in all, or one column: a frame for layout, not data.
    if (grid.every((row) => row.cells.length <= 1)) return rows.forEach((row) => this.children(row, 0));
    const caption = find(table, 'caption')[0];
    if (caption !== undefined) this.builder.block('paragraph', collapse(textOf(caption)));
    const texts = grid.map((row) => row.cells.map((cell) => textOf(cell)));
    const marked = grid[0] !== undefined && isHeaderRow(grid[0]);
    const header = marked || looksLikeHeader(texts) ? (texts[0] ?? null) : null;
    const lines = grid.slice(header === null ? 0 : 1).map((row, index) => {
      const cells = texts[index + (header === null ? 0 : 1)] ?? [];
      const [name, value] = row.cells;
      // <tr><th>Name</th><td>Value</td></tr>
      if (header === null && row.cells.length === 2 && name?.tagName === 'th' && value?.tagName === 'td')
        return tableText([cells[0] ?? ''], [[cells[1] ?? '']]);
      return tableText(header, [cells]);
    });
    this.builder.block('table', lines.filter((line) => line !== '').join('\n'));
  }
}

interface Row {
  cells: Element[];
  inHead: boolean;
}

/** Repeats cells over the rows and columns that they span, so that each row says everything. */
function expandSpans(rows: Element[]): Row[] {
  const carried = new Map<number, { cell: Element; rows: number }>();
  return rows.map((row) => {
    const own = childElements(row).filter((cell) => cell.tagName === 'td' || cell.tagName === 'th');
    const cells: Element[] = [];
    for (let column = 0; own.length > 0 || carried.has(column); column += 1) {
      const above = carried.get(column);
      if (above !== undefined) {
        cells.push(above.cell);
        above.rows -= 1;
        if (above.rows === 0) carried.delete(column);
        continue;
      }
      const cell = own.shift() as Element;
      const across = span(cell, 'colspan');
      const down = span(cell, 'rowspan');
      for (let i = 0; i < across; i += 1) {
        if (i > 0) column += 1;
        cells.push(cell);
        if (down > 1) carried.set(column, { cell, rows: down - 1 });
      }
    }
    return { cells, inHead: closest(row, 'thead') !== null };
  });
}

const span = (cell: Element, name: string): number =>
  Math.min(MAX_SPAN, Math.max(1, Number.parseInt(attribute(cell, name) ?? '1', 10) || 1));

/** Word processors mark a header row by bold type alone. */
function isHeaderRow(row: Row): boolean {
  if (row.inHead || row.cells.every((cell) => cell.tagName === 'th')) return true;
  return row.cells.every((cell) => {
    const bold = [...find(cell, 'strong'), ...find(cell, 'b')].map((part) => textOf(part)).join('');
    return collapse(bold) !== '' && collapse(bold) === collapse(textOf(cell));
  });
}

function listLines(list: Element, depth: number): string[] {
  if (depth > MAX_DEPTH) return [collapse(textOf(list))];
  const indent = '  '.repeat(Math.min(depth, 8));
  let number = Number.parseInt(attribute(list, 'start') ?? '1', 10) || 1;
  return childElements(list).flatMap((item) => {
    if (item.tagName === 'ul' || item.tagName === 'ol') return listLines(item, depth + 1);
    if (isDropped(item)) return [];
    const nested: string[] = [];
    const own = textOf(item, (child) => {
      if (child.tagName !== 'ul' && child.tagName !== 'ol') return false;
      nested.push(...listLines(child, depth + 1));
      return true;
    });
    const marker = list.tagName === 'ol' ? `${number++}. ` : '- ';
    const line = collapse(own);
    return line === '' ? nested : [indent + marker + line, ...nested];
  });
}

/** All visible text below a node; block elements are kept apart by a space. `skip` may take a child over. */
function textOf(root: Node, skip: (element: Element) => boolean = () => false): string {
  let text = '';
  // An explicit stack: the nesting of an untrusted page has no limit.
  const stack: (Node | string)[] = [root];
  while (stack.length > 0) {
    const node = stack.pop() as Node | string;
    if (typeof node === 'string') {
      text += node;
      continue;
    }
    if (isText(node)) {
      text += node.value;
      continue;
    }
    if (isElement(node) && node !== root) {
      if (isDropped(node) || skip(node)) continue;
      if (node.tagName === 'br') text += '\n';
      if (node.tagName === 'img') text += ` ${attribute(node, 'alt') ?? ''} `;
      if (BLOCK.has(node.tagName)) {
        text += ' ';
        stack.push(' ');
      }
    }
    if ('childNodes' in node)
      for (let i = node.childNodes.length - 1; i >= 0; i -= 1) stack.push(node.childNodes[i] as Node);
  }
  return text;
}

function isDropped(element: Element): boolean {
  if (NEVER.has(element.tagName) || BOILERPLATE.has(element.tagName)) return true;
  if (BOILERPLATE_ROLES.has(attribute(element, 'role') ?? '')) return true;
  if (attribute(element, 'hidden') !== undefined || attribute(element, 'aria-hidden') === 'true') return true;
  return /display\s*:\s*none|visibility\s*:\s*hidden/i.test(attribute(element, 'style') ?? '');
}

function find(root: Node, tagName: string): Element[] {
  const found: Element[] = [];
  const stack: Node[] = [root];
  while (stack.length > 0) {
    const node = stack.pop() as Node;
    if (isElement(node) && node.tagName === tagName) found.push(node);
    if ('childNodes' in node)
      for (let i = node.childNodes.length - 1; i >= 0; i -= 1) stack.push(node.childNodes[i] as Node);
  }
  return found;
}

function closest(element: Element, tagName: string): Element | null {
  for (let node: Node | null = element.parentNode; node !== null && isElement(node); node = node.parentNode)
    if (node.tagName === tagName) return node;
  return null;
}

const childElements = (node: Element): Element[] => node.childNodes.filter(isElement);
const isElement = (node: Node): node is Element => 'tagName' in node;
const isText = (node: Node): node is DefaultTreeAdapterTypes.TextNode => node.nodeName === '#text';
const attribute = (element: Element, name: string): string | undefined =>
  element.attrs.find((candidate) => candidate.name === name)?.value;
