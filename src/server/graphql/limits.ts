import { Kind, type DocumentNode, type FragmentDefinitionNode, type SelectionSetNode } from 'graphql';
import { GraftError } from '../../kernel/errors.js';
import type { JsonLimits } from '../../kernel/json-limits.js';

/** What one operation may ask for. The same numbers hold over HTTP, WebSocket and SSE. */
export interface Limits {
  /** UTF-16 units of the document's text. */
  documentSize: number;
  /** Lexical tokens of the document. */
  tokens: number;
  /** Levels of fields; a field of the operation itself is at level 1. */
  depth: number;
  /** Aliased fields, and repetitions of a field in the same selection, fragments counted where they are spread. */
  aliases: number;
  /** Fields of the operation itself. */
  rootFields: number;
  /** Cost as `src/server/graphql/cost.ts` counts it. */
  cost: number;
  /** Bytes of an HTTP body. */
  bodyBytes: number;
  /** Bytes of a WebSocket message; fewer, because it is put together in one turn of the event loop and parsed in one. */
  messageBytes: number;
  /** Structure of the JSON in an HTTP body or a WebSocket message. */
  json: JsonLimits;
  /** Operations that one WebSocket may have under way. */
  operationsPerSocket: number;
  /** Bytes of WebSocket messages that have begun to arrive and not ended, of all clients together. */
  halfSentBytes: number;
  /** Bytes that may wait for a WebSocket's client to read them. */
  unreadBytes: number;
  /** Bytes of a WebSocket ping, whose payload is sent back; `connection_init` may have 16 times as many. */
  pingBytes: number;
  /** How long a client may take no byte although some wait for it, in ms. */
  stalledMs: number;
  /** How long the body of an operation or a WebSocket message may take to arrive, in ms. */
  bodyMs: number;
  /** The least that an upload has to bring in each window of `stalledMs`, in bytes a second. */
  uploadBytesPerSecond: number;
  /** How long the rest of a body that was refused is read, so that its sender sees the answer, in ms. */
  drainMs: number;
  /** WebSockets and event streams that may be open at once. */
  streams: number;
}

/** GraphiQL's introspection needs depth 13 and 250 tokens; the largest shipped operation needs less than a fifth of the rest. */
export const DEFAULT_LIMITS: Limits = {
  documentSize: 64 * 1024,
  tokens: 4_000,
  depth: 15,
  aliases: 40,
  rootFields: 20,
  cost: 10_000,
  bodyBytes: 6 * 1024 * 1024,
  messageBytes: 2 * 1024 * 1024,
  // The largest honest one names the values of 10,000 labels.
  json: { values: 50_000, nesting: 64 },
  operationsPerSocket: 20,
  halfSentBytes: 128 * 1024 * 1024,
  unreadBytes: 16 * 1024 * 1024,
  pingBytes: 1024,
  stalledMs: 30_000,
  bodyMs: 60_000,
  uploadBytesPerSecond: 16 * 1024,
  drainMs: 5_000,
  streams: 1_000,
};

export const tooComplex = (limit: string, value: number, allowed: number): GraftError =>
  new GraftError('QUERY_TOO_COMPLEX', `The document’s ${limit} is ${value}; at most ${allowed} is allowed.`);

/** @throws QUERY_TOO_COMPLEX before anything is parsed */
export function checkDocumentSize(source: string, limits: Limits): void {
  if (source.length > limits.documentSize) throw tooComplex('size in characters', source.length, limits.documentSize);
}

interface Shape {
  depth: number;
  aliases: number;
  /** Names of the fields at the top of the selection, with repetitions. */
  fields: string[];
}

/** No operation needs more names than this at its top, so counting stops there: fragments can multiply them without end. */
const MOST_NAMES = 1_000;

/**
 * Measures selections with fragments where they are spread, each fragment once, in one pass over the document.
 * A fragment that spreads itself counts as empty: validation refuses it later.
 */
class ShapeMeter {
  readonly #shapes = new Map<string, Shape>();
  readonly #fragments = new Map<string, FragmentDefinitionNode>();

  constructor(document: DocumentNode) {
    for (const definition of document.definitions)
      if (definition.kind === Kind.FRAGMENT_DEFINITION) this.#fragments.set(definition.name.value, definition);
  }

  measure(selections: SelectionSetNode): Shape {
    const shape: Shape = { depth: 0, aliases: 0, fields: [] };
    const names = new Set<string>();
    for (const selection of selections.selections) {
      if (selection.kind === Kind.FIELD) {
        const inner = selection.selectionSet ? this.measure(selection.selectionSet) : undefined;
        const repeated = names.has(selection.name.value);
        names.add(selection.name.value);
        shape.depth = Math.max(shape.depth, 1 + (inner?.depth ?? 0));
        shape.aliases += (selection.alias || repeated ? 1 : 0) + (inner?.aliases ?? 0);
        shape.fields.push(selection.name.value);
      } else {
        const inner =
          selection.kind === Kind.INLINE_FRAGMENT
            ? this.measure(selection.selectionSet)
            : this.#fragment(selection.name.value);
        shape.depth = Math.max(shape.depth, inner.depth);
        shape.aliases += inner.aliases;
        if (shape.fields.length < MOST_NAMES) shape.fields.push(...inner.fields);
      }
    }
    return shape;
  }

  #fragment(name: string): Shape {
    const cachedShape = this.#shapes.get(name);
    if (cachedShape) return cachedShape;
    this.#shapes.set(name, { depth: 0, aliases: 0, fields: [] });
    const fragment = this.#fragments.get(name);
    if (fragment) this.#shapes.set(name, this.measure(fragment.selectionSet));
    return this.#shapes.get(name)!;
  }
}

/**
 * Checks every operation of a parsed document, before it is validated: validation takes time that grows with what is checked here.
 * @returns for each operation, by name (empty for an anonymous one), the names of its root fields
 * @throws QUERY_TOO_COMPLEX naming the limit and the value
 */
export function checkShape(document: DocumentNode, limits: Limits): Map<string, readonly string[]> {
  const meter = new ShapeMeter(document);
  const rootFields = new Map<string, readonly string[]>();
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    const shape = meter.measure(definition.selectionSet);
    if (shape.depth > limits.depth) throw tooComplex('depth', shape.depth, limits.depth);
    if (shape.aliases > limits.aliases)
      throw tooComplex('number of aliases and repeated fields', shape.aliases, limits.aliases);
    if (shape.fields.length > limits.rootFields)
      throw tooComplex('number of root fields', shape.fields.length, limits.rootFields);
    rootFields.set(definition.name?.value ?? '', shape.fields);
  }
  return rootFields;
}
