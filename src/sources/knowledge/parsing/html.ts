import { parse, parseFragment } from 'parse5';
import { DocumentBuilder, collapse } from './builder.js';
import type { FormatDescription, ParsedDocument, TextFormat } from './document.js';
import {
  attribute,
  BLOCK,
  childElements,
  type Element,
  find,
  isElement,
  isText,
  type Node,
  type ParentNode,
  textOf,
} from './html-tree.js';
import { controlledIds, keepVisible } from './html-visible.js';
import { cellsOf, expandSpans, gridText, rowsOf } from './html-table.js';

/** Below this depth text is read flat: deep nesting is an attack on the stack, not a structure. */
const MAX_DEPTH = 400;

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

/** HTML: scripts, styles, parts that nobody can see and site navigation are dropped; tables become self-contained rows. */
export function parseHtml(
  source: string,
  name: string,
  format: FormatDescription,
  notes: readonly string[] = [],
): ParsedDocument {
  const builder = new DocumentBuilder(format);
  notes.forEach((note) => builder.note(note));
  const page = parse(source);
  const title = find(page, 'title').map((element) => textOf(element))[0];
  new Walker(builder).walk(contentOf(page));
  return builder.finish({ title, fallbackTitle: name });
}

/** What of a page is read: its one `main` that has text, else all of it; without what nobody sees. */
function contentOf(page: ParentNode): ParentNode {
  const controlled = controlledIds(page);
  const [main, ...extras] = find(page, 'main');
  if (main !== undefined && extras.length === 0) {
    keepVisible(main, controlled);
    if (textOf(main).trim() !== '') return main;
  }
  keepVisible(page, controlled);
  return page;
}

/** Adds the blocks of a piece of HTML inside another document (Markdown allows it anywhere). */
export function addHtml(builder: DocumentBuilder, fragment: string): void {
  new Walker(builder).walk(visibleFragment(fragment));
}

/** The visible text of an inline fragment, on one line. */
export const htmlToText = (fragment: string): string => collapse(textOf(visibleFragment(fragment)));

function visibleFragment(source: string): ParentNode {
  const fragment = parseFragment(source);
  keepVisible(fragment, controlledIds(fragment));
  return fragment;
}

/** Walks what `keepVisible` left of a tree. */
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
    if (depth > MAX_DEPTH) {
      this.inline += textOf(node);
      return;
    }
    const tag = node.tagName;
    if (tag === 'br') this.inline += '\n';
    else if (tag === 'img') this.inline += ` ${attribute(node, 'alt') ?? ''} `;
    else if (/^h[1-6]$/.test(tag)) this.own(() => this.builder.heading(Number(tag[1]), textOf(node)));
    else if (tag === 'pre') this.own(() => this.builder.block('code', textOf(node)));
    else if (tag === 'table') this.table(node, depth);
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

  private table(table: Element, depth: number): void {
    this.flush();
    const rows = rowsOf(table);
    // One cell in all, or one column: a frame for layout, not data.
    if (rows.every((row) => cellsOf(row).length <= 1)) return rows.forEach((row) => this.children(row, depth));
    const caption = childElements(table).find(({ tagName }) => tagName === 'caption');
    if (caption !== undefined) this.builder.block('paragraph', collapse(textOf(caption)));
    this.builder.block('table', gridText(expandSpans(rows)));
  }
}

function listLines(list: Element, depth: number): string[] {
  if (depth > MAX_DEPTH) return [collapse(textOf(list))];
  const indent = '  '.repeat(Math.min(depth, 8));
  let number = Number.parseInt(attribute(list, 'start') ?? '1', 10) || 1;
  return childElements(list).flatMap((item) => {
    if (item.tagName === 'ul' || item.tagName === 'ol') return listLines(item, depth + 1);
    const nested: string[] = [];
    const ownText = textOf(item, (child) => {
      if (child.tagName !== 'ul' && child.tagName !== 'ol') return false;
      nested.push(...listLines(child, depth + 1));
      return true;
    });
    const marker = list.tagName === 'ol' ? `${number++}. ` : '- ';
    const line = collapse(ownText);
    return line === '' ? nested : [indent + marker + line, ...nested];
  });
}
