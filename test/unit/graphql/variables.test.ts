import {
  buildSchema,
  getNullableType,
  isInputObjectType,
  isListType,
  isObjectType,
  type GraphQLArgument,
} from 'graphql';
import { DocumentChecker, RequestRefused } from '../../../src/server/graphql/documents.js';
import { DEFAULT_LIMITS } from '../../../src/server/graphql/limits.js';
import { RESOLVER_CLASSES } from '../../../src/server/graphql/resolvers.js';
import { buildGraphSchema } from '../../../src/server/graphql/schema.js';
import { MOST_REQUEST_ERRORS } from '../../../src/server/graphql/variables.js';
import { mostItems } from '../../../src/kit/graphql/index.js';
import { isGraftError } from '../../../src/kernel/errors.js';

const product = buildGraphSchema(RESOLVER_CLASSES);

describe('lists in variables', () => {
  const DELETE = `mutation ($names: [String!]!) { deleteDocuments(input: { collection: "c", names: $names }) { deleted } }`;
  const INPUT = `mutation ($input: DeleteDocumentsInput!) { deleteDocuments(input: $input) { deleted } }`;
  const LABELS = `mutation ($names: [String!]!) { createDataset(input: { name: "d", task: CLASSIFICATION, labels: $names }) { dataset { id } } }`;

  const checker = new DocumentChecker(product, DEFAULT_LIMITS);
  const refusal = (query: string, variables: Record<string, unknown>): unknown => {
    try {
      checker.checkVariables(checker.prepare(query), null, variables);
      return null;
    } catch (error) {
      return error;
    }
  };
  /** A list that says how many of its items were looked at. */
  const watched = (length: number) => {
    let looks = 0;
    const list = new Proxy(Array<unknown>(length).fill(1), {
      get(target, key, receiver) {
        if (typeof key === 'string' && /^\d+$/.test(key)) looks += 1;
        return Reflect.get(target, key, receiver) as unknown;
      },
    });
    return { list, looks: () => looks };
  };

  it('are refused by their length before anything looks at an item, wherever the list stands', () => {
    for (const [query, wrap] of [
      [DELETE, (names: unknown) => ({ names })],
      [INPUT, (names: unknown) => ({ input: { collection: 'c', names } })],
    ] as const) {
      const { list, looks } = watched(101);
      const error = refusal(query, wrap(list));
      expect(isGraftError(error, 'BAD_USER_INPUT')).toBe(true);
      expect((error as Error).message).toMatch(/names has 101 items; at most 100 are taken/);
      expect(looks()).toBe(0);
    }
  });

  it('take the bound of the argument that they are given to', () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `label ${i}`);
    expect(refusal(LABELS, { names })).toBeNull();
    expect(refusal(LABELS, { names: [...names, 'one more'] })).toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  it('stop at the first few errors when their items are wrong', () => {
    const { list, looks } = watched(10_000);
    const error = refusal(LABELS, { names: list });
    expect(error).toBeInstanceOf(RequestRefused);
    expect((error as RequestRefused).errors).toHaveLength(MOST_REQUEST_ERRORS);
    expect(looks()).toBeLessThan(10 * MOST_REQUEST_ERRORS);
  });

  it('have fields of no more than a name’s length, so that no similar one is looked for', () => {
    const error = refusal(INPUT, { input: { collection: 'c', names: [], ['x'.repeat(1_000_000)]: 1 } });
    expect(error).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input' });
    expect((error as Error).message.length).toBeLessThan(200);
  });

  it('ask for no more in any list of the schema than its description says', () => {
    const lists: [string, GraphQLArgument][] = [];
    for (const type of Object.values(product.getTypeMap())) {
      if (type.name.startsWith('__')) continue;
      const inputs: [string, object][] = isInputObjectType(type)
        ? Object.entries(type.getFields())
        : isObjectType(type)
          ? Object.values(type.getFields()).flatMap(({ args }) => args.map((arg): [string, object] => [arg.name, arg]))
          : [];
      for (const [name, input] of inputs as [string, GraphQLArgument][])
        if (isListType(getNullableType(input.type))) lists.push([`${type.name}.${name}`, input]);
    }
    expect(lists.length).toBeGreaterThan(15);
    for (const [name, list] of lists) {
      const numbers =
        (list.description ?? '').match(/\d[\d,]*/g)?.map((each) => Number(each.replaceAll(',', ''))) ?? [];
      expect([name, numbers.some((most) => most <= mostItems(list))]).toEqual([name, true]);
    }
  });
});

