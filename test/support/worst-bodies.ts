import {
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isObjectType,
  isUnionType,
  isInterfaceType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLSchema,
} from 'graphql';
import { mostItems } from '../../src/kit/graphql/index.js';
import type { Limits } from '../../src/server/graphql/limits.js';
import { beyondLimit } from '../../src/kernel/json-limits.js';

export const TRANSPORTS = ['HTTP', 'SSE', 'WebSocket'] as const;
export type Transport = (typeof TRANSPORTS)[number];

export interface WorstBody {
  /** `mutation deleteDocuments: wrong elements` */
  name: string;
  /** `mutation deleteDocuments` */
  field: string;
  transport: Transport;
  /** The JSON as it is sent: `query` and `variables`. */
  json: string;
}

/** What stands for each leaf of the variables. */
interface Filling {
  name: string;
  /** @param values how many the leaf may have in it */
  leaf: (type: string, values: number) => unknown;
  /** What is repeated in the place of each `TEXT`, for as long as the body has room. */
  piece?: string;
  /** Whether each object has a field that its type has not. */
  unknownFields?: boolean;
}

/** Stands for a long text until it is known how long that may be. */
const TEXT = '%TEXT%';
/** Of the envelope that a WebSocket puts around. */
const ENVELOPE_BYTES = 200;

const VALID: Record<string, unknown> = { Int: 1, Float: 0.5, Boolean: true, DateTime: '2026-01-01T00:00:00Z' };
const NUMBERLESS = new Set(['Int', 'Float', 'Boolean', 'BigInt', 'DateTime']);

/** Objects inside each other down to what is allowed, and as many values in the innermost as there may be. */
function deepAndWide(nesting: number, values: number): unknown {
  let inner: unknown = Array<number>(values).fill(1);
  for (let level = 0; level < nesting; level++) inner = { a: inner };
  return inner;
}

/** Valid in form, with strings that fill the body: what is refused only by a rule of the domain, if at all. */
const long = (name: string, piece: string): Filling => ({
  name,
  piece,
  leaf: (type) => {
    if (type === 'JSON') return { text: TEXT };
    return type === 'ENUM' || NUMBERLESS.has(type) ? (VALID[type] ?? null) : TEXT;
  },
});

/** Of many values, small. */
const MANY: Filling[] = [
  { name: 'wrong elements', leaf: (type) => (type === 'Int' || type === 'Float' ? 'x' : type === 'JSON' ? [[1]] : 1) },
  {
    name: 'deep and wide elements',
    leaf: (_type, values) => deepAndWide(50, Math.max(0, Math.floor(values - 60))),
  },
];

/** As large as a body may be: one for each transport. */
const LARGE: Filling[] = [
  {
    name: 'long wrong elements',
    piece: 'x',
    leaf: (type) => (type === 'String' || type === 'ID' ? { a: TEXT } : TEXT),
  },
  { ...long('long strings beside unknown fields', 'x'), unknownFields: true },
  long('long strings of brackets, blanks and what is to be normalised', '[({`*_<"\\' + ' '.repeat(8) + 'a\u0323\u0307'),
];

/** Writes a body, its texts as long as `bytes` allows; null where it is longer without them. */
function written(payload: { query: string; variables?: unknown }, piece: string, bytes: number): string | null {
  const parts = JSON.stringify(payload).split(TEXT);
  const each = JSON.stringify(piece).slice(1, -1);
  const room = bytes - ENVELOPE_BYTES - Buffer.byteLength(parts.join(''));
  if (room < 0) return null;
  return parts.join(each.repeat(Math.floor(room / parts.length / Buffer.byteLength(each))));
}

/**
 * For each field of the operation types, the heaviest requests that `limits` accepts, made from the schema alone: lists as
 * long as they may be, of elements that fit and that don't, strings that fill the body, values nested as deep as they may
 * be; in variables and, as far as a document's own limits go, as literals.
 */
