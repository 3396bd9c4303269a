import { graphql, printType, type GraphQLNamedType } from 'graphql';
import { buildSchemaSync, Arg, InterfaceType, Field, Query, registerEnumType, Resolver } from 'type-graphql';
import { z } from 'zod';
import {
  inputType,
  listOf,
  mostItems,
  nodeOf,
  NodeType,
  nullIsAValue,
  objectType,
  ofType,
  recordInput,
  recordType,
  registerChoices,
  toGlobalId,
} from '../../../src/kit/graphql/index.js';
import { enumeration } from '../../../src/kernel/enumeration.js';
import { choice, int, oneOf, record, string } from '../../../src/kernel/record.js';

const Colour = enumeration('RED', 'GREEN');
registerEnumType(Colour, { name: 'TestColour', description: 'A colour.' });

const interval = record('TestInterval', 'A figure with its interval.', {
  low: z.number().describe('Lower end.'),
  high: z.number().describe('Upper end.'),
});

const measured = record('TestMeasured', 'What was measured.', {
  rows: z.number().int().describe('Rows.'),
  share: z.number().nullable().describe('Share, 0 to 1.'),
  name: z.string().optional().describe('Its name.'),
  quiet: z.boolean().default(true).describe('Whether it was quiet.'),
  colour: z.enum(Colour).describe('A registered enum.'),
  word: z.enum(['a', 'b']).describe('Names that nobody registered.'),
  bytes: z.number().int().describe('A number beyond 32 bits.').meta({ shown: 'BigInt' }),
  at: z.string().meta({ shown: 'DateTime' }).nullable().describe('When.'),
  counts: z.record(z.string(), z.number()).describe('By fault.'),
  accuracy: interval.describe('Its accuracy.'),
  intervals: z.array(interval).nullable().describe('One of each.'),
  secretId: z.string(),
  ips: z.number().meta({ name: 'inversePropensity' }).describe('Stored under a shorter name.'),
  datasetId: z.string().nullable().meta({ node: 'Dataset', name: 'dataset' }).describe('Id of the dataset.'),
});

@InterfaceType('TestNamed', { description: 'Has a title.', resolveType: () => 'TestEvent' })
abstract class Named {
  @Field(() => String, { description: 'Its title.' })
  title!: string;
}
const Event = recordType(record('TestEvent', 'It happened.', { step: z.number().int().describe('Step.') }), Named);
const Wish = recordInput(
  record('TestWish', 'What is wanted.', {
    names: z.array(z.string()).max(7).describe('At most 7.'),
    most: z.int().optional().default(5).describe('Null is the default.'),
    label: z.string().nullable().default('a').describe('Null is a value.'),
    interval: record('TestIntervalInput', 'Ends.', interval.partial().shape).optional().describe('Ends.'),
  }),
);

const Side = choice('TestSide', 'A side.', { ABOVE: 'Above it.', BELOW: 'Below it.' });
const Thing = objectType(
  'TestThing',
  'A row as it is shown.',
  {
    name: string('Its name.'),
    side: oneOf(Side, 'Its side.'),
    length: int('Characters of its name.'),
    row: z.custom<{ id: string; name: string; side: keyof typeof Side; secret: string }>(),
  },
  NodeType,
);
const Things = objectType('TestThings', 'Several.', { things: listOf(() => Thing, 'Each.') });
const Order = inputType('TestOrder', 'An order.', {
  side: oneOf(Side, 'Which.').default('BELOW'),
  reason: string('Why.').nullish(),
});

const Root = recordType(
  record('TestRoot', 'Root.', {
    measured: measured.describe('What was measured.'),
    event: ofType(() => Event, 'What happened.'),
    things: ofType(() => Things, 'Things.').nullish(),
  }),
);
type Root = InstanceType<typeof Root>;

let answers: Root;

@Resolver()
class RootResolver {
  @Query(() => Root, { description: 'Root.' })
  root(
    @Arg('wish', () => Wish, { description: 'Wish.' }) _wish: InstanceType<typeof Wish>,
    @Arg('order', () => Order, { nullable: true, description: 'Order.' }) _order?: InstanceType<typeof Order>,
  ): Root {
    return answers;
  }
}

registerChoices();
const schema = buildSchemaSync({ resolvers: [RootResolver], validate: false });
const printed = (name: string): string =>
  printType(schema.getType(name) as GraphQLNamedType)
    .replaceAll(/\n? *"""[^"]*"""\n/g, '\n')
    .replaceAll(/^\n|\n(?=\n)/g, '');

test('a record’s described fields are its GraphQL type, what is not described stays inside', () => {
  expect(printed('TestMeasured')).toBe(
    [
      'type TestMeasured {',
      '  rows: Int!',
      '  share: Float',
      '  name: String',
      '  quiet: Boolean!',
      '  colour: TestColour!',
      '  word: String!',
      '  bytes: BigInt!',
      '  at: DateTime',
      '  counts: JSON!',
      '  accuracy: TestInterval!',
      '  intervals: [TestInterval!]',
      '  inversePropensity: Float!',
      '  dataset: ID',
      '}',
    ].join('\n'),
  );
});

