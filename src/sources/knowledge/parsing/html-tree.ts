import { type DefaultTreeAdapterTypes } from 'parse5';

export type Node = DefaultTreeAdapterTypes.Node;
export type Element = DefaultTreeAdapterTypes.Element;
export type ParentNode = DefaultTreeAdapterTypes.ParentNode;

export const isElement = (node: Node): node is Element => 'tagName' in node;
export const isText = (node: Node): node is DefaultTreeAdapterTypes.TextNode => node.nodeName === '#text';
export const childElements = (node: Element): Element[] => node.childNodes.filter(isElement);
export const attribute = (element: Element, name: string): string | undefined =>
  element.attrs.find((candidate) => candidate.name === name)?.value;

/** All elements below a node, in order, and the node itself. */
export function* elements(root: Node): Generator<Element> {
  // An explicit stack: the nesting of an untrusted page has no limit.
  const stack: Node[] = [root];
  while (stack.length > 0) {
    const node = stack.pop() as Node;
    if (isElement(node)) yield node;
    if ('childNodes' in node)
      for (let i = node.childNodes.length - 1; i >= 0; i -= 1) stack.push(node.childNodes[i] as Node);
  }
}

export const find = (root: Node, tagName: string): Element[] =>
  [...elements(root)].filter((element) => element.tagName === tagName);

export function closest(element: Element, tagName: string): Element | null {
  for (let node: Node | null = element.parentNode; node !== null && isElement(node); node = node.parentNode)
    if (node.tagName === tagName) return node;
  return null;
}

export const BLOCK = new Set(
  'address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form header hgroup html legend li main nav ol p pre section summary table tbody td tfoot th thead tr ul hr h1 h2 h3 h4 h5 h6'.split(
    ' ',
  ),
);

/** All text below a node; block elements are kept apart by a space. `skip` may take a child over. */
export function textOf(root: Node, skip: (element: Element) => boolean = () => false): string {
  let text = '';
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
      if (skip(node)) continue;
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
