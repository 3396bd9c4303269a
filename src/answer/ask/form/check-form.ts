import type { FormNode, JsonForm } from '../../../worker-protocol/index.js';

/** Ways to go on that a grammar may have to follow at once; each costs time at every token, and two within two are four. */
const MOST_AT_ONCE = 64;
/** What all counts of a form may come to. */
const MOST_COUNTED_TOGETHER = 2_000;
/** Names of parts in all parts together. */
const MOST_EDGES = 4_096;
/** Parts that lead back to earlier ones take a round more each; real schemas are done after three. */
const MOST_ROUNDS = 64;

/** Why no answer can be held to a form; null where one can. */
export function formFault(form: JsonForm): string | null {
  if (form.reduce((sum, node) => sum + childrenOf(node).length, 0) > MOST_EDGES)
    return `its parts name more than ${MOST_EDGES} others`;
  if (namesItself(form)) return 'a part of it is an alternative of itself';
  if (!canEnd(form)) return 'no JSON text keeps to it that has an end';
  if (atOnce(form) > MOST_AT_ONCE)
    return `more than ${MOST_AT_ONCE} alternatives begin alike: tell them apart by what they begin with, or require more properties`;
  const total = form.reduce((sum, node) => sum + countOf(node), 0);
  if (total > MOST_COUNTED_TOGETHER) return `its bounds of lengths come to more than ${MOST_COUNTED_TOGETHER} together`;
  return null;
}

function childrenOf(node: FormNode): number[] {
  switch (node.kind) {
    case 'object':
      return node.properties.map(({ value }) => value);
    case 'list':
      return [node.items];
    case 'map':
      return [node.values];
    case 'either':
      return node.options;
    default:
      return [];
  }
}

const countOf = (node: FormNode): number => ('least' in node ? (node.most ?? node.least) : 0);

/** Whether alternatives lead back to themselves before anything is written. */
function namesItself(form: JsonForm): boolean {
  const finishedPlaces = new Set<number>();
  const open = new Set<number>();
  const leadsBack = (place: number): boolean => {
    const node = form[place]!;
    if (node.kind !== 'either' || finishedPlaces.has(place)) return false;
    if (open.has(place)) return true;
    open.add(place);
    const hasCycle = node.options.some(leadsBack);
    open.delete(place);
    finishedPlaces.add(place);
    return hasCycle;
  };
  return form.some((_, place) => leadsBack(place));
}

/** Whether the whole can be written to its end: it can't where a required part needs itself. */
function canEnd(form: JsonForm): boolean {
  const ends = new Set<number>();
  const endsNow = (node: FormNode): boolean => {
    switch (node.kind) {
      case 'object':
        return node.properties.every(({ value, required }) => !required || ends.has(value));
      case 'list':
        return node.least === 0 || ends.has(node.items);
      case 'either':
        return node.options.some((option) => ends.has(option));
      default:
        return true;
    }
  };
  for (let previousSize = -1; previousSize < ends.size;) {
    previousSize = ends.size;
    form.forEach((node, place) => endsNow(node) && ends.add(place));
  }
  return ends.has(0);
}

/**
 * The most ways to go on that are open at one place of a text, at most one more than is allowed: alternatives that begin with another
 * character are told apart by it, all others are followed together.
 */
function atOnce(form: JsonForm): number {
  const begin = beginningsOf(form);
  const widths = form.map(() => 1);
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    let changed = false;
    // Parts stand behind what they are parts of.
    for (let place = form.length - 1; place >= 0; place -= 1) {
      const width = widthOf(form[place]!, begin, widths);
      if (width > MOST_AT_ONCE) return width;
      changed ||= width > widths[place]!;
      widths[place] = width;
    }
    if (!changed) return Math.max(...widths);
  }
  return MOST_AT_ONCE + 1;
}

function widthOf(node: FormNode, begin: readonly ReadonlySet<string>[], widths: readonly number[]): number {
  const childWidths = childrenOf(node).map((child) => widths[child]!);
  if (node.kind === 'object')
    return Math.max(1 + node.properties.filter(({ required }) => !required).length, ...childWidths);
  if (node.kind !== 'either') return Math.max(1, ...childWidths);
  const widthByBeginning = new Map<string, number>();
  for (const option of node.options)
    for (const first of begin[option]!)
      widthByBeginning.set(first, (widthByBeginning.get(first) ?? 0) + widths[option]!);
  return Math.max(...widthByBeginning.values());
}

/** What each part's text can begin with: a kind of character for each. Alternatives lead to none of themselves. */
function beginningsOf(form: JsonForm): Set<string>[] {
  const cache: Set<string>[] = [];
  const find = (place: number): Set<string> => (cache[place] ??= beginnings(form[place]!, find));
  return form.map((_, place) => find(place));
}

function beginnings(node: FormNode, beginningsAt: (place: number) => Set<string>): Set<string> {
  switch (node.kind) {
    case 'object':
    case 'map':
      return new Set(['{']);
    case 'list':
      return new Set(['[']);
    case 'string':
      return new Set(['"']);
    case 'integer':
    case 'number':
      return new Set(['0']);
    case 'boolean':
      return new Set(['t', 'f']);
    case 'null':
      return new Set(['n']);
    case 'literal':
      return new Set(node.texts.map((text) => (/^[-\d]/.test(text) ? '0' : text[0]!)));
    case 'any':
      return new Set(['{', '[', '"', '0', 't', 'f', 'n']);
    case 'either':
      return new Set(node.options.flatMap((option) => [...beginningsAt(option)]));
  }
}
