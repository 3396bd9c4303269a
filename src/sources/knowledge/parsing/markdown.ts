import type { List, ListItem, Nodes, RootContent, Table } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';
import { DocumentBuilder, cleanText, collapse } from './builder.js';
import { contactBeside } from './contacts.js';
import type { ParsedDocument, TextFormat } from './document.js';
import { addHtml, htmlToText } from './html.js';
import { tableText } from './tables.js';

export const markdown: TextFormat = {
  kind: 'text',
  name: 'markdown',
  label: 'Markdown',
  mediaType: 'text/markdown',
  aliases: ['text/x-markdown', 'text/md'],
  extensions: ['md', 'markdown', 'mdown'],
  sniff: () => false,
  resembles: looksLikeMarkdown,
  parse: parseMarkdown,
};

const FRONT_MATTER = /^---\n([\s\S]*?)\n(?:---|\.\.\.)(?:\n|$)/;

/** GitHub-flavoured Markdown, rendered: marks vanish, tables become self-contained rows, headings the path. */
function parseMarkdown(source: string, name: string, notes: string[]): ParsedDocument {
  const builder = new DocumentBuilder(markdown);
  notes.forEach((note) => builder.note(note));
  const clean = cleanText(source);
  const frontMatter = FRONT_MATTER.exec(clean);
  const nested = frontMatter === null ? clean : clean.slice(frontMatter[0].length);
  const body = nested.replace(TOO_DEEP, '$1');
  if (body !== nested)
    builder.note(`Quotes and lists nested deeper than ${MOST_LEVELS} levels were brought up to that level.`);
  const inlineMarks = pairingCost(body) <= MOST_PAIRING_COST;
  if (!inlineMarks) builder.note('Too many brackets or asterisks at one place: links and emphasis were not read.');
  // One tilde is mostly no mark: `10~20 °C and 30~40 °C`.
  const syntax = gfm({ singleTilde: false });
  const extensions = inlineMarks ? [syntax] : [syntax, { disable: { null: PAIRED_MARKS } }];
  const tree = fromMarkdown(body, { extensions, mdastExtensions: [gfmFromMarkdown()] });
  tree.children.forEach((node) => addNode(builder, node));
  const title = /^title:\s*(["']?)(.+)\1\s*$/m.exec(frontMatter?.[1] ?? '')?.[2];
  return builder.finish({ title, fallbackTitle: name });
}

const MOST_LEVELS = 32;
const LEVEL = String.raw`(?: {0,4}(?:>|(?:[-*+]|\d{1,9}[.)])(?=[ \t])))`;
/** Beginnings of lines that open more levels: each line is held against all that are open. */
const TOO_DEEP = new RegExp(`^(${LEVEL}{${MOST_LEVELS}})${LEVEL}+`, 'gm');

/** micromark's names of the constructs whose marks are paired after the text around them was read. */
const PAIRED_MARKS = [
  'attention',
  'strikethrough',
  'labelStartLink',
  'labelStartImage',
  'labelEnd',
  'gfmFootnoteCall',
  'gfmPotentialFootnoteCall',
];

/** Seven thousand marks in one paragraph, which take about two seconds. */
const MOST_PAIRING_COST = 50_000_000;

/** What pairing takes at worst, without a unit: the square of the brackets, asterisks and the like of each paragraph or list item. */
function pairingCost(text: string): number {
  let cost = 0;
  let marks = 0;
  for (const line of text.split('\n')) {
    if (/^\s*([-*+]\s|$)/.test(line)) {
      cost += marks ** 2;
      marks = 0;
    }
    marks += line.match(/[[\]*_~]/g)?.length ?? 0;
  }
  return cost + marks ** 2;
}

/** Two kinds of evidence, or two headings, in the first 20,000 characters: one `#` alone may be a comment. */
function looksLikeMarkdown(text: string): boolean {
  const sample = text.slice(0, 20_000);
  const headings = sample.match(/^#{1,6} \S/gm)?.length ?? 0;
  const marks = [/^\|.*\|\s*\n\|[\s:|-]+\|\s*$/m, /^```/m, /\]\(\S+\)/, /\*\*\S/, /^(?:[-*+]|\d+\.) \S/m];
  const evidence = marks.filter((mark) => mark.test(sample)).length;
  return headings >= 2 || (headings === 1 && (evidence >= 1 || /^# /.test(sample))) || evidence >= 3;
}

function addNode(builder: DocumentBuilder, node: RootContent): void {
  switch (node.type) {
    case 'heading':
      return builder.heading(node.depth, inlineText(node));
    case 'code':
      return builder.block('code', node.value);
    case 'list':
      return builder.block('list', listLines(node, '').join('\n'));
    case 'table':
      return builder.block('table', gfmTable(node));
    case 'html':
      return addHtml(builder, node.value);
    case 'blockquote':
    case 'footnoteDefinition':
      return node.children.forEach((child) => addNode(builder, child));
    case 'definition':
    case 'thematicBreak':
      return;
    default:
      return builder.block('paragraph', inlineText(node));
  }
}

function gfmTable(table: Table): string {
  const [header, ...rows] = table.children.map((row) => row.children.map(inlineText));
  // A table of one row has nothing but its header to say.
  return rows.length === 0 ? tableText(null, [header ?? []]) : tableText(header ?? null, rows);
}

/** One line an item; what an item nests is indented below it. */
function listLines(list: List, indent: string): string[] {
  return list.children.flatMap((item, index) => {
    const marker = list.ordered === true ? `${(list.start ?? 1) + index}. ` : '- ';
    const lines = item.children.flatMap((child): string[] => {
      if (child.type === 'list') return listLines(child, `${indent}  `);
      if (child.type === 'code') return child.value.split('\n').map((line) => `${indent}  ${line}`);
      if (child.type === 'table') return gfmTable(child).split('\n');
      return [inlineText(child)];
    });
    const first = (lines[0] ?? '').trimStart();
    const task = first === '' ? '' : boxOf(item);
    return [indent + marker + task + first, ...lines.slice(1)].filter((line) => line.trim() !== '-');
  });
}

const boxOf = ({ checked }: ListItem): string => (typeof checked === 'boolean' ? (checked ? '[x] ' : '[ ] ') : '');

function inlineText(node: Nodes): string {
  return collapse(rawText(node));
}

function rawText(node: Nodes): string {
  if (node.type === 'image' || node.type === 'imageReference') return node.alt ?? '';
  if (node.type === 'html') return htmlToText(node.value);
  if (node.type === 'break') return ' ';
  // What was struck no longer holds.
  if (node.type === 'footnoteReference' || node.type === 'delete') return '';
  if ('value' in node) return node.value;
  if (!('children' in node)) return '';
  // Blocks inside (a paragraph of a list item's quote) must not run together.
  const text = node.children.map(rawText).join(isBlock(node) ? ' ' : '');
  return node.type === 'link' ? text + contactBeside(text, node.url) : text;
}

const isBlock = (node: Nodes): boolean =>
  ['blockquote', 'list', 'listItem', 'root', 'table', 'tableRow', 'footnoteDefinition'].includes(node.type);