test('a record in a field keeps what is said of the record, and the field what is said of it there', () => {
  expect(schema.getType('TestInterval')?.description).toBe('A figure with its interval.');
  const measuredType = schema.getType('TestMeasured');
  expect(measuredType && 'getFields' in measuredType && measuredType.getFields()['accuracy']?.description).toBe(
    'Its accuracy.',
  );
});

test('a choice is an enum, and a default of an input is shown', () => {
  expect(printed('TestSide')).toBe('enum TestSide {\n  ABOVE\n  BELOW\n}');
  expect(printed('TestOrder')).toBe('input TestOrder {\n  side: TestSide! = BELOW\n  reason: String\n}');
  expect(printed('TestThings')).toBe('type TestThings {\n  things: [TestThing!]!\n}');
});

test('a node has the fields of its record, its row and a global id, and nothing else of the row', () => {
  const row = { id: '0192f0c1-0000-7000-8000-000000000001', name: 'anna', side: 'ABOVE' as const, secret: 'x' };
  const node = nodeOf(Thing, row, { length: 4 });
  expect(node).toBeInstanceOf(Thing);
  const id = toGlobalId('TestThing', row.id);
  expect(Object.fromEntries(Object.entries(node))).toEqual({ id, name: 'anna', side: 'ABOVE', length: 4, row });
});

test('a record may implement an interface', () => {
  expect(printed('TestEvent')).toBe('type TestEvent implements TestNamed {\n  title: String!\n  step: Int!\n}');
});

test('callers may leave out what is optional, and lists are bounded as the schema bounds them', () => {
  expect(printed('TestWish')).toBe(
    'input TestWish {\n  names: [String!]!\n  most: Int = 5\n  label: String = "a"\n  interval: TestIntervalInput\n}',
  );
  expect(printed('TestIntervalInput')).toBe('input TestIntervalInput {\n  low: Float\n  high: Float\n}');
  const wish = schema.getType('TestWish');
  const names = wish && 'getFields' in wish ? wish.getFields()['names'] : undefined;
  expect(mostItems(names as Parameters<typeof mostItems>[0])).toBe(7);
});

test('null is the default of a field that has one, unless the field takes null', () => {
  const wish = schema.getType('TestWish');
  const { most, label } = wish && 'getFields' in wish ? wish.getFields() : {};
  expect([most!, label!].map(nullIsAValue)).toEqual([false, true]);
});

test('a record may be both what is shown and what callers give', () => {
  const both = record('TestBoth', 'Both.', { size: z.number().describe('Size.') });
  expect(recordInput(both)).not.toBe(recordType(both));
  expect([recordInput(both), recordType(both)]).toEqual([recordInput(both), recordType(both.describe('Again.'))]);
});

test('two records of one name, an object without one and a form without a type are refused where they are declared', () => {
  const others: z.ZodRawShape[] = [
    { middle: z.number().describe('Middle.') },
    { low: z.string().describe('Lower end.'), high: z.string().describe('Upper end.') },
  ];
  for (const another of others)
    expect(() => recordType(record('TestInterval', 'Another.', another))).toThrow(
      'Two records are called TestInterval',
    );
  expect(() => recordType(z.object({ a: z.string().describe('A.') }))).toThrow('without a name');
  const either = z.union([z.string(), z.number()]).describe('Either.');
  expect(() => recordType(record('TestEither', 'Either.', { either }))).toThrow('No GraphQL type follows');
});

test('stored data is shown as it is: renamed where the schema says so, row ids as global ids', async () => {
  const stored: z.infer<typeof measured> = {
    rows: 3,
    share: null,
    quiet: true,
    colour: 'RED',
    word: 'b',
    bytes: 2 ** 40,
    at: '2026-01-02T03:04:05.000Z',
    counts: { a: 1 },
    accuracy: { low: 0, high: 1 },
    intervals: null,
    secretId: 'x',
    ips: 0.5,
    datasetId: 'd1',
  };
  const source =
    '{ root(wish: { names: [] }) { measured { rows share name bytes at counts inversePropensity dataset } } }';
  answers = { measured: stored, event: Object.assign(new Event(), { title: 't', step: 1 }) };
  const { data, errors } = await graphql({ schema, source });
  expect(errors).toBeUndefined();
  expect(JSON.parse(JSON.stringify(data))).toEqual({
    root: {
      measured: {
        rows: 3,
        share: null,
        name: null,
        bytes: 2 ** 40,
        at: stored.at,
        counts: { a: 1 },
        inversePropensity: 0.5,
        dataset: toGlobalId('Dataset', 'd1'),
      },
    },
  });
});
