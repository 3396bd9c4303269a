import { defaultTreeAdapter } from 'parse5';
import { contactBeside, isContactLink } from './contacts.js';
import { attribute, type Element, elements, isElement, type Node, type ParentNode, textOf } from './html-tree.js';

/** Nothing in them is text of the page. */
const NEVER = new Set(
  'script style noscript template svg math iframe object embed canvas audio video select textarea button input dialog head'.split(
    ' ',
  ),
);
/** What was struck no longer holds. */
const STRUCK = new Set(['del', 's', 'strike']);
/** They repeat on every page of a site and answer nothing. */
const BOILERPLATE = new Set(['nav', 'footer', 'aside']);
const BOILERPLATE_ROLES = new Set(['navigation', 'banner', 'contentinfo', 'complementary', 'search']);
/** A button in one of them is what opens the section, and its text is the section's name: a question of an FAQ. */
const LABEL = new Set(['h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'dt', 'summary']);
/** An `aside` in one of them is a warning or a note, outside a side bar. */
const CONTENT = new Set(['main', 'article']);

/** What an element stands in, at whatever depth. */
interface Place {
  label: boolean;
  item: boolean;
  content: boolean;
  contact: boolean;
}

/**
 * Takes everything out of a tree but what its readers see or can open: scripts, navigation, hidden parts that no control
 * names (a way to plant text). Writes out an address that only the target of a link says, and whether a task is done.
 * @param controlled ids of what the page's controls show and hide
 */
export function keepVisible(root: ParentNode, controlled: ReadonlySet<string>): void {
  const contacts: Element[] = [];
  const stack = [{ node: root, place: placeIn(root, { label: false, item: false, content: false, contact: false }) }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { node, place } = next;
    if (place.item) writeBoxes(node);
    node.childNodes = node.childNodes.filter((child) => !isElement(child) || isVisible(child, place, controlled));
    for (const child of node.childNodes.filter(isElement)) {
      stack.push({ node: child, place: placeIn(child, place) });
      // Of links inside links only the outermost: else the text of the innermost would be read once a level.
      if (!place.contact && isContact(child)) contacts.push(child);
    }
  }
  for (const link of contacts)
    defaultTreeAdapter.insertText(link, contactBeside(textOf(link), attribute(link, 'href') ?? ''));
}

/** The ids that the controls of a page name: panels of accordions and tabs are hidden until somebody opens them. */
export const controlledIds = (root: Node): Set<string> =>
  new Set([...elements(root)].flatMap((element) => attribute(element, 'aria-controls')?.match(/\S+/g) ?? []));

function placeIn(node: ParentNode, outside: Place): Place {
  if (!isElement(node)) return outside;
  const inside: Place = {
    item: outside.item || node.tagName === 'li',
    label: outside.label || LABEL.has(node.tagName),
    content: outside.content || CONTENT.has(node.tagName),
    contact: outside.contact || isContact(node),
  };
  const isSame = (Object.keys(inside) as (keyof Place)[]).every((key) => inside[key] === outside[key]);
  return isSame ? outside : inside;
}

function isVisible(element: Element, place: Place, controlled: ReadonlySet<string>): boolean {
  const { tagName } = element;
  if (STRUCK.has(tagName)) return false;
  if (NEVER.has(tagName) && !(tagName === 'button' && place.label)) return false;
  if (BOILERPLATE.has(tagName) && !(tagName === 'aside' && place.content)) return false;
  if (BOILERPLATE_ROLES.has(attribute(element, 'role') ?? '')) return false;
  return !isHidden(element) || controlled.has(attribute(element, 'id') ?? '');
}

function isHidden(element: Element): boolean {
  const hidden = attribute(element, 'hidden');
  // Browsers open it when somebody searches the page for its words.
  if (hidden !== undefined && hidden.toLowerCase() !== 'until-found') return true;
  if (attribute(element, 'aria-hidden') === 'true') return true;
  return /display\s*:\s*none|visibility\s*:\s*hidden/i.test(attribute(element, 'style') ?? '');
}

const isContact = (element: Element): boolean => element.tagName === 'a' && isContactLink(attribute(element, 'href'));

/** Makes the boxes of a list what Markdown writes for them, so that its text says what is done. */
function writeBoxes(node: ParentNode): void {
  for (const box of node.childNodes.filter(isElement)) {
    if (box.tagName !== 'input' || attribute(box, 'type')?.toLowerCase() !== 'checkbox') continue;
    defaultTreeAdapter.insertText(box, attribute(box, 'checked') === undefined ? '[ ] ' : '[x] ');
    box.tagName = 'span';
  }
}