describe('values that do not fit', () => {
  const checker = new DocumentChecker(product, DEFAULT_LIMITS);
  const long = 'x'.repeat(1_000_000);
  const INGEST = 'mutation ($input: IngestDocumentsInput!) { ingestDocuments(input: $input) { run { id } } }';
  const RUNS = 'query ($status: RunStatus, $first: Int) { runs(status: $status, first: $first) { edges { cursor } } }';
  const document = { name: 'a', text: long };

  it.each<[string, string, object]>([
    ['a text in place of an enum’s value', RUNS, { status: long }],
    ['a text in place of a number', RUNS, { first: long }],
    ['an object in place of a text', INGEST, { input: { collection: { long }, documents: [], idempotencyKey: 'k' } }],
    ['a list in place of a text', INGEST, { input: { collection: [[long]], documents: [], idempotencyKey: 'k' } }],
    ['a text in place of an object', INGEST, { input: long }],
    [
      'a field that there is not',
      INGEST,
      { input: { collection: 'c', documents: [document], idempotencyKey: 'k', x: 1 } },
    ],
    ['a field that is missing', INGEST, { input: { collection: 'c', documents: [document] } }],
  ])('are refused without being quoted when they are long: %s', (_what, query, variables) => {
    const prepared = checker.prepare(query);
    let refusal: unknown;
    try {
      checker.checkVariables(prepared, null, variables as Record<string, unknown>);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toMatchObject({ code: 'BAD_USER_INPUT', message: expect.stringMatching(/too long to be quoted/) });
    expect((refusal as Error).message.length).toBeLessThan(200);
  });

  it.each(['\0', '\ud800'])('do not reach the database with %j in a text, wherever it stands', (unstorable) => {
    const refused = (query: string, variables: object) =>
      expect(() => checker.checkVariables(checker.prepare(query), null, variables as Record<string, unknown>)).toThrow(
        /contains a (NUL|lone)/,
      );
    refused('query ($name: String!) { collection(name: $name) { id } }', { name: unstorable });
    refused('query ($id: ID!) { node(id: $id) { id } }', { id: unstorable });
    refused(INGEST, { input: { collection: 'c', documents: [{ name: unstorable }], idempotencyKey: 'k' } });
    refused(
      'mutation ($names: [String!]!) { deleteDocuments(input: { collection: "c", names: $names }) { deleted } }',
      {
        names: ['a', unstorable],
      },
    );
  });

  it.each([
    '{ collection(name: "\\u0000") { id } }',
    'query ($n: String = "\\u0000") { rollouts(adapter: $n) { edges { cursor } } }',
  ])('do not reach the database with a NUL that the document itself has: %s', (query) => {
    expect(() => checker.prepare(query)).toThrow(/contains a NUL/);
  });

  it.each([
    ['a name', 'query ($name: String!) { collection(name: $name) { id } }', { name: long }],
    ['an id', 'query ($id: ID!) { node(id: $id) { id } }', { id: long }],
    [
      'an id inside an input',
      INGEST,
      { input: { collection: 'c', documents: [{ name: 'a', file: long }], idempotencyKey: 'k' } },
    ],
  ])('do not reach the database when %s is longer than any', (_what, query, variables) => {
    expect(() => checker.checkVariables(checker.prepare(query), null, variables)).toThrow(
      /is 1000000 characters long; at most 10000 are taken/,
    );
  });

  it('are for coercion to describe when they are short, and long texts where a text is expected are nobody’s mistake', () => {
    const check = (query: string, variables: Record<string, unknown>) => () =>
      checker.checkVariables(checker.prepare(query), null, variables);
    expect(check(RUNS, { status: 'RUNNIN' })).toThrow(RequestRefused);
    expect(check(INGEST, { input: { collection: 'c', documents: [document], idempotencyKey: 'k' } })).not.toThrow();
  });
});

describe('a variable that is given to arguments in fragments', () => {
  it('has their bound too', () => {
    const schema = buildSchema('type Query { find(names: [String!]!): Int }');
    const checker = new DocumentChecker(schema, DEFAULT_LIMITS);
    const prepared = checker.prepare('query ($n: [String!]!) { ...F } fragment F on Query { find(names: $n) }');
    const check = (length: number) => () => checker.checkVariables(prepared, null, { n: Array(length).fill('a') });
    expect(check(100)).not.toThrow();
    expect(check(101)).toThrow(/at most 100/);
  });
});
