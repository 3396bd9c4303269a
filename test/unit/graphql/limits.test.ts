import fc from 'fast-check';
import { buildSchema, parse } from 'graphql';
import { operationCost } from '../../../src/server/graphql/cost.js';
import { RESOLVER_CLASSES } from '../../../src/server/graphql/resolvers.js';
import { buildGraphSchema } from '../../../src/server/graphql/schema.js';
import { DocumentChecker, RequestRefused } from '../../../src/server/graphql/documents.js';
import { checkShape, DEFAULT_LIMITS } from '../../../src/server/graphql/limits.js';

const schema = buildSchema(`
  type Query { node: Node list(first: Int = 20): [Node!]! find(input: FindInput!): [Node!]! ask: String }
  input FindInput { limit: Int = 10 }
  interface Node { id: ID! child: Node }
  type Leaf implements Node { id: ID! child: Node leaf: Int }
  type Twig implements Node { id: ID! child: Node bark: Int buds: Int }
`);
const NO_LIMITS = { ...DEFAULT_LIMITS, depth: 1e9, aliases: 1e9, rootFields: 1e9, cost: 1e9 };

/** A selection, as a tree. */
interface Tree {
  children: Tree[];
}
const trees = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    fc.constant<Tree>({ children: [] }),
    fc.record({ children: fc.array(tie('tree'), { maxLength: 3 }) }),
  ),
})).tree;

const depthOf = ({ children }: Tree): number => 1 + Math.max(0, ...children.map(depthOf));
const sizeOf = ({ children }: Tree): number => children.reduce((sum, child) => sum + sizeOf(child), 1);

/** The tree as a document; `wrap` decides for each selection whether it stands inline or in a fragment of its own. */
function documentOf(tree: Tree, wrap: () => boolean): string {
  const fragments: string[] = [];
  const selection = ({ children }: Tree): string => {
    const inner =
      children.length === 0
        ? '{ id }'
        : `{ ${children.map((child, i) => `f${i}: child ${selection(child)}`).join(' ')} }`;
    if (!wrap()) return inner;
    fragments.push(`fragment F${fragments.length} on Node ${inner}`);
    return `{ ...F${fragments.length - 1} }`;
  };
  return [`{ node ${selection(tree)} }`, ...fragments].join(' ');
}

describe('checkShape', () => {
  const limitOf = (query: string, limits: Partial<typeof NO_LIMITS>) => () =>
    checkShape(parse(query), { ...NO_LIMITS, ...limits });

  it('measures the same depth and aliases however a document is cut into fragments', () => {
    fc.assert(
      fc.property(trees, fc.infiniteStream(fc.boolean()), (tree, flips) => {
        const query = documentOf(tree, () => flips.next().value as boolean);
        const depth = depthOf(tree) + 1;
        const aliases = sizeOf(tree) - 1;
        expect(limitOf(query, { depth })).not.toThrow();
        expect(limitOf(query, { depth: depth - 1 })).toThrow(`depth is ${depth};`);
        expect(limitOf(query, { aliases })).not.toThrow();
        if (aliases > 0) expect(limitOf(query, { aliases: aliases - 1 })).toThrow(`repeated fields is ${aliases};`);
      }),
    );
  });

  it('ends on fragments that spread themselves', () => {
    const cyclic = '{ node { ...A } } fragment A on Node { child { ...B } } fragment B on Node { child { ...A } }';
    expect(limitOf(cyclic, {})).not.toThrow();
  });

  it('names the root fields of each operation', () => {
    const fields = checkShape(
      parse('query a { node { id } ...F } query b { ask } fragment F on Query { ask }'),
      NO_LIMITS,
    );
    expect([...fields]).toEqual([
      ['a', ['node', 'ask']],
      ['b', ['ask']],
    ]);
  });
});

describe('operationCost', () => {
  const costOf = (query: string, variables = {}) => operationCost(schema, { document: parse(query), variables });

  it('counts a field as 1, and multiplies a selection by the items asked for', () => {
    expect(costOf('{ node { id } }')).toBe(2);
    expect(costOf('{ list { id child { id } } }')).toBe(1 + 20 * 3);
    expect(costOf('query ($n: Int) { list(first: $n) { id } }', { n: 7 })).toBe(1 + 7);
    expect(costOf('{ find(input: { limit: 5 }) { id } }')).toBe(1 + 5);
    expect(costOf('{ find(input: {}) { id } }')).toBe(1 + 10);
  });

  it('is the cost of the dearest type where a field returns an interface', () => {
    expect(costOf('{ node { id ... on Leaf { leaf } } }')).toBe(1 + 2);
    expect(costOf('{ node { id ... on Leaf { leaf } ... on Twig { bark buds } } }')).toBe(1 + 3);
  });

  it('counts null as the page that it stands for', () => {
    expect(costOf('{ list(first: null) { id } }')).toBe(1 + 20);
    expect(costOf('query ($n: Int) { list(first: $n) { id } }', { n: null })).toBe(1 + 20);
    expect(costOf('{ find(input: { limit: null }) { id } }')).toBe(1 + 20);
  });

  it('is never lowered by a field, whatever its arguments', () => {
    const real = buildGraphSchema(RESOLVER_CLASSES);
    const costIn = (fields: string) => operationCost(real, { document: parse(`{ ${fields} }`) })!;
    const models = 'models { edges { node { id } } }';
    expect(costIn(`runEvents(runId: "x", first: -2147483648) { id } ${models}`)).toBe(1 + costIn(models));
  });

  it('leaves variables that do not fit to execution', () => {
    expect(costOf('query ($n: Int) { list(first: $n) { id } }', { n: 'seven' })).toBeNull();
  });
});

describe('DocumentChecker', () => {
  it('answers a known text from memory, refusals too, and forgets the oldest beyond its budget', () => {
    const checker = new DocumentChecker(schema, DEFAULT_LIMITS, 1_000);
    const first = checker.prepare('{ node { id } }');
    expect(checker.prepare('{ node { id } }')).toBe(first);
    const refused = () => {
      try {
        return checker.prepare('{ nothing }');
      } catch (error) {
        return error;
      }
    };
    expect(refused()).toBeInstanceOf(RequestRefused);
    expect(refused()).toBe(refused());
    for (let i = 0; i < 20; i++) checker.prepare(`{ node { id } } # ${i}`);
    expect(checker.prepare('{ node { id } }')).not.toBe(first);
  });
});
