import fc from 'fast-check';
import { grammarOf } from '../../../gpu-worker/engines/inference/json-grammar.js';
import { readSchema, SchemaFault } from '../../../src/answer/ask/form/read-schema.js';
import { jsonForm, MOST_FORM_NODES } from '../../../src/worker-protocol/index.js';

const nested = (levels: number): object =>
  levels === 0 ? { type: 'string' } : { type: 'object', properties: { a: nested(levels - 1) }, required: ['a'] };
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `p${i}`);
const objectOf = (count: number, required: boolean): object => ({
  type: 'object',
  properties: Object.fromEntries(names(count).map((name) => [name, { type: 'integer' }])),
  ...(required && { required: names(count) }),
});
const alike = (count: number): object => ({
  anyOf: names(count).map((name) => ({
    type: 'object',
    properties: { [name]: { type: 'integer' } },
    required: [name],
    additionalProperties: false,
  })),
});

describe('a JSON schema that answers are held to', () => {
  it.each<[string, unknown, RegExp]>([
    ['is deep', nested(400), /levels/],
    ['is huge', objectOf(5_000, true), /properties/],
    ['has many parts', { type: 'object', properties: { a: objectOf(400, true), b: objectOf(400, true) } }, /parts/],
    ['has long names', { type: 'object', properties: { ['x'.repeat(501)]: {} } }, /characters/],
    ['has long lists of values', { enum: Array.from({ length: 501 }, (_, i) => i) }, /500 values/],
    ['counts to a million', { type: 'string', maxLength: 1_000_000 }, /1000 at most/],
    ['counts backwards', { type: 'array', minItems: 3, maxItems: 2 }, /counts/],
    ['counts in halves', { type: 'array', minItems: 0.5 }, /counts/],
    [
      'counts much in many places',
      {
        type: 'object',
        properties: {
          a: { type: 'string', maxLength: 999 },
          b: { type: 'string', minLength: 1_000 },
          c: { type: 'array', maxItems: 5 },
        },
      },
      /together/,
    ],
    ['names itself', { $ref: '#' }, /names itself/],
    [
      'names itself around a corner',
      { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
      /names itself/,
    ],
    ['is an alternative of itself', { anyOf: [{ type: 'null' }, { $ref: '#' }] }, /alternative of itself/],
    ['never ends', { type: 'object', properties: { next: { $ref: '#' } }, required: ['next'] }, /end/],
    ['never ends in lists', { type: 'array', items: { $ref: '#' }, minItems: 1 }, /end/],
    ['names what is not there', { $ref: '#/$defs/nobody' }, /names nothing/],
    ['names the prototype', { $ref: '#/$defs/__proto__', $defs: {} }, /names nothing/],
    ['is elsewhere', { $ref: 'https://example.com/schema.json' }, /names nothing/],
    ['has much that begins alike', alike(65), /begin alike/],
    [
      'doubles with each level',
      {
        $defs: {
          t: {
            anyOf: [
              { type: 'object', properties: { a: { $ref: '#/$defs/t' } } },
              { type: 'object', properties: { b: { $ref: '#/$defs/t' } } },
            ],
          },
        },
        $ref: '#/$defs/t',
      },
      /begin alike/,
    ],
    ['has values that are all too short', { type: 'string', enum: ['a', 'b'], minLength: 5 }, /type and length/],
    ['has a number without end', { const: Infinity }, /finite numbers/],
    ['leaves much open', objectOf(100, false), /begin alike/],
    [
      'requires what it forbids',
      { type: 'object', properties: {}, required: ['a'], additionalProperties: false },
      /required/,
    ],
    ['has values of another type', { type: 'string', enum: [1, 2] }, /of its type/],
    ['has values that are no scalars', { enum: [{ a: 1 }] }, /texts, finite numbers/],
    ['has no alternatives', { anyOf: [] }, /anyOf/],
    ['is of no known type', { type: 'date' }, /no type/],
    ['is of a type that is none', { type: [[['string']]] }, /type/],
    ['is no object', 'string', /object/],
    ['is never', { type: 'object', properties: { a: false }, required: ['a'] }, /object/],
    ...[
      'pattern',
      'format',
      'minimum',
      'multipleOf',
      'uniqueItems',
      'oneOf',
      'allOf',
      'not',
      'if',
      'prefixItems',
      'patternProperties',
      'minProperties',
      'nullable',
      'toString',
    ].map((keyword): [string, unknown, RegExp] => [
      `says ${keyword}`,
      { type: 'string', [keyword]: 1 },
      new RegExp(`${keyword} is not supported`),
    ]),
  ])('is refused where it %s', (_, schema, reason) => {
    expect(() => readSchema(schema)).toThrow(SchemaFault);
    expect(() => readSchema(schema)).toThrow(reason);
  });

  it.each<[string, unknown]>([
    [
      'Pydantic’s optional field',
      {
        type: 'object',
        properties: { a: { anyOf: [{ type: 'string' }, { type: 'null' }], default: null, title: 'A' } },
        title: 'T',
      },
    ],
    [
      'Zod’s record',
      {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'object',
        propertyNames: { type: 'string' },
        additionalProperties: { type: 'number' },
      },
    ],
    [
      'a list that leads to itself',
      {
        type: 'object',
        properties: { value: { type: 'integer' }, next: { anyOf: [{ $ref: '#' }, { type: 'null' }] } },
        required: ['value', 'next'],
        additionalProperties: false,
      },
    ],
    [
      'a tree',
      {
        $ref: '#/$defs/node',
        $defs: {
          node: { type: 'object', properties: { children: { type: 'array', items: { $ref: '#/$defs/node' } } } },
        },
      },
    ],
    ['two types', { type: ['string', 'null', 'array'], maxLength: 3, items: { type: 'boolean' } }],
    ['anything', {}],
    ['as many properties as there may be', objectOf(500, true)],
    ['alternatives that begin alike', alike(64)],
  ])('is taken: %s', (_, schema) => {
    const form = readSchema(schema);
    expect(jsonForm.parse(form)).toEqual(form);
    expect(grammarOf(form).startsWith('root ::= n0\n')).toBe(true);
  });

  it('is read in bounds whatever it is, and says so or comes to a form', () => {
    const key = fc.constantFrom(
      'type',
      'properties',
      'items',
      'anyOf',
      'enum',
      'const',
      '$ref',
      '$defs',
      'required',
      'additionalProperties',
      'maxLength',
      'a',
      'b',
    );
    const leaf = fc.oneof(
      fc.constantFrom('object', 'array', 'string', 'integer', '#', '#/$defs/a', '__proto__'),
      fc.nat(2_000),
      fc.boolean(),
      fc.constant(null),
    );
    const { any } = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: 'medium' },
        leaf,
        fc.array(tie('any'), { maxLength: 4 }),
        fc.dictionary(key, tie('any'), { maxKeys: 5 }),
      ),
    }));
    fc.assert(
      fc.property(any, (schema) => {
        try {
          const form = readSchema(schema);
          expect(form.length).toBeLessThanOrEqual(MOST_FORM_NODES);
          expect(jsonForm.safeParse(form).success).toBe(true);
          expect(grammarOf(form).length).toBeLessThan(200_000);
        } catch (error) {
          if (!(error instanceof SchemaFault)) throw error;
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('has of the values of a text those that are as long as it says, in code points', () => {
    const form = readSchema({
      type: 'string',
      enum: ['a', 'bbbbb', '🙂🙂🙂🙂🙂', 'cccccc'],
      minLength: 5,
      maxLength: 5,
    });
    expect(form).toEqual([{ kind: 'literal', texts: ['"bbbbb"', '"🙂🙂🙂🙂🙂"'] }]);
  });
});