export function* worstBodies(schema: GraphQLSchema, limits: Limits): Generator<WorstBody> {
  let turn = 0;
  for (const [kind, root] of [
    ['query', schema.getQueryType()],
    ['mutation', schema.getMutationType()],
    ['subscription', schema.getSubscriptionType()],
  ] as const)
    for (const field of Object.values(root?.getFields() ?? {})) {
      const selection = selectionOf(field);
      const body = (transport: Transport, filling: string, json: string): WorstBody => ({
        field: `${kind} ${field.name}`,
        name: `${kind} ${field.name}: ${filling}`,
        transport,
        json,
      });
      if (field.args.length === 0) {
        for (const transport of TRANSPORTS)
          yield body(transport, 'alone', JSON.stringify({ query: `${kind} { ${field.name}${selection} }` }));
        continue;
      }
      turn += 1;
      const declared = field.args.map(({ name, type }) => `$${name}: ${String(type)}`).join(', ');
      const passed = field.args.map(({ name }) => `${name}: $${name}`).join(', ');
      const query = `${kind} (${declared}) { ${field.name}(${passed})${selection} }`;
      const filled = (transport: Transport, filling: Filling): WorstBody => {
        const bytes = transport === 'WebSocket' ? limits.messageBytes : limits.bodyBytes;
        for (let most = limits.json.values * 0.9; ; most *= 0.8) {
          // How many leaves there will be decides how many values each may have.
          let leaves = 0;
          variablesOf(field.args, { name: '', leaf: () => (leaves += 1) }, 0, new Count(most));
          const variables = variablesOf(field.args, filling, most / Math.max(1, leaves), new Count(most));
          const json = written({ query, variables }, filling.piece ?? 'x', bytes);
          // A filling may put values into a leaf, which are counted where the body arrives.
          if (json !== null && beyondLimit(Buffer.from(json), limits.json) === null)
            return body(transport, filling.name, json);
        }
      };
      for (const transport of TRANSPORTS) yield filled(transport, MANY[0]!);
      yield filled('HTTP', MANY[1]!);
      // Transports differ in how a body arrives, not in what its values cost: each of the large bodies goes over one of them.
      for (const [index, filling] of LARGE.entries()) yield filled(TRANSPORTS[(turn + index) % 3]!, filling);
      const literals = variablesOf(field.args, MANY[0]!, 0, new Count(limits.tokens / 4));
      const list = Object.entries(literals).map(([name, value]) => `${name}: ${literal(value)}`);
      const document = `${kind} { ${field.name}(${list.join(', ')})${selection} }`;
      yield body('HTTP', 'wrong literals', JSON.stringify({ query: document }));
    }
}

/** How many values a body has by now; lists end when there are too many. */
class Count {
  constructor(private left: number) {}
  take = (): boolean => (this.left -= 1) > 0;
}

const variablesOf = (
  args: readonly (GraphQLArgument | GraphQLInputField)[],
  filling: Filling,
  values: number,
  count: Count,
): Record<string, unknown> =>
  Object.fromEntries(args.map((arg) => [arg.name, valueOf(arg.type, arg, filling, values, count)]));

function valueOf(
  type: GraphQLInputType,
  place: GraphQLArgument | GraphQLInputField,
  filling: Filling,
  values: number,
  count: Count,
): unknown {
  const nullable = getNullableType(type);
  count.take();
  if (isListType(nullable)) {
    const items: unknown[] = [];
    const most = mostItems(place);
    while (items.length < most && count.take()) items.push(valueOf(nullable.ofType, place, filling, values, count));
    return items;
  }
  if (isInputObjectType(nullable))
    return {
      ...(filling.unknownFields ? { unknown: 1 } : {}),
      ...variablesOf(Object.values(nullable.getFields()), filling, values, count),
    };
  return filling.leaf(isEnumType(nullable) ? 'ENUM' : nullable.name, values);
}

/** JSON as a literal of GraphQL: keys without quotes. */
const literal = (value: unknown): string =>
  Array.isArray(value)
    ? `[${value.map(literal).join(' ')}]`
    : typeof value === 'object' && value !== null
      ? `{${Object.entries(value)
          .map(([key, each]) => `${key}: ${literal(each)}`)
          .join(' ')}}`
      : JSON.stringify(value);

const selectionOf = (field: GraphQLField<unknown, unknown>): string => {
  const type = getNamedType(field.type);
  return isObjectType(type) || isUnionType(type) || isInterfaceType(type) ? ' { __typename }' : '';
};
